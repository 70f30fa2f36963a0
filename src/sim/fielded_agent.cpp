// SPDX-License-Identifier: Apache-2.0
#include "sim/fielded_agent.h"

#include "base/json_read.h"
#include "base/json_write.h"

namespace muster::sim {

FieldedAgent::FieldedAgent(Surroundings& world, std::string name, std::uint64_t seed)
    : world_(world), name_(std::move(name)), rng_(fork(seed, name_)) {
  clock_error_ = between(rng_, std::chrono::seconds(-150), std::chrono::seconds(150));
}

agent::Call FieldedAgent::call(http::Method method, std::string target, std::string body) const {
  agent::Call call{method, std::move(target), {}, std::move(body)};
  call.headers = {{"Authorization", "Bearer " + key_},
                  {"X-Agent-ID", id_ ? id_->text() : ""},
                  {"X-Request-Timestamp", format_rfc3339(world_.steps.now() + clock_error_)},
                  {"X-Agent-Version", "0.6.2"},
                  {"User-Agent", "Go-http-client/1.1"}};
  return call;
}

/// `take` gets the answer, or status 0 when there is none, unless the process is gone by then.
template <typename F>
void FieldedAgent::send(agent::Call call, F take) {
  world_.wire.send(name_, std::move(call),
                   [this, process = process_, take](Result<agent::Answer> answer) mutable {
                     if (process == process_) take(answer.ok() ? *answer : agent::Answer{});
                   });
}

void FieldedAgent::after(Duration least, Duration most, void (FieldedAgent::*step)()) {
  world_.steps.after(between(rng_, least, most), [this, process = process_, step] {
    if (process == process_) (this->*step)();
  });
}

void FieldedAgent::enrol() {
  JsonWriter json;
  json.begin_object()
      .member("token", token_.empty() ? world_.enrolment_token : token_)
      .member("hostname", name_)
      .member("os", "linux")
      .member("arch", "amd64")
      .member("agent_version", "0.6.2")
      .end_object();
  send({http::Method::post, "/api/agent/enroll", {}, json.take()},
       [this](const agent::Answer& answer) { take_enrolment(answer); });
}

void FieldedAgent::take_enrolment(const agent::Answer& answer) {
  if (answer.status != 201) {
    return after(std::chrono::seconds(5), std::chrono::minutes(1), &FieldedAgent::enrol);
  }
  JsonDocument document;
  const Json data = *document.parse(answer.body).value().find("data");
  if (!token_.empty()) world_.ledger.count("enrolments with a token of one use");
  token_.clear();
  id_ = AgentId{parse_uuid(*data.find("agent_id")->string()).value()};
  key_ = *data.find("agent_key")->string();
  beat();
  poll();
  live();
}

void FieldedAgent::live() {
  world_.steps.after(between(rng_, std::chrono::minutes(20), std::chrono::minutes(120)),
                     [this, process = process_] {
                       if (process != process_ || world_.calm()) return;
                       if (chance(rng_, 100)) return set_up_anew();
                       if (!chance(rng_, 500)) return live();
                       // It restarts, and forgets what it had in hand.
                       world_.ledger.count("agent crashes");
                       world_.trace.note(world_.steps.now(), name_, "restarts");
                       ++process_;
                       task_.reset();
                       running_ = false;
                       fresh_ = true;
                       after(std::chrono::seconds(1), std::chrono::minutes(8), &FieldedAgent::beat);
                       after(std::chrono::seconds(1), std::chrono::minutes(8), &FieldedAgent::poll);
                       live();
                     });
}

void FieldedAgent::beat() {
  JsonWriter json;
  json.begin_object()
      .member("timestamp", world_.steps.now() + clock_error_)
      .member("status", running_ ? "executing" : "idle")
      .key("current_task");
  if (running_) {
    json.value(task_->id);
  } else {
    json.null();
  }
  json.key("system")
      .begin_object()
      .member("hostname", name_)
      .member("os", "linux")
      .member("arch", "amd64")
      .member("uptime_seconds", (world_.steps.now() - test_epoch).count() / 1000)
      .member("cpu_percent", 3)
      .member("memory_mb", 512)
      .member("disk_free_mb", 10'000)
      .end_object()
      .member("agent_version", "0.6.2")
      .member("last_task_completed", last_task_);
  if (fresh_) json.member("reconnect_reason", "service_restart");
  json.end_object();
  send(call(http::Method::post, "/api/agent/heartbeat", json.take()),
       [this](const agent::Answer& answer) {
         // Whatever is no failure of the server counts as heard.
         if (answer.status > 0 && answer.status < 500 && answer.status != 429) fresh_ = false;
         if (answer.status == 200) take_beat(answer);
         const Duration interval = std::chrono::seconds(answer.status == 0 ? 20 : 60);
         after(interval, interval + std::chrono::seconds(2), &FieldedAgent::beat);
       });
}

/// It reads nothing of the answer but a new key, and uses that from now on.
void FieldedAgent::take_beat(const agent::Answer& answer) {
  JsonDocument document;
  const Result<Json> body = document.parse(answer.body);
  const auto data = body.ok() ? body->find("data") : std::nullopt;
  const auto key = data ? data->find("new_api_key") : std::nullopt;
  if (key && key->string()) key_ = *key->string();
}

void FieldedAgent::set_up_anew() {
  world_.trace.note(world_.steps.now(), name_, "is set up anew");
  world_.ledger.count("set-ups");
  ++process_;
  task_.reset();
  running_ = false;
  fresh_ = true;
  id_.reset();
  enrol();
}

void FieldedAgent::poll() {
  const Duration interval = std::chrono::seconds(30);
  if (task_) return after(interval, interval + std::chrono::seconds(3), &FieldedAgent::poll);
  send(call(http::Method::get, "/api/agent/tasks"), [this, interval](const agent::Answer& answer) {
    if (answer.status == 200) take_poll(answer);
    after(interval, interval + std::chrono::seconds(3), &FieldedAgent::poll);
  });
}

void FieldedAgent::take_poll(const agent::Answer& answer) {
  JsonDocument document;
  const Result<Json> body = document.parse(answer.body);
  const auto data = body.ok() ? body->find("data") : std::nullopt;
  const auto id = data ? data->find("id") : std::nullopt;
  if (!id) return;
  const Json payload = *data->find("payload");
  task_ = Task{};
  task_->id = TaskId{parse_uuid(*id->string()).value()};
  task_->type = *data->find("type")->string();
  if (task_->type == "execute_test") {
    task_->test_uuid = *payload.find("test_uuid")->string();
    task_->program = "/api/agent/binary/" + std::string(*payload.find("binary_name")->string()) +
                     "?test_uuid=" + task_->test_uuid;
    task_->program_bytes = static_cast<std::size_t>(*payload.find("binary_size")->integer());
  }
  announce();
}

/// Says what it does next, and does it if it may.
void FieldedAgent::announce() {
  const bool fetches = !task_->program.empty();
  send(call(http::Method::patch, "/api/agent/tasks/" + task_->id.text() + "/status",
            fetches ? R"({"status": "downloading"})" : R"({"status": "executing"})"),
       [this, fetches](const agent::Answer& answer) {
         if (answer.status == 200) return fetches ? fetch() : run();
         give_up(answer, &FieldedAgent::announce);
       });
}

void FieldedAgent::fetch() {
  send(call(http::Method::get, task_->program), [this](const agent::Answer& answer) {
    if (answer.status != 200 || answer.body.size() != task_->program_bytes) {
      return give_up(answer, &FieldedAgent::fetch);
    }
    world_.ledger.count("programs fetched");
    task_->program.clear();
    announce();
  });
}

/// Lets go of the task when it is refused or has failed too often; else tries again.
void FieldedAgent::give_up(const agent::Answer& answer, void (FieldedAgent::*again)()) {
  const bool refused =
      answer.status >= 400 && answer.status < 500 && answer.status != 401 && answer.status != 429;
  if (refused || ++task_->sent > 5) {
    task_.reset();
    return;
  }
  after(std::chrono::seconds(5), std::chrono::seconds(30), again);
}

/// Of an update it says a text, and leaves every other one empty.
std::string FieldedAgent::result() {
  const bool update = task_->type == "update_agent";
  JsonWriter json;
  json.begin_object()
      .member("task_id", update ? "" : task_->id.text())
      .member("test_uuid", task_->test_uuid)
      .member("exit_code", update ? 0 : rng_.below(3))
      .member("stdout", update ? "already up to date" : "ran " + task_->id.text() + " on " + name_)
      .member("stderr", "")
      .member("started_at", update ? "" : format_rfc3339(world_.steps.now()))
      .member("completed_at", update ? "" : format_rfc3339(world_.steps.now()))
      .member("execution_duration_ms", 1.5)
      .member("binary_sha256", "")
      .member("hostname", update ? "" : name_)
      .member("os", update ? "" : "linux")
      .member("arch", update ? "" : "amd64");
  if (!update && chance(rng_, 300)) {
    json.key("bundle_results")
        .begin_object()
        .member("bundle_id", "b")
        .key("controls")
        .begin_array();
    for (int i = 0; i < 3; ++i) {
      json.begin_object().member("control_id", "c" + std::to_string(i)).member("exit_code", i);
      json.member("compliant", i == 0).end_object();
    }
    json.end_array().end_object();
  }
  return json.end_object().take();
}

void FieldedAgent::run() {
  running_ = true;
  world_.trace.note(world_.steps.now(), name_, "runs a task");
  world_.ledger.count("runs of " + task_->type);
  world_.ledger.executed(task_->id, false, world_.steps.now());
  task_->body = result();
  task_->sent = 0;
  after(std::chrono::seconds(1), std::chrono::minutes(2), &FieldedAgent::report);
}

void FieldedAgent::report() {
  if (std::exchange(running_, false)) world_.ledger.finished(task_->id);
  ++task_->sent;
  send(call(http::Method::post, "/api/agent/tasks/" + task_->id.text() + "/result", task_->body),
       [this](const agent::Answer& answer) {
         if (answer.status == 200) {
           last_task_ = task_->id;
           task_.reset();
           return;
         }
         const Duration wait = std::chrono::seconds(std::min(5 << std::min(task_->sent, 6), 300));
         after(wait, wait * 2, &FieldedAgent::report);
       });
}

}  // namespace muster::sim
