// SPDX-License-Identifier: Apache-2.0
#include "sim/operator_desk.h"

#include "base/json_read.h"
#include "base/json_write.h"

namespace muster::sim {

namespace {

constexpr const char* desk = "operator";
constexpr std::string_view test_uuid = "7659eeba-f315-440e-9882-4aa015d68b27";
constexpr std::string_view test_program = "#!/bin/sh\ntrue\n";

}  // namespace

OperatorDesk::OperatorDesk(Surroundings& world, std::uint64_t seed)
    : world_(world), rng_(fork(seed, desk)), approves_(fork(seed, "approval").below(4) == 0) {}

void OperatorDesk::start(std::string token, std::function<std::vector<AgentId>()> agents) {
  token_ = std::move(token);
  agents_ = std::move(agents);
  upload_program();
  if (approves_) want_approval();
  work();
  look();
}

agent::Call OperatorDesk::call(http::Method method, std::string target, std::string body) const {
  return {method, std::move(target), {{"Authorization", "Bearer " + token_}}, std::move(body)};
}

std::optional<AgentId> OperatorDesk::some_agent() {
  const std::vector<AgentId> agents = agents_();
  if (agents.empty()) return std::nullopt;
  return agents[rng_.below(agents.size())];
}

void OperatorDesk::work() {
  if (world_.calm()) return;
  const std::size_t what = rng_.below(100);
  if (what < 43) {
    create_task();
  } else if (what < 50) {
    rotate();
  } else if (what < 65) {
    cancel_task();
  } else if (what < 73) {
    disable();
  } else if (what < 85) {
    issue();
  } else if (what < 92) {
    import();
  } else {
    want_full_report();
  }
  if (approves_) decide();
  world_.steps.after(between(rng_, std::chrono::seconds(5), std::chrono::minutes(4)),
                     [this] { work(); });
}

void OperatorDesk::upload_program() {
  const auto again = [this] {
    world_.steps.after(std::chrono::seconds(30), [this] { upload_program(); });
  };
  world_.wire.send(desk, call(http::Method::post, "/api/v1/blobs", std::string(test_program)),
                   [this, again](Result<agent::Answer> answer) {
                     if (!answer.ok() || answer->status != 201) return again();
                     JsonDocument document;
                     const Json body = document.parse(answer->body).value();
                     JsonWriter json;
                     json.begin_object()
                         .member("test_uuid", test_uuid)
                         .member("name", "disk-test")
                         .member("sha256", *body.find("sha256")->string())
                         .end_object();
                     world_.wire.send(desk,
                                      call(http::Method::post, "/api/v1/binaries", json.take()),
                                      [this, again](Result<agent::Answer> registered) {
                                        has_program_ = registered.ok() && registered->status == 201;
                                        if (!has_program_) again();
                                      });
                   });
}

/// Some end before they are delivered or started; now and then an order is for many agents.
std::string OperatorDesk::some_order(AgentId agent) {
  const bool update = chance(rng_, 100);
  const bool test = !update && has_program_ && chance(rng_, 200);
  JsonWriter json;
  json.begin_object().member("type", update ? "update_agent"
                                     : test ? "execute_test"
                                            : "execute_command");
  json.key("agent_ids").begin_array().value(agent);
  if (chance(rng_, 50)) {
    const std::vector<AgentId> agents = agents_();
    const std::size_t more = rng_.below(std::min<std::size_t>(agents.size(), 50));
    for (std::size_t i = 0; i < more; ++i) json.value(agents[i]);
  }
  json.end_array();
  if (test) json.member("test_uuid", test_uuid).member("test_name", "disk");
  if (!test && !update) json.member("command", "true");
  if (!update && chance(rng_, 200)) {
    json.key("env_vars").begin_object().member("TEST_SECRET", "s").end_object();
  }
  json.member("priority", rng_.below(11)).member("execution_timeout", 60 + rng_.below(600));
  if (chance(rng_, 150)) json.member("ttl_seconds", 20 + rng_.below(600));
  return json.end_object().take();
}

void OperatorDesk::create_task() {
  const auto agent = some_agent();
  if (!agent) return;
  world_.wire.send(
      desk, call(http::Method::post, "/api/v1/tasks", some_order(*agent)),
      [this](Result<agent::Answer> answer) {
        if (!answer.ok() || answer->status != 201) return;
        JsonDocument document;
        const Json body = document.parse(answer->body).value();
        body.find("task_ids")->for_each([&](const Json& id) { tasks_.emplace_back(*id.string()); });
        if (body.find("pending_approval")) waiting_.push_back(tasks_.back());
      });
}

void OperatorDesk::cancel_task() {
  if (tasks_.empty()) return;
  // Mostly one of the last: what is over cannot be cancelled.
  const std::size_t back = std::min(tasks_.size(), 1 + rng_.below(4));
  world_.wire.send(
      desk, call(http::Method::post, "/api/v1/tasks/" + tasks_[tasks_.size() - back] + "/cancel"),
      [](Result<agent::Answer>) {});
}

void OperatorDesk::disable() {
  const auto agent = some_agent();
  if (!agent) return;
  disabled_.insert(*agent);
  world_.wire.send(desk, call(http::Method::post, "/api/v1/agents/" + agent->text() + "/disable"),
                   [this, agent = *agent](Result<agent::Answer>) {
                     world_.steps.after(
                         between(rng_, std::chrono::minutes(1), std::chrono::minutes(20)),
                         [this, agent] { enable(agent); });
                   });
}

void OperatorDesk::rotate() {
  const auto agent = some_agent();
  if (!agent) return;
  world_.wire.send(desk,
                   call(http::Method::post, "/api/v1/agents/" + agent->text() + "/rotate-key"),
                   [](Result<agent::Answer>) {});
}

void OperatorDesk::enable(AgentId agent) {
  world_.wire.send(desk, call(http::Method::post, "/api/v1/agents/" + agent.text() + "/enable"),
                   [this, agent](Result<agent::Answer> answer) {
                     // 409: it was superseded meanwhile, and will never call again.
                     if (answer.ok() && (answer->status == 200 || answer->status == 409)) return;
                     world_.steps.after(std::chrono::seconds(30), [this, agent] { enable(agent); });
                   });
}

void OperatorDesk::make_peace() {
  for (const AgentId agent : disabled_) enable(agent);
}

void OperatorDesk::issue() {
  if (!issued_.empty() && chance(rng_, 400)) {
    const std::size_t chosen = rng_.below(issued_.size());
    world_.wire.send(desk, call(http::Method::del, issued_[chosen], ""),
                     [](Result<agent::Answer>) {});
    return;
  }
  const bool token = chance(rng_, 500);
  const std::string path = token ? "/api/v1/tokens" : "/api/v1/keys";
  world_.wire.send(
      desk, call(http::Method::post, path, token ? R"({"max_uses": 1})" : R"({"name": "site"})"),
      [this, path](Result<agent::Answer> answer) {
        if (!answer.ok() || answer->status != 201) return;
        JsonDocument document;
        const Json body = document.parse(answer->body).value();
        issued_.push_back(path + "/" + std::to_string(*body.find("id")->integer()));
      });
}

void OperatorDesk::import() {
  const bool debian = chance(rng_, 700);
  world_.wire.send(desk,
                   call(http::Method::post, debian ? "/api/v1/feeds/debian" : "/api/v1/feeds/kev",
                        debian ? debian_feed(rng_) : kev_feed(rng_)),
                   [](Result<agent::Answer>) {});
}

void OperatorDesk::want_full_report() {
  const bool wanted = chance(rng_, 500);
  world_.wire.send(desk,
                   call(http::Method::put, "/api/v1/settings?scope=host&target=own-1",
                        wanted ? R"({"force_full_scan": true, "agent_log_level": "warning"})"
                               : R"({"scan_interval": 3600, "agent_log_level": null})"),
                   [](Result<agent::Answer>) {});
}

void OperatorDesk::want_approval() {
  const auto again = [this] {
    world_.steps.after(std::chrono::seconds(30), [this] { want_approval(); });
  };
  world_.wire.send(desk,
                   call(http::Method::put, "/api/v1/settings?scope=org",
                        R"({"task_approval": "risky", "task_approval_seconds": 1800})"),
                   [this, again](Result<agent::Answer> answer) {
                     if (!answer.ok() || answer->status != 200) return again();
                     appoint_second();
                   });
}

void OperatorDesk::appoint_second() {
  // A name of its own for each try: the answer may be lost of one that was appointed.
  const std::string name = "second-" + std::to_string(++appointments_);
  world_.wire.send(desk,
                   call(http::Method::post, "/api/v1/operators",
                        R"({"name": ")" + name + R"(", "role": "operator"})"),
                   [this](Result<agent::Answer> answer) {
                     if (!answer.ok() || answer->status != 201) {
                       world_.steps.after(std::chrono::seconds(30), [this] { appoint_second(); });
                       return;
                     }
                     JsonDocument document;
                     second_token_ = *document.parse(answer->body).value().find("token")->string();
                   });
}

/// Now and then whoever asked for the work tries; some work is rejected, and some left to expire.
void OperatorDesk::decide() {
  if (waiting_.empty() || second_token_.empty()) return;
  const std::size_t chosen = rng_.below(waiting_.size());
  agent::Call decision = call(http::Method::post, "/api/v1/tasks/" + waiting_[chosen] +
                                                      (chance(rng_, 150) ? "/reject" : "/approve"));
  const bool by_creator = chance(rng_, 150);
  if (!by_creator) {
    decision.headers = {{"Authorization", "Bearer " + second_token_}};
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  world_.wire.send(desk, std::move(decision), [](Result<agent::Answer>) {});
}

void OperatorDesk::look() {
  world_.wire.send(desk, call(http::Method::get, "/api/v1/agents?limit=1000", ""),
                   [](Result<agent::Answer>) {});
  world_.steps.after(between(rng_, std::chrono::seconds(30), std::chrono::minutes(5)),
                     [this] { look(); });
}

}  // namespace muster::sim
