// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>
#include <unordered_set>

#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "fleet/presence.h"
#include "fleet/reported_results.h"
#include "fleet/task_course.h"
#include "http/response.h"

namespace muster::endpoints {

namespace {

constexpr std::string_view own_agent = "muster-agent/";

fleet::Poller poller_of(const http::Request& request) {
  return {request.caller.org, request.caller.agent, request.caller.host,
          request.headers.find("User-Agent").starts_with(own_agent), request.caller.ended};
}

std::string encode_task(const model::Task& task) {
  const auto ttl =
      std::chrono::duration_cast<std::chrono::seconds>(task.deliver_by - task.created_at);
  JsonWriter json;
  json.begin_object()
      .member("id", task.id)
      .member("agent_id", task.agent)
      .member("org_id", std::to_string(task.org.value))
      .member("type", model::task_type_name(task.type))
      .member("priority", task.priority)
      .member("status", model::task_status_name(task.status))
      .key("payload")
      .raw(task.payload)
      .member("created_at", task.created_at)
      .member("assigned_at", task.assigned_at)
      .member("ttl", ttl.count())
      .member("attempt", task.attempt);
  if (task.order) {
    json.member("order", task.order->text).member("order_signature", to_hex(task.order->signature));
  }
  json.end_object();
  return json.take();
}

/// One task, in `data` for the agents in the field and in `tasks` for readers of the seed.
http::Response hand_out(const std::optional<model::Task>& task) {
  if (!task) return {204, ""};
  const std::string encoded = encode_task(*task);
  JsonWriter json;
  json.begin_object()
      .member("success", true)
      .key("data")
      .raw(encoded)
      .key("tasks")
      .begin_array()
      .raw(encoded)
      .end_array()
      .end_object();
  return http::json_response(200, json.take());
}

http::Response acknowledge(const fleet::StatusOutcome& outcome) {
  JsonWriter json;
  json.begin_object()
      .member("success", true)
      .key("data")
      .begin_object()
      .member("id", outcome.task.id)
      .member("status", model::task_status_name(outcome.task.status))
      .end_object();
  if (!outcome.changed) json.member("idempotent", true);
  json.end_object();
  return http::json_response(200, json.take());
}

/// Reads the members of a result or a control without ever refusing one: a member that is missing,
/// null or of the wrong type takes its default, and `malformed` remembers the last kind.
struct LenientMembers {
  const Json& object;
  bool malformed = false;

  std::string text(std::string_view name, std::size_t bytes_max, bool* cut = nullptr) {
    const auto value = object.find(name);
    if (!value || value->is_null()) return {};
    const auto text = value->string();
    if (!text) {
      malformed = true;
      return {};
    }
    if (cut != nullptr) *cut = text->size() > bytes_max;
    return std::string(cut_utf8(*text, bytes_max));
  }
  std::int64_t integer(std::string_view name, std::int64_t fallback) {
    const auto value = object.find(name);
    if (!value || value->is_null()) return fallback;
    if (const auto number = value->integer()) return *number;
    // Some agents write durations with a fraction.
    if (const auto number = value->number(); number && *number > -1e15 && *number < 1e15) {
      return static_cast<std::int64_t>(*number);
    }
    malformed = true;
    return fallback;
  }
  bool boolean(std::string_view name) {
    const auto value = object.find(name);
    if (!value || value->is_null()) return false;
    if (!value->boolean()) malformed = true;
    return value->boolean().value_or(false);
  }
  /// An array of strings as JSON text.
  std::string texts(std::string_view name) {
    JsonWriter json;
    json.begin_array();
    const auto value = object.find(name);
    if (value && value->is_array()) {
      std::size_t count = 0;
      value->for_each([&](const Json& element) {
        if (const auto text = element.string(); text && ++count <= limits::tags) {
          json.value(cut_utf8(*text, limits::name_bytes));
        } else {
          malformed = true;
        }
      });
    } else if (value && !value->is_null()) {
      malformed = true;
    }
    json.end_array();
    return json.take();
  }
};

model::Control decode_control(const Json& json, std::int64_t position) {
  model::Control control;
  control.position = position;
  control.exit_code = -1;
  control.techniques = control.tactics = "[]";
  bool malformed = !json.is_object();
  if (!malformed) {
    LenientMembers members{json};
    control.control_id = members.text("control_id", limits::name_bytes);
    control.name = members.text("control_name", limits::detail_bytes);
    control.validator = members.text("validator", limits::name_bytes);
    control.exit_code = members.integer("exit_code", -1);
    control.compliant = members.boolean("compliant");
    control.skipped = members.boolean("skipped");
    control.severity = members.text("severity", limits::name_bytes);
    control.category = members.text("category", limits::name_bytes);
    control.subcategory = members.text("subcategory", limits::name_bytes);
    control.techniques = members.texts("techniques");
    control.tactics = members.texts("tactics");
    control.expected = members.text("expected", limits::output_bytes);
    control.actual = members.text("actual", limits::output_bytes);
    control.details = members.text("details", limits::output_bytes);
    control.error_message = members.text("error_message", limits::output_bytes);
    malformed = members.malformed;
  }
  if (control.control_id.empty()) {
    control.control_id = "#" + std::to_string(position);
    malformed = true;
  }
  if (malformed) control.flag = "malformed";
  return control;
}

/// One row a control; a bad one never costs the good ones (mission rule 10).
void decode_controls(const Json& list, model::TaskResult& result) {
  std::vector<model::Control>& controls = result.controls;
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> times;
  list.for_each([&](const Json& element) {
    if (controls.size() == limits::controls) {
      result.flags.set(model::ResultFlag::controls_left_out);
      return;
    }
    model::Control control =
        decode_control(element, static_cast<std::int64_t>(controls.size()) + 1);
    if (!taken.insert(control.control_id).second) {
      // Another control may be called like a number of this one.
      int& number = times.try_emplace(control.control_id, 1).first->second;
      std::string numbered;
      do {
        numbered = control.control_id + "#" + std::to_string(++number);
      } while (!taken.insert(numbered).second);
      control.control_id = std::move(numbered);
      if (control.flag.empty()) control.flag = "duplicate";
    }
    controls.push_back(std::move(control));
  });
}

/// The bundle's own members, without its controls, as a JSON object.
std::string encode_bundle(const Json& bundle) {
  JsonWriter json;
  json.begin_object();
  bundle.for_each_member([&](std::string_view name, const Json& value) {
    if (name == "controls" || value.is_object() || value.is_array()) return;
    json.key(cut_utf8(name, limits::name_bytes)).raw(value.serialise());
  });
  json.end_object();
  return json.take();
}

std::optional<std::int64_t> integer_member(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->integer() : std::nullopt;
}

model::Output decode_output(LenientMembers& members, std::string_view name) {
  bool cut = false;
  std::string text = members.text(name, limits::output_bytes, &cut);
  const bool cut_before = members.boolean(std::string(name) + "_truncated");
  return model::Output(std::move(text), cut || cut_before);
}

/// A result as sent, and what it claims of itself.
struct Sent {
  model::TaskResult result;
  model::ResultClaims claims;
};

void decode_bundle(const Json& bundle, Sent& sent) {
  sent.result.bundle = encode_bundle(bundle);
  LenientMembers members{bundle};
  sent.claims.bundle = {
      members.text("bundle_id", limits::name_bytes), integer_member(bundle, "total_controls"),
      integer_member(bundle, "passed_controls"), integer_member(bundle, "failed_controls")};
  const auto controls = bundle.find("controls");
  if (controls && controls->is_array()) decode_controls(*controls, sent.result);
}

Sent decode_result(const Json& body, TaskId task) {
  LenientMembers members{body};
  Sent sent;
  model::TaskResult& result = sent.result;
  result.task = task;
  result.exit_code = members.integer("exit_code", -1);
  result.standard_output = decode_output(members, "stdout");
  result.standard_error = decode_output(members, "stderr");
  result.started_at = members.text("started_at", limits::name_bytes);
  result.completed_at = members.text("completed_at", limits::name_bytes);
  result.duration_ms = members.integer("execution_duration_ms", 0);
  result.binary_sha256 = members.text("binary_sha256", limits::name_bytes);
  result.hostname = members.text("hostname", limits::hostname_bytes);
  result.os = members.text("os", limits::os_bytes);
  result.arch = members.text("arch", limits::os_bytes);
  result.error = members.text("error", limits::detail_bytes);
  const auto bundle = body.find("bundle_results");
  if (bundle && bundle->is_object()) decode_bundle(*bundle, sent);
  sent.claims.task = members.text("task_id", limits::name_bytes);
  sent.claims.test = members.text("test_uuid", limits::name_bytes);
  if (members.malformed) result.flags.set(model::ResultFlag::malformed);
  return sent;
}

}  // namespace

Result<http::Reply> poll_tasks(App& app, const http::Request& request) {
  if (!fleet::may_have_work(app.presence, request.caller.agent, request.now)) {
    return http::Reply(hand_out(std::nullopt));
  }
  return http::Reply(http::Write([&app, poller = poller_of(request),
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    return hand_out(fleet::claim_task(tx, app.tasks, poller, now));
  }));
}

Result<http::Reply> report_task_status(App& app, const http::Request& request) {
  const TaskId task = TRY(task_param(request));
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const auto status = model::parse_task_status(
      one_of(fields, "status", {"downloading", "executing", "completed", "failed"}));
  TRY(fields.finish());
  const auto error = body.find("error");
  const std::string reason(
      cut_utf8(error ? error->string().value_or("") : "", limits::detail_bytes));
  return http::Reply(http::Write([&app, poller = poller_of(request), task, status = *status, reason,
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    return acknowledge(
        TRY(fleet::set_task_status(tx, app.tasks, poller, task, status, reason, now)));
  }));
}

Result<http::Reply> report_task_result(App& app, const http::Request& request) {
  const TaskId task = TRY(task_param(request));
  Sent sent = decode_result(TRY(decode_body(request)), task);
  if (request.body_shortened) sent.result.flags.set(model::ResultFlag::shortened);
  auto reported = std::make_unique<fleet::ReportedResult>(
      app.tasks, poller_of(request), std::move(sent.result), std::move(sent.claims), request.now);
  fleet::ReportedResult* joint = reported.get();
  return http::Reply(http::Write(
      [reported = std::move(reported)](store::Tx& tx) -> Result<http::Response> {
        return acknowledge(TRY(fleet::record_result(tx, *reported)));
      },
      joint));
}

}  // namespace muster::endpoints
