// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bounds.h"
#include "agent/runner.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "http/body_coding.h"

/// A made-up world for tests of the core: a disk that can fail between any two writes, a server
/// that keeps the rules of the protocol, a clock that only waiting moves.
namespace muster::agent::testing {

/// The process was killed here.
struct Crash {};

class FakeFiles final : public Files {
 public:
  std::optional<std::string> read(const std::string& name) const override {
    const auto found = content.find(name);
    if (found == content.end()) return std::nullopt;
    return found->second;
  }
  void write(const std::string& name, std::string_view text) override {
    mutate([&] { content[name] = std::string(text); });
  }
  void remove(const std::string& name) override {
    mutate([&] { content.erase(name); });
  }
  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> names;
    for (const auto& [name, text] : content) {
      if (name.starts_with(folder + "/")) names.push_back(name);
    }
    return names;
  }

  /// Crashes in the `mutation`th change from now, before or after it reached the disk.
  void crash_at(int mutation, bool after) {
    left_ = mutation;
    after_ = after;
  }
  void crash_never() { left_.reset(); }

  std::map<std::string, std::string> content;

 private:
  template <typename F>
  void mutate(F&& change) {
    const bool crash = left_ && (*left_)-- == 0;
    if (crash && !after_) throw Crash{};
    change();
    if (crash) throw Crash{};
  }
  std::optional<int> left_;
  bool after_ = false;
};

class FakeRest final : public Rest {
 public:
  Moment now() override { return {Instant{1'700'000'000'000} + clock_error + steady, steady}; }
  void wait(std::optional<Duration> until) override {
    if (on_wait) on_wait();
    if (command_ended && command_ended()) return;
    if (until && *until > steady) steady = *until;
    if (++waits > 100'000) throw std::runtime_error("the agent turns in vain");
  }
  bool stop_requested() override { return stop || steady >= stop_at; }

  Duration steady = std::chrono::hours(1);
  Duration clock_error{0};  // of the agent's clock; the server's has none
  Duration stop_at = std::chrono::hours(1'000'000);
  bool stop = false;
  int waits = 0;
  std::function<void()> on_wait;
  std::function<bool()> command_ended;
};

class FakeExecutor final : public Executor {
 public:
  void start(const Command& command) override {
    CHECK(!running_);
    running_ = command;
    ++runs[command.task];
    lines.push_back(command.line);
  }
  std::optional<Ended> take_ended() override {
    if (!ended()) return std::nullopt;
    const TaskId task = std::exchange(running_, std::nullopt)->task;
    Outcome outcome = next;
    if (std::exchange(killed_, false)) {
      outcome.exit_code = -1;
      outcome.error = "killed: the agent is stopping";
    }
    return Ended{task, std::move(outcome)};
  }
  void kill() override { killed_ = true; }
  bool ended() const { return running_ && (!hold || killed_); }

  bool hold = false;  // commands run until killed
  Outcome next;
  std::map<TaskId, int> runs;
  std::vector<std::string> lines;

 private:
  std::optional<Command> running_;
  bool killed_ = false;
};

class FakeHost final : public Host {
 public:
  Vitals measure() override { return {100, 5, 200, 400, 1000, 1, 7}; }
  std::optional<Survey> survey() override {
    if (!readable) return std::nullopt;
    Survey survey;
    survey.facts = facts;
    survey.software = software;
    return survey;
  }

  static model::Package package(std::string name, std::string version, std::string arch = "amd64") {
    model::Package package;
    package.name = name;
    package.version = version;
    package.ecosystem = model::Ecosystem::deb;
    package.distro = "debian:12";
    package.source_name = std::move(name);
    package.source_version = std::move(version);
    package.arch = std::move(arch);
    return package;
  }

  HostFacts facts;
  std::vector<model::Package> software = {package("bash", "5.2"), package("openssl", "3.0.11")};
  bool readable = true;
};

/// The server's side of the device protocol, strict where a mistake of the agent would hurt.
class FakeServer final : public Transport {
 public:
  struct Task {
    std::string json;  // as delivered
    bool cancelled = false;
    std::vector<std::string> statuses;  // PATCHes, in order
    std::vector<std::string> errors;
    std::vector<std::string> results;  // bodies of POSTs
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
    const std::string id = "0192c0de-0000-7000-8000-00000000000" + std::to_string(number);
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
  std::size_t result_bytes_max = 16 << 20;

  bool unreachable = false;
  std::set<std::size_t> lost_requests, lost_answers;
  std::function<void(const Call&, Answer&)> change;
  std::vector<Call> calls;
  std::vector<Duration> moments;
  std::vector<std::string> reports;     // bodies, unpacked
  std::vector<std::string> heartbeats;  // bodies
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
    if (call.target == "/api/agent/tasks") return poll();
    if (call.target == "/api/agent/report") return report(call);
    const std::string prefix = "/api/agent/tasks/";
    const TaskId id{parse_uuid(call.target.substr(prefix.size(), 36)).value()};
    Task& task = tasks.at(id);
    const std::string what = call.target.substr(prefix.size() + 36);
    if (what == "/status") return patch(task, call);
    CHECK(what == "/result");
    if (call.body.size() > result_bytes_max) return refuse(413, "body_too_large");
    if (!task.over()) task.results.push_back(call.body);
    return data("{}");
  }

  Answer heartbeat(const Call& call) {
    heartbeats.push_back(call.body);
    JsonWriter json;
    json.begin_object().member("acknowledged", true).member("server_time", server_now());
    if (!pending_key.empty()) json.member("new_api_key", pending_key);
    if (force_full_scan) json.member("force_full_scan", true);
    json.end_object();
    return data(json.take());
  }

  /// Every task that is not over comes again with every poll: the shortest lease there can be.
  Answer poll() {
    for (const auto& [id, task] : tasks) {
      if (!task.over() && !task.cancelled) return data(task.json);
    }
    return {204, {}, ""};
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

  Answer report(const Call& call) {
    const bool packed = header(call, "Content-Encoding") == "gzip";
    const std::string body =
        packed ? http::decode_body(Compression::gzip, call.body, 10 << 20).value() : call.body;
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
    return {200, {}, "{\"status\": \"accepted\", \"asset_id\": 1}"};
  }

  FakeRest& rest_;
};

/// Everything together, with a host that has enrolled.
struct FakeWorld {
  FakeRest rest;
  FakeFiles files;
  FakeServer server{rest};
  FakeHost host;
  FakeExecutor executor;
  SystemClock clock;
  Log log{clock, [](std::string_view) {}};
  Settings settings;
  std::uint64_t seed = 7;

  FakeWorld() {
    settings.policy_allow = {"execute_command"};
    host.facts.hostname = "box";
    host.facts.arch = "amd64";
    host.facts.os = {"debian", "Debian GNU/Linux", "12", "bookworm"};
    host.facts.boot_id = "boot-1";
    Identity identity;
    identity.server_url = "https://muster.example";
    identity.agent = AgentId{parse_uuid(server.agent_id).value()};
    identity.key = server.key;
    files.content[Identity::file] = encode_identity(identity);
    rest.command_ended = [this] { return executor.ended(); };
  }
  FakeWorld(const FakeWorld&) = delete;
  FakeWorld& operator=(const FakeWorld&) = delete;

  std::unique_ptr<Runner> make_runner(bool once) {
    State state = load_state(files, settings, host.facts, rest.now(), seed++).value();
    state.once = once;
    return std::make_unique<Runner>(World{files, server, host, executor, rest, log},
                                    std::move(state));
  }
  /// A new process that does what is due.
  Result<void> run_once() { return make_runner(true)->run(); }
  /// A new process that lives for `length`.
  Result<void> run_for(Duration length) {
    rest.stop_at = rest.steady + length;
    auto outcome = make_runner(false)->run();
    rest.stop_at = std::chrono::hours(1'000'000);
    return outcome;
  }
  /// As run_once(), in a process that may be killed: true if it was.
  bool crashes_once() {
    try {
      const auto outcome = run_once();
      return false;
    } catch (const Crash&) {
      executor = FakeExecutor(executor_memory());
      return true;
    }
  }
  Identity identity() const { return decode_identity(*files.read(Identity::file)).value(); }

  /// What the host's software looks like to the server.
  std::set<std::string> expected_software() const {
    std::set<std::string> set;
    for (const model::Package& p : host.software) {
      set.insert(p.name + " " + p.version + " " + p.arch);
    }
    return set;
  }

 private:
  /// The counts of runs outlive a killed process; its running command does not.
  FakeExecutor executor_memory() const {
    FakeExecutor fresh;
    fresh.runs = executor.runs;
    fresh.lines = executor.lines;
    fresh.next = executor.next;
    return fresh;
  }
};

}  // namespace muster::agent::testing
