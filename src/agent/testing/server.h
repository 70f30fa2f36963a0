// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/testing/fakes.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "http/body_coding.h"

/// A server that keeps the rules of the protocol.
namespace muster::agent::testing {

/// The server's side of the device protocol, strict where a mistake of the agent would hurt.
class FakeServer final : public Transport {
 public:
  struct Task {
    std::string json;  // as delivered
    bool cancelled = false;
    std::vector<std::string> statuses;  // PATCHes, in order
    std::vector<std::string> errors;
    std::vector<std::string> results;  // bodies of POSTs
    bool came_back = false;            // with a result that was not kept
    bool over() const {
      return !results.empty() || (!statuses.empty() && statuses.back() == "failed");
    }
  };

  explicit FakeServer(FakeRest& rest) : rest_(rest) {}

  Result<Answer> send(const Call& call) override {
    calls.push_back(call);
    moments.push_back(rest_.steady);
    const std::size_t index = calls.size() - 1;
    if (unreachable || lost_requests.contains(index)) {
      return Error{Errc::unavailable, "connection refused"};
    }
    Answer answer = serve(call);
    answer.headers.emplace_back("Content-Type", "application/json");
    if (change) change(call, answer);
    if (lost_answers.contains(index)) return Error{Errc::unavailable, "connection reset"};
    return answer;
  }

  /// Number of calls whose path starts so.
  std::size_t count(std::string_view path) const {
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(),
                      [&](const Call& call) { return call.target.starts_with(path); }));
  }
  static std::string header(const Call& call, std::string_view name) {
    return std::string(Answer{0, call.headers, ""}.header(name));
  }

  TaskId add_command(const std::string& line, int number = 1) {
    const std::string digits = std::to_string(number);
    const std::string id =
        "0192c0de-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
    JsonWriter json;
    json.begin_object()
        .member("id", id)
        .member("agent_id", agent_id)
        .member("type", "execute_command")
        .key("payload")
        .begin_object()
        .member("command", line)
        .member("execution_timeout", 60)
        .end_object()
        .end_object();
    return add_task(id, json.take());
  }
  TaskId add_task(const std::string& id, std::string json) {
    const TaskId task{parse_uuid(id).value()};
    tasks[task].json = std::move(json);
    return task;
  }

  std::string agent_id = "0192c0de-aaaa-7000-8000-000000000001";
  std::string key = "ak_old";
  std::string pending_key;
  bool disabled = false;
  Duration skew_allowed = std::chrono::seconds(300);
  std::map<TaskId, Task> tasks;
  std::set<std::string> software;  // "name version arch", empty until a full report
  bool knows_host = false;
  bool force_full_scan = false;
  std::optional<PushedConfig> config;  // that it sets on the host; none: it knows of no such thing
  std::string next_in;  // JSON, in the answers to heartbeats; empty: it asks for no patience
  std::size_t result_bytes_max = 16 << 20;
  bool forgets_results = false;  // it answers as if it could not take them, and has not

  struct Release {
    std::string content;
    std::string manifest;
    std::string signature;
  };
  std::optional<Release> release;
  std::map<std::string, std::string> binaries;  // by path and query

  bool unreachable = false;
  std::set<std::size_t> lost_requests, lost_answers;
  std::function<void(const Call&, Answer&)> change;
  std::vector<Call> calls;
  std::vector<Duration> moments;
  std::vector<std::string> reports;     // bodies, unpacked
  std::vector<std::string> heartbeats;  // bodies
  bool takes_runtimes = true;
  std::string runtime_hash;
  std::vector<std::string> runtimes;  // that were told
  bool takes_images = true;
  std::vector<std::string> image_reports;  // bodies, unpacked
  std::string last_key;

 private:
  static Answer refuse(int status, const char* code) {
    JsonWriter json;
    json.begin_object().member("success", false).member("error", "no").member("code", code);
    json.end_object();
    return {status, {}, json.take()};
  }
  static Answer data(const std::string& json) {
    return {200, {}, "{\"success\": true, \"data\": " + json + "}"};
  }

  Instant server_now() const { return Instant{1'700'000'000'000} + rest_.steady; }

  std::optional<Answer> guard(const Call& call) {
    last_key = header(call, "X-Agent-Key");
    if (!pending_key.empty() && last_key == pending_key) {
      key = std::exchange(pending_key, {});  // first use of the new key ends the old one
    }
    if (last_key != key || header(call, "X-Agent-ID") != agent_id) {
      return refuse(401, "invalid_credentials");
    }
    if (disabled) return refuse(401, "disabled");
    const auto at = parse_rfc3339(header(call, "X-Request-Timestamp"));
    if (!at.ok() || std::chrono::abs(at.value() - server_now()) > skew_allowed) {
      Answer answer = refuse(401, "clock_skew");
      answer.body.pop_back();
      answer.body += ", \"server_time\": \"" + format_rfc3339(server_now()) + "\"}";
      return answer;
    }
    return std::nullopt;
  }

  Answer serve(const Call& call) {
    if (auto refusal = guard(call)) return *refusal;
    if (call.target == "/api/agent/heartbeat") return heartbeat(call);
    if (call.target == "/api/agent/config") return configuration();
    if (call.target == "/api/agent/tasks") return poll();
    if (call.target == "/api/agent/report") return report(call);
    if (call.target == "/api/agent/container-scan") return images(call);
    if (call.target.starts_with("/api/agent/update")) return update(call);
    if (call.target.starts_with("/api/agent/binary/")) {
      const auto binary = binaries.find(call.target);
      return binary == binaries.end() ? refuse(404, "not_found") : piece(call, binary->second);
    }
    const std::string prefix = "/api/agent/tasks/";
    const TaskId id{parse_uuid(call.target.substr(prefix.size(), 36)).value()};
    Task& task = tasks.at(id);
    const std::string what = call.target.substr(prefix.size() + 36);
    if (what == "/status") return patch(task, call);
    CHECK(what == "/result");
    if (call.body.size() > result_bytes_max) return refuse(413, "body_too_large");
    if (!task.over() && !forgets_results) task.results.push_back(call.body);
    if (forgets_results) task.came_back = true;
    return data("{}");
  }

  Answer heartbeat(const Call& call) {
    heartbeats.push_back(call.body);
    JsonWriter json;
    json.begin_object().member("acknowledged", true).member("server_time", server_now());
    if (!pending_key.empty()) json.member("new_api_key", pending_key);
    if (force_full_scan) json.member("force_full_scan", true);
    if (config) json.member("config_hash", config->hash);
    json.end_object();
    std::string said = json.take();
    if (!next_in.empty()) said.insert(said.size() - 1, ", \"next_in\": " + next_in);
    return data(said);
  }

  Answer configuration() const {
    JsonWriter json;
    json.begin_object().member("server_url", "https://muster.example");
    if (config && !config->document.empty()) {
      json.member("config_hash", config->hash).member("config_document", config->document);
    }
    json.end_object();
    return data(json.take());
  }

  /// Every task that is not over comes again with every poll: the shortest lease there can be.
  Answer poll() {
    for (const auto& [id, task] : tasks) {
      if (!task.over() && !task.cancelled && !task.came_back) return data(task.json);
    }
    return {204, {}, ""};
  }

  /// As the server's: the offer, or a piece of the file itself.
  Answer update(const Call& call) const {
    if (!release) return {204, {}, ""};
    if (call.target == "/api/agent/update") {
      JsonWriter json;
      json.begin_object()
          .member("version", "9.9.9")  // only what is signed counts
          .member("manifest", release->manifest)
          .member("manifest_signature", release->signature)
          .end_object();
      return data(json.take());
    }
    return piece(call, release->content);
  }

  static Answer piece(const Call& call, const std::string& file) {
    const std::string range = header(call, "Range");
    const auto dash = range.find('-');
    const auto first = static_cast<std::size_t>(parse_int(range.substr(6, dash - 6)).value());
    const auto last = static_cast<std::size_t>(parse_int(range.substr(dash + 1)).value());
    return {206,
            {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                   std::to_string(file.size())}},
            file.substr(first, last - first + 1)};
  }

  Answer patch(Task& task, const Call& call) {
    Fields fields(thread_json().parse(call.body).value());
    const std::string status(fields.text("status", 100));
    if (task.cancelled && status == "executing") return refuse(409, "illegal_transition");
    if (task.over()) return data("{}");
    task.statuses.push_back(status);
    task.errors.emplace_back(fields.optional_text("error", 2000).value_or(""));
    return data("{}");
  }

  static std::string item(const Json& object) {
    Fields fields(object);
    return std::string(fields.text("name", 200)) + " " + std::string(fields.text("version", 200)) +
           " " + std::string(fields.text("arch", 200));
  }

  static std::string unpacked(const Call& call) {
    const bool packed = header(call, "Content-Encoding") == "gzip";
    return packed ? http::decode_body(Compression::gzip, call.body, 10 << 20).value() : call.body;
  }

  Answer images(const Call& call) {
    if (!takes_images) return {404, {}, "{\"error\": \"not_found\", \"message\": \"no\"}"};
    image_reports.push_back(unpacked(call));
    return {200, {}, "{\"status\": \"success\", \"asset_id\": 1}"};
  }

  /// What the answer to a report says of what runs on the host.
  std::string runtime_part(const Json& root) {
    const auto hash = root.find("runtime_hash");
    if (!takes_runtimes || !hash) return {};
    if (const auto told = root.find("runtime")) {
      runtime_hash = *hash->string();
      runtimes.push_back(told->serialise());
    }
    return ", \"runtime_hash\": \"" + runtime_hash + "\"";
  }

  Answer report(const Call& call) {
    const std::string body = unpacked(call);
    reports.push_back(body);
    const Json root = thread_json().parse(body).value();
    if (const auto full = root.find("software")) {
      software.clear();
      full->for_each([&](const Json& object) { software.insert(item(object)); });
      knows_host = true;
      force_full_scan = false;
    } else {
      if (!knows_host) return {404, {}, "{\"error\": \"unknown_host\", \"message\": \"no\"}"};
      root.find("software_removed")->for_each([&](const Json& object) {
        Fields fields(object);  // by name and version, whatever the architecture
        const std::string prefix = std::string(fields.text("name", 200)) + " " +
                                   std::string(fields.text("version", 200)) + " ";
        std::erase_if(software, [&](const std::string& s) { return s.starts_with(prefix); });
      });
      root.find("software_added")->for_each([&](const Json& object) {
        software.insert(item(object));
      });
    }
    return {200, {}, "{\"status\": \"accepted\", \"asset_id\": 1" + runtime_part(root) + "}"};
  }

  FakeRest& rest_;
};

/// Why a heartbeat says that the agent is back.
inline std::string reason_of(const std::string& heartbeat) {
  const auto value = thread_json().parse(heartbeat).value().find("reconnect_reason");
  return value ? std::string(value->string().value_or("")) : "(none)";
}

}  // namespace muster::agent::testing
