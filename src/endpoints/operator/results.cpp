// SPDX-License-Identifier: Apache-2.0
// What came of tasks: one by one, over time, and over the hosts.
#include "fleet/results.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/result_members.h"
#include "endpoints/reach.h"
#include "fleet/hosts.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

void write_outcome(JsonWriter& json, const std::optional<model::Outcome>& outcome) {
  json.key("outcome");
  if (outcome) {
    json.value(model::outcome_name(*outcome));
  } else {
    json.null();
  }
}

void write_flags(JsonWriter& json, model::ResultFlags flags) {
  json.member("flags", flags.names());
}

void write_control(JsonWriter& json, TaskId task, const model::Control& control,
                   const std::optional<model::Outcome>& outcome) {
  json.begin_object()
      .member("task_id", task)
      .member("control_id", control.control_id)
      .member("position", control.position)
      .member("control_name", control.name)
      .member("validator", control.validator)
      .member("exit_code", control.exit_code);
  write_outcome(json, outcome);
  json.member("compliant", control.compliant)
      .member("skipped", control.skipped)
      .member("severity", control.severity)
      .member("category", control.category)
      .member("subcategory", control.subcategory)
      .key("techniques")
      .raw(control.techniques)
      .key("tactics")
      .raw(control.tactics)
      .member("expected", control.expected)
      .member("actual", control.actual)
      .member("details", control.details)
      .member("error_message", control.error_message)
      .member("flag", control.flag)
      .end_object();
}

std::string encode_row(const store::ResultRow& row) {
  const model::TaskResult& result = row.result;
  JsonWriter json;
  json.begin_object()
      .member("id", result.task)
      .member("org_id", row.org)
      .member("agent_id", row.agent)
      .member("asset_id", result.host)
      .member("hostname", result.hostname)
      .member("type", model::task_type_name(row.type))
      .member("label", row.label)
      .member("test_uuid", result.test_uuid)
      .member("exit_code", result.exit_code);
  write_outcome(json, result.outcome);
  write_flags(json, result.flags);
  json.member("error", result.error)
      .member("started_at", result.started_at)
      .member("completed_at", result.completed_at)
      .member("execution_duration_ms", result.duration_ms)
      .member("received_at", result.received_at)
      .end_object();
  return json.take();
}

void write_digest(JsonWriter& json, std::string_view name, const model::Output& output) {
  json.key(name);
  if (const auto digest = output.sha256()) {
    json.value(digest->text());
  } else {
    json.null();
  }
}

/// What the query narrows the history to. Fails with not_found and invalid_field.
Result<store::ResultFilter> filter_of(App& app, const Request& request) {
  store::ResultFilter filter;
  const auto given = [&](std::string_view name) { return http::query_param(request.query, name); };
  filter.org = TRY(org_param(app, request));
  if (const auto text = given("host")) {
    const fleet::HostRef host = TRY(host_of(app, request, *text));
    if (filter.org && *filter.org != host.org) {
      return Error{Errc::not_found, "There is no such host in that organisation."};
    }
    filter.org = host.org;
    filter.host = host.id;
  }
  if (const auto text = given("test_uuid")) {
    const Result<Uuid> test = parse_uuid(*text);
    if (!test.ok()) return invalid_field("test_uuid", "must be a UUID");
    filter.test = test->text();
  }
  if (const auto text = given("outcome")) {
    filter.outcome = model::parse_outcome(*text);
    if (!filter.outcome) return invalid_field("outcome", "is no outcome of a test");
  }
  filter.since = TRY(time_param(request, "since"));
  return filter;
}

}  // namespace

void write_result(JsonWriter& json, const model::TaskResult& result) {
  json.member("exit_code", result.exit_code);
  write_outcome(json, result.outcome);
  write_flags(json, result.flags);
  json.member("stdout", result.standard_output.text())
      .member("stdout_truncated", result.standard_output.truncated());
  write_digest(json, "stdout_sha256", result.standard_output);
  json.member("stderr", result.standard_error.text())
      .member("stderr_truncated", result.standard_error.truncated());
  write_digest(json, "stderr_sha256", result.standard_error);
  json.member("started_at", result.started_at)
      .member("completed_at", result.completed_at)
      .member("execution_duration_ms", result.duration_ms)
      .member("test_uuid", result.test_uuid)
      .member("binary_sha256", result.binary_sha256)
      .member("hostname", result.hostname)
      .member("os", result.os)
      .member("arch", result.arch)
      .member("error", result.error)
      .member("received_at", result.received_at);
}

Result<Reply> list_results(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const store::ResultFilter filter = TRY(filter_of(app, request));
  const fleet::ResultPage page =
      TRY(fleet::list_result_page(app.store, filter, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.results.size());
  for (const store::ResultRow& row : page.results) items.push_back(encode_row(row));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> show_result(App& app, const Request& request) {
  const TaskId id = TRY(task_param(request));
  const fleet::ResultView view = TRY(fleet::show_result(app.store, id));
  const model::TaskResult& result = view.result;
  JsonWriter json;
  json.begin_object().member("id", id).member("org_id", view.org).member("asset_id", result.host);
  write_result(json, result);
  json.key("bundle");
  if (result.bundle.empty()) {
    json.null();
  } else {
    json.raw(result.bundle);
  }
  json.key("controls").begin_array();
  for (const model::Control& control : result.controls) {
    write_control(json, id, control, model::outcome_of(control));
  }
  json.end_array().end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> list_task_results(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const TaskId id = TRY(task_param(request));
  const fleet::ControlPage page =
      TRY(fleet::list_control_page(app.store, id, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.controls.size());
  for (const fleet::ControlView& view : page.controls) {
    JsonWriter json;
    write_control(json, id, view.control, view.outcome);
    items.push_back(json.take());
  }
  return Reply(page_response(items, page.next_cursor, {page.total, true}));
}

Result<Reply> summarise_test(App& app, const Request& request) {
  const Uuid test = TRY(uuid_param(request.params[0], "test"));
  const std::optional<OrgId> org = TRY(org_param(app, request));
  const store::OutcomeCounts counts = fleet::summarise_test(app.store, org, test.text());
  std::int64_t hosts = 0;
  for (const std::int64_t count : counts) hosts += count;
  JsonWriter json;
  json.begin_object().member("test_uuid", test).member("hosts", hosts);
  for (std::size_t i = counts.size(); i-- > 0;) {
    json.member(model::outcome_name(static_cast<model::Outcome>(i)), counts[i]);
  }
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

}  // namespace muster::endpoints
