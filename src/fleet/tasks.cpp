// SPDX-License-Identifier: Apache-2.0
#include "fleet/tasks.h"

#include <algorithm>

#include "base/limits.h"
#include "store/sql/agents.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;
using model::TaskStatus;

namespace {

/// Assigned tasks looked at in one poll; more than an agent can lose between two polls.
constexpr int deliverable_window = 64;

Error unknown_task() {
  return {Errc::unknown_task, "Task not found"};
}

/// Keeps presence's idea of what a poll may find in step with the store.
void follow_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                        bool effect_once, bool delivered) {
  const std::int64_t pending = store::count_pending_tasks(tx, org, agent);
  std::int64_t redeliverable = 0;
  Instant redeliver_at{number_id_max};
  for (const Task& task : store::list_deliverable_tasks(tx, org, agent, deliverable_window)) {
    const Instant lease_end = task.lease_until.value_or(Instant{});
    if (task.status != TaskStatus::assigned ||
        !model::is_deliverable(task, effect_once, false, lease_end)) {
      continue;
    }
    ++redeliverable;
    redeliver_at = std::min(redeliver_at, lease_end);
  }
  tx.on_commit([=, &presence] {
    presence.with_agent(agent, [&](AgentPresence& state) {
      state.pending_tasks = pending;
      state.redeliverable_tasks = redeliverable;
      state.redeliver_at = redeliver_at;
      if (delivered) state.idle_beats = 0;
    });
  });
}

/// The agent's own task by id, or why not.
Result<Task> own_task(store::Tx& tx, const Poller& agent, TaskId id) {
  std::optional<Task> task = store::find_task(tx, agent.org, id);
  if (!task) return unknown_task();
  if (task->agent != agent.agent) {
    return Error{Errc::not_owner, "Agent does not own this task"};
  }
  return std::move(*task);
}

void record_end(store::Tx& tx, NumberIds& ids, const Poller& agent, const Task& task,
                std::string_view type, Instant now) {
  record_event(
      tx, ids, agent.org, type, agent.agent, agent.host,
      [&](JsonWriter& details) {
        details.member("task_id", task.id).member("task_type", model::task_type_name(task.type));
      },
      now);
}

/// Fielded agents leave these empty in some results.
void take_enrolled_facts(store::Reader& reader, const Poller& poller, model::TaskResult& result) {
  if (result.hostname.empty()) {
    if (const auto host = store::find_host(reader, poller.org, poller.host)) {
      result.hostname = host->hostname;
    }
  }
  if (!result.os.empty() && !result.arch.empty()) return;
  if (const auto agent = store::find_agent(reader, poller.org, poller.agent)) {
    if (result.os.empty()) result.os = agent->os;
    if (result.arch.empty()) result.arch = agent->arch;
  }
}

std::string hostname_of(store::Reader& reader, const Task& task) {
  const auto agent = store::find_agent(reader, task.org, task.agent);
  const auto host = agent ? store::find_host(reader, task.org, agent->host) : std::nullopt;
  return host ? host->hostname : std::string();
}

Task with_time(Task task, Instant now) {
  return *advance(std::move(task), {TaskEvent::Kind::time_passed}, now);
}

}  // namespace

Result<std::vector<TaskId>> create_tasks(store::Tx& tx, NumberIds& ids, Rng& rng,
                                         PresenceTable& presence, const Actor& actor,
                                         OperatorId creator, const TaskOrder& order, Instant now) {
  const Uuid batch = make_uuid7(rng, now);
  std::vector<TaskId> created;
  for (std::size_t i = 0; i < order.agents.size(); ++i) {
    const std::string field = "agent_ids[" + std::to_string(i) + "]";
    const std::optional<AgentPresence> target = presence.find_agent(order.agents[i]);
    if (!target) return Error{Errc::not_found, field + ": there is no such agent", field};
    if (store::count_pending_tasks(tx, target->org, order.agents[i]) >=
        limits::pending_tasks_per_agent) {
      return invalid_field(field, "has as many pending tasks as an agent may have");
    }
    Task task;
    task.org = target->org;
    task.id = {make_uuid7(rng, now)};
    task.agent = order.agents[i];
    task.batch = batch;
    task.type = order.type;
    task.priority = order.priority;
    task.payload = order.payload;
    task.redeliver = order.redeliver;
    task.execution_timeout_seconds = order.execution_timeout_seconds;
    task.created_by = creator;
    task.created_at = now;
    task.deliver_by = now + order.deliver_within;
    task.valid_until = now + order.valid_for;
    store::insert_task(tx, task);
    record_audit(
        tx, ids, task.org, actor, "tasks.create", task.id.text(),
        [&](JsonWriter& details) {
          details.member("type", model::task_type_name(task.type))
              .member("agent_id", task.agent)
              .member("batch_id", batch);
        },
        now);
    follow_outstanding(tx, presence, task.org, task.agent, true, false);
    created.push_back(task.id);
  }
  return created;
}

Result<Task> cancel_task(store::Tx& tx, NumberIds& ids, PresenceTable& presence, const Actor& actor,
                         TaskId id, Instant now) {
  std::optional<Task> found = store::find_task_anywhere(tx, id);
  if (!found) return unknown_task();
  Task task = TRY(advance(with_time(std::move(*found), now), {TaskEvent::Kind::cancelled}, now));
  store::set_task(tx, task);
  record_audit(tx, ids, task.org, actor, "tasks.cancel", id.text(), {}, now);
  follow_outstanding(tx, presence, task.org, task.agent, true, false);
  return task;
}

bool may_have_work(const PresenceTable& presence, AgentId agent, Instant now) {
  const std::optional<AgentPresence> state = presence.find_agent(agent);
  if (!state) return false;
  return state->pending_tasks > 0 ||
         (state->redeliverable_tasks > 0 && (now >= state->redeliver_at || state->idle_beats >= 2));
}

std::optional<Task> claim_task(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                               const Poller& poller, Instant now) {
  const bool idle = presence.find_agent(poller.agent).value_or(AgentPresence{}).idle_beats >= 2;
  std::optional<Task> claimed;
  for (Task& task :
       store::list_deliverable_tasks(tx, poller.org, poller.agent, deliverable_window)) {
    Task current = with_time(std::move(task), now);
    if (current.status == TaskStatus::expired) {
      store::set_task(tx, current);
      record_end(tx, ids, poller, current, "task_expired", now);
      continue;
    }
    if (claimed || !model::is_deliverable(current, poller.effect_once, idle, now)) continue;
    claimed = *advance(std::move(current), {TaskEvent::Kind::delivered}, now);
    store::set_task(tx, *claimed);
  }
  follow_outstanding(tx, presence, poller.org, poller.agent, poller.effect_once,
                     claimed.has_value());
  return claimed;
}

void mark_task_seen(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent, TaskId id,
                    Instant now) {
  const std::optional<Task> task = store::find_task(tx, org, id);
  if (!task || task->agent != agent) return;
  const Task seen = *advance(*task, {TaskEvent::Kind::seen_by_agent}, now);
  if (seen.started_at == task->started_at) return;
  store::set_task(tx, seen);
  follow_outstanding(tx, presence, org, agent, true, false);
}

Result<StatusOutcome> set_task_status(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                      const Poller& agent, TaskId id, TaskStatus status,
                                      std::string_view error, Instant now) {
  const Task before = TRY(own_task(tx, agent, id));
  Task after = TRY(advance(before, {TaskEvent::Kind::status_reported, status, error}, now));
  const bool changed = after.status != before.status || after.started_at != before.started_at;
  if (changed) {
    store::set_task(tx, after);
    if (after.status == TaskStatus::failed) {
      record_end(tx, ids, agent, after, "task_failed", now);
    }
    follow_outstanding(tx, presence, agent.org, agent.agent, agent.effect_once, false);
  }
  return StatusOutcome{std::move(after), changed};
}

Result<StatusOutcome> record_result(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                    const Poller& agent, model::TaskResult result, Instant now) {
  Task task = TRY(own_task(tx, agent, result.task));
  result.received_at = now;
  take_enrolled_facts(tx, agent, result);
  if (!store::insert_result(tx, agent.org, result)) return StatusOutcome{std::move(task), false};
  store::set_controls(tx, agent.org, task.id, result.controls);
  task = *advance(std::move(task), {TaskEvent::Kind::result_reported}, now);
  store::set_task(tx, task);
  record_end(tx, ids, agent, task, "task_completed", now);
  follow_outstanding(tx, presence, agent.org, agent.agent, agent.effect_once, false);
  return StatusOutcome{std::move(task), true};
}

Result<TaskView> show_task(store::Store& store, TaskId id, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<TaskView> {
    std::optional<Task> task = store::find_task_anywhere(reader, id);
    if (!task) return unknown_task();
    TaskView view{with_time(std::move(*task), now), {}, {}};
    view.hostname = hostname_of(reader, view.task);
    view.result = store::find_result(reader, view.task.org, id);
    return view;
  });
}

TaskPage list_task_page(store::Store& store, std::optional<AgentId> agent, std::string_view cursor,
                        int count, Instant now) {
  TaskId before;
  before.uuid.bytes.fill(0xFF);
  if (const auto given = parse_uuid(cursor); given.ok()) before = {*given};
  return store.read([&](store::Reader& reader) {
    TaskPage page;
    std::vector<Task> tasks = store::list_tasks(reader, agent, before, count + 1);
    page.total = store::count_tasks(reader, agent);
    if (tasks.size() > static_cast<std::size_t>(count)) {
      tasks.pop_back();
      page.next_cursor = tasks.back().id.text();
    }
    for (Task& task : tasks) {
      std::string hostname = hostname_of(reader, task);
      page.tasks.push_back({with_time(std::move(task), now), std::move(hostname), {}});
    }
    return page;
  });
}

}  // namespace muster::fleet
