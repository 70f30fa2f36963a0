// SPDX-License-Identifier: Apache-2.0
#include "fleet/tasks.h"

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/text.h"
#include "fleet/audit.h"
#include "fleet/cursor.h"
#include "fleet/settings.h"
#include "fleet/signed_orders.h"
#include "store/sql/agents.h"
#include "store/sql/blobs.h"
#include "store/sql/results.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;
using store::BatchPart;

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
    const bool is_own = ended && (!order.org || *order.org == ended->org);
    if (is_own && ended->status == model::AgentStatus::uninstalled) {
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
  return task;
}

/// A test runs the program that its organisation has for it now, whatever is uploaded later.
Result<void> take_program(store::Tx& tx, const TaskOrder& order, Task& task,
                          model::TaskPayload& payload) {
  const Result<Uuid> test = parse_uuid(payload.test_uuid);
  const auto binary =
      test.ok() ? store::find_test_binary(tx, task.org, *test, payload.binary_name) : std::nullopt;
  if (!binary) {
    return Error{Errc::not_found, "test_uuid: there is no program for that test", "test_uuid"};
  }
  payload.binary_name = binary->name;
  payload.binary_sha256 = binary->sha256.text();
  payload.binary_size = binary->size;
  if (payload.test_name.empty()) payload.test_name = binary->name;
  task.payload = model::encode_payload(payload, order.execution_timeout_seconds);
  task.label = model::label_of(payload);
  return {};
}

/// The task has no longer to live than what was signed of it.
Result<void> take_order(store::Tx& tx, const TaskOrder& order, std::size_t index,
                        const model::TaskPayload& payload, Task& task) {
  const TaskOrder::Signed& given = order.orders[index];
  TRY(match_order(given.says, task, payload, order.env_vars));
  if (store::find_task_of_order(tx, task.org, given.says.id.uuid)) {
    return invalid_field("orders[" + std::to_string(index) + "].order", "is of another task");
  }
  task.deliver_by = std::min(task.deliver_by, given.says.expires_at);
  task.valid_until = std::min(task.valid_until, given.says.expires_at);
  if (task.approve_by) task.approve_by = std::min(*task.approve_by, given.says.expires_at);
  task.max_retries = 0;
  store::insert_work_order(tx, task.org, task.id, given.says.id.uuid, given.order);
  return {};
}

/// Whom an order has to wait for, in each of its organisations.
class Approvals {
 public:
  Approvals(const Settings& settings, const TaskOrder& order, Instant now)
      : settings_(settings), order_(order), now_(now) {}

  /// Makes a new task wait if its organisation wants that.
  void ask(Task& task) {
    const auto [at, fresh] = asked_.try_emplace(task.org);
    if (fresh) {
      const model::ApprovalRule rule = settings_.approval_rule_of(task.org);
      if (model::needs_approval(rule, order_.type, order_.agents.size())) {
        at->second.approve_by = now_ + rule.within;
      }
    }
    if (!at->second.approve_by) return;
    ++at->second.tasks;
    task.approve_by = at->second.approve_by;
    task.status = model::TaskStatus::pending_approval;
  }

  /// An event for each organisation that has to decide. Returns how many tasks wait.
  std::size_t tell(store::Tx& tx, NumberIds& ids, const Task& task, OperatorId creator) const {
    std::size_t all = 0;
    for (const auto& [org, asked] : asked_) {
      if (!asked.approve_by) continue;
      all += asked.tasks;
      record_event(
          tx, ids, org, model::EventType::approval_wanted, std::nullopt, std::nullopt,
          [&, &wanted = asked](JsonWriter& details) {
            details.member("batch_id", task.batch)
                .member("task_type", model::task_type_name(task.type))
                .member("tasks", wanted.tasks)
                .member("created_by", creator)
                .member("approve_by", *wanted.approve_by);
          },
          now_);
    }
    return all;
  }

 private:
  struct Asked {
    std::optional<Instant> approve_by;  // nothing: it need not wait
    std::size_t tasks = 0;
  };
  const Settings& settings_;
  const TaskOrder& order_;
  Instant now_;
  std::map<OrgId, Asked> asked_;
};

/// As the audit log has it.
void describe(JsonWriter& details, const Task& task, const TaskOrder& order, std::size_t index) {
  details.member("type", model::task_type_name(task.type))
      .member("agent_id", task.agent)
      .member("batch_id", task.batch);
  if (task.approve_by) details.member("approve_by", *task.approve_by);
  if (!order.orders.empty()) details.member("signed_by", to_hex(order.orders[index].order.signer));
}

}  // namespace

TaskOrder::TaskOrder(model::TaskType kind)
    : type(kind),
      priority(model::defaults_of(kind).priority),
      execution_timeout_seconds(model::defaults_of(kind).timeout_seconds),
      max_retries(model::defaults_of(kind).max_retries),
      deliver_within(std::chrono::seconds(model::defaults_of(kind).ttl_seconds)),
      valid_for(deliver_within) {}

Result<CreatedTasks> create_tasks(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                  OperatorId creator, const TaskOrder& order, Instant now) {
  const Task common = task_of(order, creator, make_uuid7(board.rng, now), now);
  CreatedTasks created;
  created.batch = common.batch;
  created.ids.reserve(order.agents.size());
  Approvals approvals(board.settings, order, now);
  AuditRows audit(board.ids, actor, now);
  ChangedAgents changed;
  for (std::size_t i = 0; i < order.agents.size(); ++i) {
    Task task = common;
    model::TaskPayload payload = order.payload;
    task.agent = order.agents[i];
    task.org =
        TRY(target_org(tx, board, order, task.agent, "agent_ids[" + std::to_string(i) + "]"));
    task.id = {make_uuid7(board.rng, now)};
    approvals.ask(task);
    store::TaskBatch batch{task.org, task.batch, task.type, {}, now, creator, {}};
    batch.approve_by = task.approve_by;
    if (order.type == model::TaskType::execute_test) TRY(take_program(tx, order, task, payload));
    if (!order.orders.empty()) TRY(take_order(tx, order, i, payload, task));
    task.due_at = model::next_due(task, now);
    const std::string sealed =
        order.env_vars.empty() ? "" : crypto::seal(order.env_vars, board.key, board.rng);
    store::insert_task(tx, task, sealed);
    batch.label = task.label;
    store::insert_batch(tx, batch);
    audit.add(task.org, "tasks.create", task.id.text(),
              [&](JsonWriter& details) { describe(details, task, order, i); });
    changed.add(task.org, task.agent);
    created.ids.push_back(task.id);
  }
  changed.follow(tx, board.presence);
  created.unapproved = approvals.tell(tx, board.ids, common, creator);
  audit.record(tx);
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
  follow_outstanding(tx, board.presence, task.org, task.agent);
  return task;
}

Result<std::vector<Task>> cancel_batch(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                       const Uuid& batch, std::optional<OrgId> org, Instant now) {
  if (store::list_batch_tasks(tx, batch, org, BatchPart::all, 1).empty()) {
    return Error{Errc::not_found, "There is no such batch."};
  }
  std::vector<Task> cancelled =
      store::list_batch_tasks(tx, batch, org, BatchPart::unfinished, limits::batch_cancel_rows);
  AuditRows audit(board.ids, actor, now);
  ChangedAgents changed;
  for (Task& task : cancelled) {
    task = *advance(std::move(task), {TaskEvent::Kind::cancelled}, now);
    store::set_task(tx, task);
    audit.add(task.org, "tasks.cancel", task.id.text(),
              [&](JsonWriter& details) { details.member("batch_id", batch); });
    changed.add(task.org, task.agent);
  }
  changed.follow(tx, board.presence);
  audit.record(tx);
  return cancelled;
}

Result<store::TaskNote> add_note(store::Tx& tx, NumberIds& ids, const Actor& actor, TaskId id,
                                 std::string_view text, Instant now) {
  const std::optional<Task> task = store::find_task_anywhere(tx, id);
  if (!task) return unknown_task();
  const std::vector<store::TaskNote> former = store::list_notes(tx, task->org, id);
  if (former.size() >= limits::task_notes) {
    return invalid_field("text", "has as many versions as are kept");
  }
  store::TaskNote note{former.empty() ? 1 : former.front().version + 1, now, actor.text,
                       std::string(text)};
  store::insert_note(tx, task->org, id, note);
  record_audit(
      tx, ids, task->org, actor, "tasks.note", id.text(),
      [&](JsonWriter& details) { details.member("version", note.version); }, now);
  return note;
}

Result<TaskView> show_task(store::Store& store, TaskId id, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<TaskView> {
    std::optional<Task> task = store::find_task_anywhere(reader, id);
    if (!task) return unknown_task();
    TaskView view{with_time(std::move(*task), now), {}, {}, {}};
    view.batch = store::find_batch(reader, view.task.org, view.task.batch);
    view.hostname = hostname_of(reader, view.task);
    view.task.order = store::find_work_order(reader, view.task.org, id);
    view.result = store::find_result(reader, view.task.org, id);
    view.notes = store::list_notes(reader, view.task.org, id);
    return view;
  });
}

Result<TaskPage> list_task_page(store::Store& store, const store::TaskFilter& filter,
                                std::string_view cursor, int count, Instant now) {
  Uuid last;
  last.bytes.fill(0xFF);
  const TaskId before{TRY(parse_uuid_cursor(cursor, last))};
  return store.read([&](store::Reader& reader) {
    TaskPage page;
    page.total = store::count_tasks(reader, filter);
    std::vector<Task> tasks = store::list_tasks(reader, filter, before, count + 1);
    if (tasks.size() > static_cast<std::size_t>(count)) {
      tasks.pop_back();
      page.next_cursor = tasks.back().id.text();
    }
    page.tasks.reserve(tasks.size());
    for (Task& task : tasks) {
      std::string hostname = hostname_of(reader, task);
      page.tasks.push_back({with_time(std::move(task), now), std::move(hostname), {}, {}});
    }
    return page;
  });
}

Result<BatchPage> list_batch_page(store::Store& store, std::optional<OrgId> org,
                                  std::string_view cursor, int count) {
  // The cursor is "batch.org": one call may have created work in several organisations.
  Uuid before;
  before.bytes.fill(0xFF);
  OrgId of{0};
  if (!cursor.empty()) {
    const CursorParts parts = TRY(split_cursor(cursor, '.'));
    before = TRY(parse_cursor_uuid(parts.first));
    of = {TRY(parse_cursor_number(parts.rest))};
  }
  return store.read([&](store::Reader& reader) {
    BatchPage page;
    page.total = store::count_batches(reader, org);
    page.batches = store::list_batches(reader, org, before, of, count + 1);
    if (page.batches.size() > static_cast<std::size_t>(count)) {
      page.batches.pop_back();
      const store::TaskBatch& last = page.batches.back();
      page.next_cursor = last.id.text() + "." + std::to_string(last.org.value);
    }
    return page;
  });
}

}  // namespace muster::fleet
