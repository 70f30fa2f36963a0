// SPDX-License-Identifier: Apache-2.0
#include "agent/messages.h"

#include "agent/bounds.h"
#include "base/json_write.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "model/image.h"

namespace muster::agent {

namespace {

constexpr const char* os_name = "linux";

void write_system(JsonWriter& json, const Vitals& vitals, const HostFacts& facts) {
  json.key("system")
      .begin_object()
      .member("hostname", facts.hostname)
      .member("os", os_name)
      .member("arch", facts.arch)
      .member("uptime_seconds", vitals.uptime_seconds)
      .member("cpu_percent", vitals.cpu_percent)
      .member("memory_mb", vitals.memory_mb)
      .member("total_memory_mb", vitals.total_memory_mb)
      .member("disk_free_mb", vitals.disk_free_mb)
      .member("process_cpu_percent", vitals.process_cpu_percent)
      .member("process_memory_mb", vitals.process_memory_mb)
      .end_object();
}

/// A server has room for limits::detail_bytes of all this.
void write_outage(JsonWriter& json, std::string_view reason, const Heartbeat::Outage& outage) {
  constexpr std::size_t why_bytes = 300;
  json.key("reconnect_context")
      .begin_object()
      .member("reason", reason)
      .member("detail", cut_utf8(escape_for_terminal(outage.why), why_bytes))
      .member("first_failure_at", outage.first_failure_at)
      .member("offline_duration_seconds", outage.length.count() / 1000)
      .member("failure_count", outage.failures)
      .end_object();
}

void write_host(JsonWriter& json, const HostFacts& facts, const Sender& self) {
  json.member("hostname", facts.hostname);
  json.key("os")
      .begin_object()
      .member("name", facts.os.name)
      .member("version", facts.os.version)
      .member("kernel", facts.kernel)
      .end_object();
  if (!facts.machine_id.empty()) json.member("machine_id", facts.machine_id);
  if (!facts.ip_address.empty()) json.member("ip_address", facts.ip_address);
  json.key("agent")
      .begin_object()
      .member("id", self.agent)
      .member("version", self.version)
      .end_object();
}

void write_runtime(JsonWriter& json, const ReportedRuntime& runtime) {
  if (runtime.hash.empty()) return;
  json.member("runtime_hash", runtime.hash);
  if (runtime.told == nullptr) return;
  json.key("runtime")
      .begin_object()
      .key("listening")
      .raw(model::listening_json(*runtime.told))
      .key("services")
      .raw(model::services_json(*runtime.told))
      .end_object();
}

/// The payload of an execute_command; says what is wrong with it in `defect`.
void read_command(const Json& payload, Assignment& assignment) {
  const auto command = payload.find("command");
  const auto line = command ? command->string() : std::nullopt;
  if (!line || line->empty() || line->size() > limits::command_bytes) {
    assignment.defect = "the task has no command, or one that is too long";
    return;
  }
  if (line->find('\0') != std::string_view::npos) {
    assignment.defect = "the command holds a NUL byte";
    return;
  }
  assignment.command = *line;
}

void read_test(const Json& payload, Assignment& assignment) {
  auto order = read_test_order(payload);
  if (order.ok()) {
    assignment.test = std::move(order).value();
  } else {
    assignment.defect = order.error().message;
  }
}

void read_environment(const Json& payload, Assignment& assignment) {
  auto variables = read_variables(payload);
  if (variables.ok()) {
    assignment.variables = std::move(variables).value();
  } else if (assignment.defect.empty()) {
    assignment.defect = variables.error().message;
  }
}

Duration read_timeout(const Json& payload) {
  const auto given = payload.find("execution_timeout");
  std::int64_t seconds = given ? given->integer().value_or(0) : 0;
  if (seconds <= 0) seconds = limits::execution_timeout_seconds_default;
  return std::chrono::seconds(std::min(seconds, limits::execution_timeout_seconds_max));
}

std::string text_of(const Json& object, std::string_view name, std::size_t bytes_max) {
  const auto value = object.find(name);
  const auto text = value ? value->string() : std::nullopt;
  // Longer is not what anybody may sign; the excess octet keeps it so.
  return std::string(text.value_or("").substr(0, bytes_max + 1));
}

/// The members of the payload that an order speaks of, as they came.
void read_work(const Json& payload, model::WorkOrder& work) {
  work.command = text_of(payload, "command", limits::command_bytes);
  work.test_uuid = text_of(payload, "test_uuid", limits::name_bytes);
  work.binary_name = text_of(payload, "binary_name", limits::name_bytes);
  work.binary_sha256 = text_of(payload, "binary_sha256", limits::name_bytes);
  const auto timeout = payload.find("execution_timeout");
  work.execution_timeout_seconds = timeout ? timeout->integer().value_or(0) : 0;
  if (const auto arguments = payload.find("arguments"); arguments && arguments->is_array()) {
    arguments->for_each([&](const Json& element) {
      // What is no text is no argument of an order.
      work.arguments.emplace_back(element.string().value_or(std::string_view("\0", 1)));
    });
  }
  const auto variables = payload.find("env_vars");
  if (!variables || variables->is_null()) return;
  work.env_sha256 = "malformed";
  if (!variables->is_object()) return;
  std::vector<std::pair<std::string, std::string>> pairs;
  bool sound = true;
  variables->for_each_member([&](std::string_view name, const Json& value) {
    sound = sound && value.string().has_value();
    pairs.emplace_back(name, value.string().value_or(""));
  });
  if (sound) work.env_sha256 = model::digest_of_env(std::move(pairs));
}

bool is_forced(const Json& object) {
  const auto flag = object.find("force_full_scan");
  return flag && flag->boolean() == true;
}

}  // namespace

std::string heartbeat_body(const Heartbeat& heartbeat, const HostFacts& facts) {
  JsonWriter json;
  json.begin_object()
      .member("timestamp", heartbeat.at)
      .member("status", heartbeat.current_task ? "executing" : "idle")
      .member("current_task", heartbeat.current_task);
  write_system(json, heartbeat.vitals, facts);
  json.member("agent_version", heartbeat.version).key("last_task_completed");
  if (heartbeat.last_task.empty()) {
    json.null();
  } else {
    json.value(heartbeat.last_task);
  }
  if (!heartbeat.reconnect_reason.empty()) {
    json.member("reconnect_reason", heartbeat.reconnect_reason)
        .member("process_start_time", heartbeat.process_started_at);
  }
  if (heartbeat.outage) write_outage(json, heartbeat.reconnect_reason, *heartbeat.outage);
  if (!heartbeat.set_hash.empty()) json.member("set_hash", heartbeat.set_hash);
  json.member("config_hash", heartbeat.config_hash);
  if (!heartbeat.config_error.empty()) {
    json.member("config_error", cut_utf8(heartbeat.config_error, limits::detail_bytes));
  }
  if (!heartbeat.update_error.empty()) {
    json.member("update_version", heartbeat.update_version)
        .member("update_error", cut_utf8(heartbeat.update_error, limits::detail_bytes));
  }
  json.end_object();
  return json.take();
}

HeartbeatAnswer read_heartbeat(const Json& data) {
  HeartbeatAnswer answer;
  if (const auto time = data.find("server_time"); time && time->string()) {
    if (const auto at = parse_rfc3339(*time->string()); at.ok()) answer.server_time = at.value();
  }
  if (const auto key = data.find("new_api_key"); key && key->string()) {
    const std::string_view text = *key->string();
    if (text.size() <= limits::key_bytes && is_plain_text(text)) answer.new_key = text;
  }
  if (const auto hash = data.find("config_hash"); hash && hash->string()) {
    const std::string_view text = *hash->string();
    if (text.size() <= limits::key_bytes && is_plain_text(text)) answer.config_hash = text;
  }
  if (const auto next = data.find("next_in")) answer.next_in = next->integer();
  const auto config = data.find("config");
  answer.force_full_scan = is_forced(data) || (config && is_forced(*config));
  return answer;
}

Result<std::optional<Assignment>> read_assignment(const Json& data, AgentId self) {
  if (data.is_null()) return std::optional<Assignment>();
  if (!data.is_object()) return Error{Errc::invalid_json, "the answer holds no task"};
  const auto id = data.find("id");
  if (!id || id->string().value_or("").empty()) return std::optional<Assignment>();
  Assignment assignment;
  // Only a UUID may become a file name.
  assignment.task = TaskId{TRY(parse_uuid(*id->string()))};
  const auto owner = data.find("agent_id");
  if (owner && owner->string()) {
    const auto agent = parse_uuid(*owner->string());
    if (!agent.ok() || agent.value() != self.uuid) {
      return Error{Errc::not_owner, "the task is another agent's"};
    }
  }
  assignment.order = text_of(data, "order", limits::order_bytes);
  assignment.order_signature = text_of(data, "order_signature", limits::key_bytes);
  const auto type = data.find("type");
  assignment.type = type ? cut_utf8(type->string().value_or(""), limits::name_bytes) : "";
  const auto payload = data.find("payload");
  assignment.work.agent = self;
  assignment.work.org = text_of(data, "org_id", limits::name_bytes);
  assignment.work.type = model::parse_task_type(assignment.type).value_or(assignment.work.type);
  if (payload && payload->is_object()) read_work(*payload, assignment.work);
  const bool is_test = assignment.type == "execute_test";
  if (!is_test && assignment.type != "execute_command") return std::optional(std::move(assignment));
  if (payload && payload->is_object()) {
    assignment.timeout = read_timeout(*payload);
    is_test ? read_test(*payload, assignment) : read_command(*payload, assignment);
    read_environment(*payload, assignment);
  } else {
    assignment.defect = "the task has no payload";
  }
  return std::optional(std::move(assignment));
}

std::string status_body(std::string_view status, std::string_view error) {
  JsonWriter json;
  json.begin_object().member("status", status);
  if (!error.empty()) json.member("error", error);
  json.end_object();
  return json.take();
}

std::string result_body(const Record& record, const HostFacts& facts, std::size_t output_bytes) {
  const Outcome& outcome = record.outcome;
  const std::string_view out = cut_utf8(outcome.stdout_text, output_bytes);
  const std::string_view err = cut_utf8(outcome.stderr_text, output_bytes);
  JsonWriter json;
  json.begin_object()
      .member("task_id", record.task)
      .member("test_uuid", record.test_uuid)
      .member("exit_code", outcome.exit_code)
      .member("stdout", out)
      .member("stderr", err)
      .member("stdout_truncated",
              outcome.stdout_truncated || out.size() < outcome.stdout_text.size())
      .member("stderr_truncated",
              outcome.stderr_truncated || err.size() < outcome.stderr_text.size())
      .member("started_at", outcome.started_at)
      .member("completed_at", outcome.completed_at)
      .member("execution_duration_ms", outcome.took.count())
      .member("binary_sha256", record.binary_sha256)
      .member("hostname", facts.hostname)
      .member("os", os_name)
      .member("arch", facts.arch);
  if (!outcome.error.empty()) json.member("error", outcome.error);
  if (!outcome.bundle.empty()) json.key("bundle_results").raw(outcome.bundle);
  json.end_object();
  return json.take();
}

std::string hash_of_runtime(const model::Runtime& runtime) {
  return crypto::sha256(model::listening_json(runtime) + "\n" + model::services_json(runtime))
      .text();
}

std::string full_report_body(const HostFacts& facts, const Sender& self,
                             const SoftwareSet& software, const ReportedRuntime& runtime) {
  JsonWriter json;
  json.begin_object();
  write_host(json, facts, self);
  write_runtime(json, runtime);
  json.member("set_hash", hash_of(software).text()).key("software");
  write_software(json, software);
  json.end_object();
  return json.take();
}

std::string delta_report_body(const HostFacts& facts, const Sender& self,
                              const SoftwareChange& change, const model::SetHash& before,
                              const model::SetHash& after, const ReportedRuntime& runtime) {
  JsonWriter json;
  json.begin_object();
  write_host(json, facts, self);
  write_runtime(json, runtime);
  json.member("delta", true)
      .member("base_set_hash", before.text())
      .member("set_hash", after.text())
      .key("software_added");
  write_software(json, change.added);
  json.key("software_removed");
  write_software(json, change.removed);
  json.end_object();
  return json.take();
}

std::string container_scan_body(const HostFacts& facts, const Sender& self,
                                const ImageSight& sight) {
  JsonWriter json;
  json.begin_object();
  if (!facts.machine_id.empty()) json.member("agent_id", facts.machine_id);
  json.member("hostname", facts.hostname)
      .member("scanner", sight.by_scanner ? "trivy" : "muster-agent")
      .member("scanner_version", sight.by_scanner ? std::string_view() : self.version)
      .key("images")
      .begin_array();
  auto report = sight.reports.begin();
  for (std::size_t i = 0; i < sight.local.images.size(); ++i) {
    const LocalImage& image = sight.local.images[i];
    const bool reported = report != sight.reports.end() && report->image == i;
    for (const std::string& text : image.references) {
      const auto reference = model::parse_image_reference(text);
      const bool tagged = reference && reference->digest.empty();
      const std::string_view tag = tagged ? std::string_view(reference->tag) : std::string_view();
      json.begin_object()
          .member("image_name", text.substr(0, text.size() - (tagged ? tag.size() + 1 : 0)))
          .member("image_tag", tag)
          .member("image_id", image.digest);
      if (reported && text == image.references.front()) {
        json.key("trivy_output").raw(report->text);
      }
      json.end_object();
    }
    if (reported) ++report;
  }
  json.end_array().end_object();
  return json.take();
}

ReportAnswer read_report(const Json& answer) {
  ReportAnswer said;
  said.force_full_scan = is_forced(answer);
  const auto hash = answer.find("set_hash");
  if (hash) said.set_hash = cut_utf8(hash->string().value_or(""), limits::key_bytes);
  const auto runtime = answer.find("runtime_hash");
  if (runtime && runtime->string()) {
    said.runtime_hash = cut_utf8(*runtime->string(), limits::key_bytes);
  }
  return said;
}

}  // namespace muster::agent
