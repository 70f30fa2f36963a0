// SPDX-License-Identifier: Apache-2.0
#include "sim/ledger.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/limits.h"
#include "crypto/sha256.h"
#include "http/body_coding.h"

namespace muster::sim {

namespace {

constexpr Duration offline_after = std::chrono::seconds(180);

constexpr std::string_view claim_sentences[] = {
#define CLAIM(name, sentence) sentence,
#include "sim/claims.def"
#undef CLAIM
};

std::string_view header(const agent::Call& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (equal_folded(key, name)) return value;
  }
  return {};
}

std::optional<AgentId> caller(const agent::Call& call) {
  const Result<Uuid> id = parse_uuid(header(call, "X-Agent-ID"));
  if (!id.ok()) return std::nullopt;
  return AgentId{*id};
}

bool success(const http::Response* response) {
  return response != nullptr && response->status >= 200 && response->status < 300;
}

/// What stands between `prefix` and `suffix` in a target; nothing when it has another form.
std::optional<std::string_view> middle(std::string_view target, std::string_view prefix,
                                       std::string_view suffix) {
  if (target.size() < prefix.size() + suffix.size() || !target.starts_with(prefix) ||
      !target.ends_with(suffix)) {
    return std::nullopt;
  }
  return target.substr(prefix.size(), target.size() - prefix.size() - suffix.size());
}

std::optional<TaskId> task_of(std::string_view target, std::string_view suffix) {
  const auto text = middle(target, "/api/agent/tasks/", suffix);
  if (!text) return std::nullopt;
  const Result<Uuid> id = parse_uuid(*text);
  if (!id.ok()) return std::nullopt;
  return TaskId{*id};
}

/// A member of a JSON object as text, whether it is text or a number.
std::string member(const std::string& body, std::string_view name) {
  JsonDocument document;
  const Result<Json> json = document.parse(body);
  if (!json.ok()) return {};
  const auto found = json->find(name);
  if (!found) return {};
  if (const auto text = found->string()) return std::string(*text);
  if (const auto number = found->integer()) return std::to_string(*number);
  return {};
}

}  // namespace

std::string_view claim_sentence(Claim claim) {
  return claim_sentences[static_cast<std::size_t>(claim)];
}

void Ledger::breach(Claim claim, std::string detail, Instant now) {
  breaches_.push_back({claim, std::move(detail), now});
}

void Ledger::asked(const agent::Call& call, Instant at) {
  if (const auto agent = caller(call)) {
    asked_[*agent] = std::max(asked_[*agent], at);
    visits_[*agent].push_back(at);
  }
  if (const auto started = task_of(call.target, "/status")) {
    // Fetching its program begins a task too: one that began in time may go on.
    const auto status = member(call.body, "status");
    if (status == "downloading" || status == "executing") first_ask_.emplace(*started, at);
  }
  if (call.method != http::Method::post) return;
  if (const auto wanted = middle(call.target, "/api/v1/tasks/", "/approve")) {
    const Result<Uuid> id = parse_uuid(*wanted);
    const auto waits = id.ok() ? unapproved_.find(TaskId{*id}) : unapproved_.end();
    if (waits != unapproved_.end() && header(call, "Authorization") != waits->second->creator) {
      waits->second->approval_asked = true;
    }
  }
  const auto task = task_of(call.target, "/result");
  if (!task) return;
  JsonDocument document;
  const Result<Json> body = document.parse(call.body);
  if (!body.ok()) return;
  Said said;
  if (const auto code = body->find("exit_code")) said.exit_code = code->integer().value_or(-1);
  if (const auto text = body->find("stdout")) said.stdout_text = text->string().value_or("");
  results_[*task].said.insert(std::move(said));
}

void Ledger::take(const Served& served, Instant now) {
  const std::string& target = served.call.target;
  if (target.starts_with("/api/v1/")) return take_operator_call(served, now);
  if (target == "/api/agent/enroll") return take_enrolment(served);
  take_agent_call(served, now);
}

void Ledger::take_enrolment(const Served& served) {
  if (!success(served.response)) return;
  JsonDocument document;
  const Result<Json> body = document.parse(served.response->body);
  const auto data = body.ok() ? body->find("data") : std::nullopt;
  if (!data) return;
  const Result<Uuid> id = parse_uuid(data->find("agent_id")->string().value_or(""));
  if (!id.ok()) return;
  enrolled_[AgentId{*id}] = std::string(data->find("api_key")->string().value_or(""));
  asked_[AgentId{*id}] = served.at;
  count("enrolments");
}

void Ledger::take_agent_call(const Served& served, Instant now) {
  const std::string& target = served.call.target;
  if (served.response != nullptr && served.response->status == 503) count("answers 503");
  if (!success(served.response)) return;
  if (const auto agent = caller(served.call)) {
    Heard& heard = heard_[*agent];
    if (served.at >= heard.at) heard = {served.at, served.life};
    hearings_[*agent].push_back({served.at, now});
  }
  if (const auto task = task_of(target, "/result")) {
    if (!std::exchange(results_[*task].acknowledged, true)) count("results");
    return;
  }
  if (const auto task = task_of(target, "/status")) take_start(served, *task, now);
  if (target == "/api/agent/tasks") take_delivery(served, now);
  const bool beat = target == "/api/agent/heartbeat";
  if (beat && served.response->body.find("\"next_in\"") != std::string::npos) {
    count("heartbeats asked to wait");
  }
}

void Ledger::take_delivery(const Served& served, Instant now) {
  JsonDocument document;
  const Result<Json> body = document.parse(served.response->body);
  const auto data = body.ok() ? body->find("data") : std::nullopt;
  const auto given = data ? data->find("id") : std::nullopt;
  const Result<Uuid> id = parse_uuid(given ? given->string().value_or("") : "");
  if (!id.ok()) return;
  const auto waits = unapproved_.find(TaskId{*id});
  if (waits == unapproved_.end()) return;
  if (waits->second->approval_asked) return count("approved tasks given");
  breach(Claim::unapproved_work_is_not_given, "task " + waits->first.text(), now);
}

void Ledger::take_start(const Served& served, TaskId task, Instant now) {
  if (member(served.call.body, "status") != "executing") return;
  if (cancelled_.contains(task)) {
    breach(Claim::cancelled_work_does_not_start, "task " + task.text(), now);
  }
  const auto until = valid_until_.find(task);
  if (until != valid_until_.end() && first_ask_.at(task) > until->second) {
    breach(Claim::expired_work_does_not_start,
           "task " + task.text() + " was valid until " + format_rfc3339(until->second), now);
  }
  allowed_.insert(task);
  count("starts");
}

void Ledger::executed(TaskId task, bool by_own_agent, Instant now) {
  Run& run = runs_[task];
  run.by_own_agent = by_own_agent;
  if (!allowed_.contains(task)) {
    breach(Claim::cancelled_work_does_not_start, "ran without a grant: " + task.text(), now);
  }
  if (++run.times > 1 && by_own_agent) {
    breach(Claim::runs_are_reported_once, "ran again: " + task.text(), now);
  }
}

void Ledger::change(const std::string& action, const std::string& target,
                    const http::Response* response) {
  if (success(response)) {
    ++changes_[{action, target}].acknowledged;
    count(action);
  } else if (response == nullptr || response->status >= 500) {
    const bool creates = action.ends_with(".create");
    ++changes_[{action, creates ? "" : target}].unknown;
  }
}

void Ledger::take_order(const Served& served) {
  JsonDocument ordered;
  const Json order = ordered.parse(served.call.body).value();
  if (!success(served.response)) {
    order.find("agent_ids")->for_each([&](const Json&) {
      change("tasks.create", "", served.response);
    });
    return;
  }
  const auto seconds = order.find("ttl_seconds");
  JsonDocument document;
  const Json answer = document.parse(served.response->body).value();
  const bool waits = answer.find("pending_approval").has_value();
  std::vector<TaskId> created;
  answer.find("task_ids")->for_each([&](const Json& each) {
    const TaskId id{parse_uuid(each.string().value_or("")).value()};
    created.push_back(id);
    change("tasks.create", id.text(), served.response);
    orders_.insert(id);
    // The time of what waits begins with its approval.
    if (!seconds || waits) return;
    valid_until_[id] = served.at + std::chrono::seconds(*seconds->integer());
    count("orders that end early");
  });
  if (waits) take_unapproved(served, created);
}

void Ledger::take_unapproved(const Served& served, const std::vector<TaskId>& tasks) {
  const auto waits = std::make_shared<Unapproved>();
  waits->creator = header(served.call, "Authorization");
  waits->tasks = tasks;
  for (const TaskId id : tasks) unapproved_[id] = waits;
  count("orders that wait for approval");
}

void Ledger::take_decision(const Served& served, const std::string& action, std::string_view task) {
  const Result<Uuid> id = parse_uuid(task);
  const auto waits = id.ok() ? unapproved_.find(TaskId{*id}) : unapproved_.end();
  if (waits == unapproved_.end()) return;
  if (!success(served.response)) {
    // Perhaps it decided on them all.
    for (const TaskId each : waits->second->tasks) change(action, each.text(), served.response);
    return;
  }
  JsonDocument document;
  document.parse(served.response->body)->find("task_ids")->for_each([&](const Json& each) {
    change(action, std::string(each.string().value_or("")), served.response);
  });
}

void Ledger::take_operator_call(const Served& served, Instant now) {
  const std::string& target = served.call.target;
  const http::Response* response = served.response;
  const auto created = [&] { return success(response) ? member(response->body, "id") : ""; };
  const http::Method method = served.call.method;
  if (method == http::Method::get) {
    if (target.starts_with("/api/v1/agents?") && success(response)) take_agent_list(served, now);
  } else if (method == http::Method::del) {
    if (const auto id = middle(target, "/api/v1/tokens/", "")) {
      change("tokens.revoke", std::string(*id), response);
    } else if (const auto key = middle(target, "/api/v1/keys/", "")) {
      change("keys.revoke", std::string(*key), response);
    }
  } else if (target == "/api/v1/tokens") {
    change("tokens.create", created(), response);
  } else if (target == "/api/v1/keys") {
    change("keys.create", created(), response);
  } else if (target == "/api/v1/blobs") {
    change("blobs.upload", crypto::sha256(served.call.body).text(), response);
  } else if (target == "/api/v1/binaries") {
    change("binaries.upload",
           member(served.call.body, "test_uuid") + "/" + member(served.call.body, "name"),
           response);
  } else if (target.starts_with("/api/v1/settings")) {
    change("settings.set", "", response);
  } else if (const auto kind = middle(target, "/api/v1/feeds/", "")) {
    change("feeds.import", std::string(*kind), response);
  } else if (const auto disabled = middle(target, "/api/v1/agents/", "/disable")) {
    change("agents.disable", std::string(*disabled), response);
  } else if (const auto enabled = middle(target, "/api/v1/agents/", "/enable")) {
    change("agents.enable", std::string(*enabled), response);
  } else if (const auto rotated = middle(target, "/api/v1/agents/", "/rotate-key")) {
    change("agents.rotate_key", std::string(*rotated), response);
  } else if (const auto task = middle(target, "/api/v1/tasks/", "/cancel")) {
    change("tasks.cancel", std::string(*task), response);
    const Result<Uuid> id = parse_uuid(*task);
    if (success(response) && id.ok()) cancelled_.emplace(TaskId{*id}, now);
  } else if (const auto approved = middle(target, "/api/v1/tasks/", "/approve")) {
    take_decision(served, "tasks.approve", *approved);
  } else if (const auto rejected = middle(target, "/api/v1/tasks/", "/reject")) {
    take_decision(served, "tasks.reject", *rejected);
  } else if (target == "/api/v1/operators") {
    change("operators.create", created(), response);
  } else if (target == "/api/v1/tasks") {
    take_order(served);
  }
}

void Ledger::take_agent_list(const Served& served, Instant now) {
  JsonDocument document;
  const Json body = document.parse(served.response->body).value();
  body.find("items")->for_each([&](const Json& item) {
    const auto status = item.find("status")->string();
    if (status == "superseded" || status == "decommissioned" || status == "uninstalled") return;
    const AgentId id{parse_uuid(*item.find("id")->string()).value()};
    const std::string_view presence = item.find("presence")->string().value_or("");
    const std::string who = "agent " + id.text() + " is " + std::string(presence);
    if (const auto heard = heard_.find(id); heard != heard_.end()) {
      const bool lately = served.at - heard->second.at < offline_after;
      const bool of_this_life = heard->second.life == served.life;
      if (lately && (presence == "offline" || (of_this_life && presence != "online"))) {
        breach(Claim::presence_is_never_false,
               who + ", heard at " + format_rfc3339(heard->second.at), now);
      }
    }
    const auto came = asked_.find(id);
    const bool silent = came == asked_.end() || served.at - came->second > offline_after;
    if (silent && presence == "online") {
      breach(Claim::presence_is_never_false, who + " and silent", now);
    }
    if (item.find("last_seen")->is_null()) return;
    const Instant seen = parse_rfc3339(*item.find("last_seen")->string()).value();
    Shown& shown = shown_[id];
    if (shown.life == served.life && seen < shown.last_seen) {
      breach(Claim::last_seen_never_goes_back,
             "agent " + id.text() + ": " + format_rfc3339(shown.last_seen) + ", then " +
                 format_rfc3339(seen),
             now);
    }
    shown = {seen, served.life};
  });
  count("agent lists");
}

}  // namespace muster::sim
