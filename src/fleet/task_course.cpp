// SPDX-License-Identifier: Apache-2.0
#include "fleet/task_course.h"

#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "fleet/agent_keys.h"
#include "fleet/announcements.h"
#include "fleet/history.h"
#include "model/task_payload.h"
#include "store/sql/agents.h"
#include "store/sql/results.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;
using model::TaskStatus;
using model::TaskType;

namespace {

/// Assigned tasks looked at in one poll; more than an agent can lose between two polls.
constexpr int deliverable_window = 64;

constexpr std::string_view unreadable_env = "env_vars_unreadable";

/// Whether the task is of the agent that this one was split from, and from the time when its
/// machine called as that one: it may have been given the task, and reports it as what it is now.
bool is_from_before_split(store::Reader& reader, const Poller& poller, const Task& task) {
  const auto agent = store::find_agent(reader, poller.org, poller.agent);
  if (!agent || !agent->origin || task.agent != agent->origin->agent || !agent->key_since) {
    return false;
  }
  // Its first call ended that time; once its key was rotated, what is known of it is the order.
  return task.created_at <= (agent->keys.current == 0 ? *agent->key_since : agent->enrolled_at);
}

/// Whether the agent says that it runs the first task of this retry's chain, or another retry.
bool is_at_earlier_try(store::Reader& reader, const Task& retry,
                       const std::optional<AgentPresence>& state) {
  if (!retry.original || !state || !state->current_task) return false;
  const TaskId current{*state->current_task};
  if (current == *retry.original) return true;
  const std::optional<Task> running = store::find_task(reader, retry.org, current);
  return running && running->original == retry.original && running->id != retry.id;
}

/// The payload with what is sealed beside it; nothing if that cannot be opened.
std::optional<std::string> whole_payload(store::Reader& reader, const crypto::SecretKey& key,
                                         const Task& task) {
  const std::string sealed = store::find_sealed_env(reader, task.org, task.id);
  if (sealed.empty()) return task.payload;
  const std::optional<std::string> env_vars = crypto::unseal(sealed, key);
  if (!env_vars) return std::nullopt;
  return model::with_env_vars(task.payload, *env_vars);
}

/// The retry of a task that was just given up, with its environment variables.
void create_retry(store::Tx& tx, const TaskBoard& board, const Task& given_up, HostId host,
                  std::string_view sealed_env, Instant now) {
  const TaskId id{make_uuid7(board.rng, now)};
  const std::optional<Task> retry = model::retry_of(given_up, id, now);
  if (!retry) return;
  store::insert_task(tx, *retry, sealed_env);
  record_task_event(tx, board.ids, *retry, host, model::EventType::task_retried, now);
}

void pass_time(store::Tx& tx, const TaskBoard& board, const Task& before, Instant now) {
  const std::optional<AgentPresence> state = board.presence.find_agent(before.agent);
  TaskEvent event{TaskEvent::Kind::time_passed};
  // The server's own downtime is not the agent's silence.
  event.heard_at = std::max(state ? state->last_seen : Instant{}, board.presence.server_started());
  const Task after = *advance(before, event, now);
  const std::string sealed_env =
      before.max_retries > 0 ? store::find_sealed_env(tx, before.org, before.id) : std::string();
  store::set_task(tx, after);
  if (after.status == before.status) return;
  const HostId host = state ? state->host : HostId{};
  const bool expired = after.status == TaskStatus::expired;
  record_task_event(tx, board.ids, after, host,
                    expired ? model::EventType::task_expired : model::EventType::task_failed, now);
  create_retry(tx, board, after, host, sealed_env, now);
}

}  // namespace

Result<void> check_owner(store::Reader& reader, const Poller& agent, const Task& task) {
  if (task.agent == agent.agent || is_from_before_split(reader, agent, task)) return {};
  return Error{Errc::not_owner, "Agent does not own this task"};
}

bool may_have_work(const PresenceTable& presence, AgentId agent, Instant now) {
  const std::optional<AgentPresence> state = presence.find_agent(agent);
  if (!state) return false;
  return state->has_pending_task ||
         (state->has_redeliverable_task && (now >= state->redeliver_at || state->idle_beats >= 2));
}

std::optional<Task> claim_task(store::Tx& tx, const TaskBoard& board, const Poller& poller,
                               Instant now) {
  const std::optional<AgentPresence> state = board.presence.find_agent(poller.agent);
  const bool idle = state && state->idle_beats >= 2;
  std::optional<Task> claimed;
  bool changed = false;
  for (Task& task :
       store::list_deliverable_tasks(tx, poller.org, poller.agent, deliverable_window)) {
    Task current = *advance(std::move(task), {TaskEvent::Kind::time_passed}, now);
    if (current.status == TaskStatus::expired) {
      changed = true;
      store::set_task(tx, current);
      record_task_event(tx, board.ids, current, poller.host, model::EventType::task_expired, now);
      continue;
    }
    if (claimed || !model::is_deliverable(current, poller.effect_once, idle, now)) continue;
    if (is_at_earlier_try(tx, current, state)) continue;
    std::optional<std::string> payload = whole_payload(tx, board.key, current);
    if (!payload) {
      TaskEvent event{TaskEvent::Kind::undeliverable};
      event.error = unreadable_env;
      current = *advance(std::move(current), event, now);
      changed = true;
      store::set_task(tx, current);
      record_task_event(tx, board.ids, current, poller.host, model::EventType::task_failed, now);
      continue;
    }
    claimed = *advance(std::move(current), {TaskEvent::Kind::delivered}, now);
    changed = true;
    store::set_task(tx, *claimed);
    claimed->payload = *std::move(payload);
    claimed->order = store::find_work_order(tx, claimed->org, claimed->id);
  }
  recount_outstanding(tx, board.presence, poller.org, {{poller.agent, poller.effect_once}});
  if (claimed) {
    tx.on_commit([&presence = board.presence, agent = poller.agent] {
      presence.with_agent(agent, [](AgentPresence& known) { known.idle_beats = 0; });
    });
  }
  if (changed) announce_tasks(tx, poller.org, poller.agent);
  return claimed;
}

void mark_task_seen(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent, TaskId id,
                    Instant now) {
  const std::optional<Task> task = store::find_task(tx, org, id);
  if (!task || task->agent != agent) return;
  const Task seen = *advance(*task, {TaskEvent::Kind::seen_by_agent}, now);
  if (seen.started_at == task->started_at) return;
  store::set_task(tx, seen);
  follow_outstanding(tx, presence, org, agent);
}

Result<StatusOutcome> set_task_status(store::Tx& tx, const TaskBoard& board, const Poller& agent,
                                      TaskId id, TaskStatus status, std::string_view error,
                                      Instant now) {
  const std::optional<Task> found = store::find_task(tx, agent.org, id);
  if (!found) return unknown_task();
  const Task& before = *found;
  TRY(check_owner(tx, agent, before));
  Task after = TRY(advance(before, {TaskEvent::Kind::status_reported, status, error}, now));
  const bool changed = after.status != before.status || after.started_at != before.started_at;
  if (changed) {
    store::set_task(tx, after);
    if (after.status == TaskStatus::failed) {
      record_task_event(tx, board.ids, after, agent.host, model::EventType::task_failed, now);
    }
    if (is_outstanding(before)) {
      follow_outstanding(tx, board.presence, agent.org, agent.agent, agent.effect_once);
    }
  }
  return StatusOutcome{std::move(after), changed};
}

std::size_t pass_due_tasks(store::Tx& tx, const TaskBoard& board, Instant now) {
  const std::vector<Task> tasks = store::list_due_tasks(tx, now, limits::task_pass_rows);
  ChangedAgents changed;
  for (const Task& task : tasks) {
    pass_time(tx, board, task, now);
    changed.add(task.org, task.agent);
  }
  changed.follow(tx, board.presence);
  return tasks.size();
}

std::size_t pass_task_time(store::Store& store, const TaskBoard& board, Instant now, int commits) {
  std::size_t looked_at = 0;
  for (int i = 0; i < commits; ++i) {
    // An idle server does not write.
    const bool due = store.read(
        [&](store::Reader& reader) { return !store::list_due_tasks(reader, now, 1).empty(); });
    if (!due) break;
    const std::size_t count =
        store.write([&](store::Tx& tx) { return pass_due_tasks(tx, board, now); });
    looked_at += count;
    if (count < limits::task_pass_rows) break;
  }
  return looked_at;
}

}  // namespace muster::fleet
