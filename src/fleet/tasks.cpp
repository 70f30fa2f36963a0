// SPDX-License-Identifier: Apache-2.0
#include "fleet/tasks.h"

#include "base/limits.h"
#include "store/sql/agents.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;
using model::TaskStatus;

namespace {

std::string hostname_of(store::Reader& reader, const Task& task) {
  const auto agent = store::find_agent(reader, task.org, task.agent);
  const auto host = agent ? store::find_host(reader, task.org, agent->host) : std::nullopt;
  return host ? host->hostname : std::string();
}

Task with_time(Task task, Instant now) {
  return *advance(std::move(task), {TaskEvent::Kind::time_passed}, now);
}

/// The organisation of an agent that may be given the order's work.
Result<OrgId> target_org(store::Tx& tx, const TaskBoard& board, const TaskOrder& order,
                         AgentId agent, const std::string& field) {
  const std::optional<AgentPresence> target = board.presence.find_agent(agent);
  if (!target || (order.org && *order.org != target->org)) {
    const auto ended = store::find_agent_anywhere(tx, agent);
    if (ended && ended->status == model::AgentStatus::uninstalled) {
      return invalid_field(field, "was uninstalled");
    }
    return Error{Errc::not_found, field + ": there is no such agent", field};
  }
  if (store::count_pending_tasks(tx, target->org, agent) >= limits::pending_tasks_per_agent) {
    return invalid_field(field, "has as many pending tasks as an agent may have");
  }
  return target->org;
}

/// The task of the order, for nobody yet.
Task task_of(const TaskOrder& order, OperatorId creator, Uuid batch, Instant now) {
  Task task;
  task.batch = batch;
  task.type = order.type;
  task.priority = order.priority;
  task.payload = model::encode_payload(order.payload, order.execution_timeout_seconds);
  task.label = model::label_of(order.payload);
  task.test_uuid = order.payload.test_uuid;
  task.redeliver = order.redeliver;
  task.execution_timeout_seconds = order.execution_timeout_seconds;
  task.max_retries = order.max_retries;
  task.created_by = creator;
  task.created_at = now;
  task.deliver_by = now + order.deliver_within;
  task.valid_until = now + order.valid_for;
  task.due_at = model::next_due(task, now);
  return task;
}

}  // namespace

TaskOrder::TaskOrder(model::TaskType kind)
    : type(kind),
      priority(model::defaults_of(kind).priority),
      execution_timeout_seconds(model::defaults_of(kind).timeout_seconds),
      max_retries(model::defaults_of(kind).max_retries),
      deliver_within(std::chrono::seconds(model::defaults_of(kind).ttl_seconds)),
      valid_for(deliver_within) {}

Result<std::vector<TaskId>> create_tasks(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                         OperatorId creator, const TaskOrder& order, Instant now) {
  Task task = task_of(order, creator, make_uuid7(board.rng, now), now);
  std::vector<TaskId> created;
  created.reserve(order.agents.size());
  for (std::size_t i = 0; i < order.agents.size(); ++i) {
    task.agent = order.agents[i];
    task.org =
        TRY(target_org(tx, board, order, task.agent, "agent_ids[" + std::to_string(i) + "]"));
    task.id = {make_uuid7(board.rng, now)};
    const std::string sealed =
        order.env_vars.empty() ? "" : crypto::seal(order.env_vars, board.key, board.rng);
    store::insert_task(tx, task, sealed);
    record_audit(
        tx, board.ids, task.org, actor, "tasks.create", task.id.text(),
        [&](JsonWriter& details) {
          details.member("type", model::task_type_name(task.type))
              .member("agent_id", task.agent)
              .member("batch_id", task.batch);
        },
        now);
    follow_outstanding(tx, board.presence, task.org, task.agent, true, false);
    created.push_back(task.id);
  }
  return created;
}

Result<Task> cancel_task(store::Tx& tx, const TaskBoard& board, const Actor& actor, TaskId id,
                         Instant now) {
  std::optional<Task> found = store::find_task_anywhere(tx, id);
  if (!found) return unknown_task();
  // What is overdue but not yet given up is cancelled, or it would be retried.
  Task task = TRY(advance(std::move(*found), {TaskEvent::Kind::cancelled}, now));
  store::set_task(tx, task);
  record_audit(tx, board.ids, task.org, actor, "tasks.cancel", id.text(), {}, now);
  follow_outstanding(tx, board.presence, task.org, task.agent, true, false);
  return task;
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
