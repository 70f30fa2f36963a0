// SPDX-License-Identifier: Apache-2.0
#include "store/sql/tasks.h"

#include <algorithm>
#include <unordered_map>

#include "store/sql/octets.h"
#include "store/sql/patterns.h"
#include "store/store.h"

namespace muster::store {

using model::Task;

namespace {

#define TASK_COLUMNS                                                                      \
  "org_id, task_id, agent_id, batch_id, type, status, priority, payload, redeliver,"      \
  " execution_timeout_seconds, created_by, created_at, deliver_by, valid_until, attempt," \
  " assigned_at, lease_until, started_at, finished_at, error, label, test_uuid,"          \
  " retry_count, max_retries, original_task_id, due_at, approve_by"

Task read_task(const Rows& rows) {
  Task task;
  task.org = rows.number_id<OrgId>(0);
  task.id = rows.uuid_id<TaskId>(1);
  task.agent = rows.uuid_id<AgentId>(2);
  task.batch = rows.uuid(3);
  const auto type = model::parse_task_type(rows.text(4));
  const auto status = model::parse_task_status(rows.text(5));
  if (!type || !status) throw StoreError("tasks: unknown type or status");
  task.type = *type;
  task.status = *status;
  task.priority = rows.integer(6);
  task.payload = rows.string(7);
  task.redeliver = rows.boolean(8);
  task.execution_timeout_seconds = rows.integer(9);
  task.created_by = rows.number_id<OperatorId>(10);
  task.created_at = rows.instant(11);
  task.deliver_by = rows.instant(12);
  task.valid_until = rows.instant(13);
  task.attempt = rows.integer(14);
  task.assigned_at = rows.maybe_instant(15);
  task.lease_until = rows.maybe_instant(16);
  task.started_at = rows.maybe_instant(17);
  task.finished_at = rows.maybe_instant(18);
  task.error = rows.string(19);
  task.label = rows.string(20);
  task.test_uuid = rows.string(21);
  task.retry_count = rows.integer(22);
  task.max_retries = rows.integer(23);
  if (!rows.is_null(24)) task.original = rows.uuid_id<TaskId>(24);
  task.due_at = rows.maybe_instant(25);
  task.approve_by = rows.maybe_instant(26);
  return task;
}

std::vector<Task> read_tasks(Rows rows) {
  std::vector<Task> tasks;
  while (rows.next()) tasks.push_back(read_task(rows));
  return tasks;
}

std::optional<Task> first(std::vector<Task> tasks) {
  if (tasks.empty()) return std::nullopt;
  return std::move(tasks.front());
}

}  // namespace

void insert_task(Tx& tx, const Task& task, std::string_view sealed_env) {
  const std::optional<Blob> env =
      sealed_env.empty() ? std::nullopt : std::optional(Blob{sealed_env});
  tx.post("INSERT INTO tasks (" TASK_COLUMNS
          ", sealed_env) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
          " $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)",
          task.org, task.id, task.agent, task.batch, model::task_type_name(task.type),
          model::task_status_name(task.status), task.priority, task.payload, task.redeliver,
          task.execution_timeout_seconds, task.created_by, task.created_at, task.deliver_by,
          task.valid_until, task.attempt, task.assigned_at, task.lease_until, task.started_at,
          task.finished_at, task.error, task.label, task.test_uuid, task.retry_count,
          task.max_retries, task.original, task.due_at, task.approve_by, env);
}

void set_task(Tx& tx, const Task& task) {
  tx.post(
      "UPDATE tasks SET status = $3, attempt = $4, assigned_at = $5, lease_until = $6,"
      " started_at = $7, finished_at = $8, error = $9, due_at = $10,"
      " sealed_env = CASE WHEN $11 = 1 THEN NULL ELSE sealed_env END, deliver_by = $12,"
      " valid_until = $13 WHERE org_id = $1 AND task_id = $2",
      task.org, task.id, model::task_status_name(task.status), task.attempt, task.assigned_at,
      task.lease_until, task.started_at, task.finished_at, task.error, task.due_at,
      model::is_terminal(task.status), task.deliver_by, task.valid_until);
}

std::string find_sealed_env(Reader& reader, OrgId org, TaskId id) {
  Rows rows =
      reader.query("SELECT sealed_env FROM tasks WHERE org_id = $1 AND task_id = $2", org, id);
  return rows.next() && !rows.is_null(0) ? std::string(rows.blob(0)) : std::string();
}

void insert_work_order(Tx& tx, OrgId org, TaskId task, const Uuid& id,
                       const model::SignedOrder& order) {
  tx.post(
      "INSERT INTO work_orders (org_id, task_id, order_id, order_text, signature, signer)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      org, task, id, order.text, octets_of(order.signature), octets_of(order.signer));
}

std::optional<model::SignedOrder> find_work_order(Reader& reader, OrgId org, TaskId task) {
  Rows rows = reader.query(
      "SELECT order_text, signature, signer FROM work_orders WHERE org_id = $1 AND task_id = $2",
      org, task);
  if (!rows.next()) return std::nullopt;
  model::SignedOrder order;
  order.text = rows.string(0);
  read_octets(rows, 1, order.signature);
  read_octets(rows, 2, order.signer);
  return order;
}

std::optional<TaskId> find_task_of_order(Reader& reader, OrgId org, const Uuid& id) {
  Rows rows =
      reader.query("SELECT task_id FROM work_orders WHERE org_id = $1 AND order_id = $2", org, id);
  if (!rows.next()) return std::nullopt;
  return rows.uuid_id<TaskId>(0);
}

std::vector<Task> list_due_tasks(Reader& reader, Instant now, int count) {
  return read_tasks(reader.query("SELECT " TASK_COLUMNS
                                 " FROM tasks WHERE due_at IS NOT NULL AND due_at < $1"
                                 " ORDER BY due_at LIMIT $2",
                                 now, count));
}

std::vector<Task> list_retries(Reader& reader, OrgId org, TaskId original) {
  return read_tasks(reader.query("SELECT " TASK_COLUMNS
                                 " FROM tasks WHERE org_id = $1 AND original_task_id = $2"
                                 " ORDER BY retry_count",
                                 org, original));
}

std::optional<Task> find_task(Reader& reader, OrgId org, TaskId id) {
  return first(read_tasks(reader.query(
      "SELECT " TASK_COLUMNS " FROM tasks WHERE org_id = $1 AND task_id = $2", org, id)));
}

std::vector<Task> find_tasks(Reader& reader, OrgId org, const std::vector<TaskId>& ids) {
  std::vector<Task> tasks;
  // Each by its key, whatever the planner believes of the table: OFFSET 0 keeps it from joining.
  reader.query_batch(
      "SELECT " TASK_COLUMNS " FROM tasks WHERE org_id = $1 AND task_id = $2",
      "SELECT found.* FROM unnest($2) AS given (asked_id) CROSS JOIN LATERAL (SELECT " TASK_COLUMNS
      " FROM tasks WHERE org_id = $1 AND task_id = given.asked_id OFFSET 0) AS found",
      org, ids, [](const TaskId& id) { return std::array<Param, 1>{id}; },
      [&](const Rows& rows) { tasks.push_back(read_task(rows)); });
  return tasks;
}

std::optional<Task> find_task_anywhere(Reader& reader, TaskId id) {
  return first(
      read_tasks(reader.query("SELECT " TASK_COLUMNS " FROM tasks WHERE task_id = $1", id)));
}

std::vector<Task> list_deliverable_tasks(Reader& reader, OrgId org, AgentId agent, int count) {
  // Each status has its own window: deliveries that were lost must not hide what waits.
  return read_tasks(
      reader.query("SELECT * FROM (SELECT " TASK_COLUMNS
                   " FROM tasks WHERE org_id = $1 AND agent_id = $2 AND status = 'pending'"
                   " ORDER BY priority DESC, created_at, task_id LIMIT $3) pending"
                   " UNION ALL SELECT * FROM (SELECT " TASK_COLUMNS
                   " FROM tasks WHERE org_id = $1 AND agent_id = $2 AND status = 'assigned'"
                   " ORDER BY priority DESC, created_at, task_id LIMIT $3) assigned"
                   " ORDER BY priority DESC, created_at, task_id",
                   org, agent, count));
}

std::vector<Task> list_tasks_in_hand(Reader& reader, OrgId org, AgentId agent) {
  // An order would have SQLite walk the organisation's tasks for it.
  return read_tasks(reader.query("SELECT " TASK_COLUMNS
                                 " FROM tasks WHERE org_id = $1 AND agent_id = $2"
                                 " AND status IN ('assigned', 'downloading', 'executing')",
                                 org, agent));
}

bool is_program_wanted(Reader& reader, OrgId org, std::string_view sha256) {
  // Written so that the database walks the tasks that are not over, and not all that ever were.
  const std::string pattern = "%\"binary_sha256\": \"" + std::string(sha256) + "\"%";
  Rows rows = reader.query(
      "SELECT 1 FROM tasks WHERE due_at > 0 AND ($1 IS NULL OR org_id = $1)"
      " AND payload LIKE $2 LIMIT 1",
      org, pattern);
  return rows.next();
}

std::int64_t count_pending_tasks(Reader& reader, OrgId org, AgentId agent) {
  Rows rows = reader.query(
      "SELECT count(*) FROM tasks WHERE org_id = $1 AND agent_id = $2"
      " AND status IN ('pending', 'pending_approval')",
      org, agent);
  rows.next();
  return rows.integer(0);
}

/// A TaskFilter as $1 to $6.
#define TASK_FILTER                                                \
  "($1 IS NULL OR org_id = $1) AND ($2 IS NULL OR agent_id = $2)"  \
  " AND ($3 IS NULL OR status = $3) AND ($4 IS NULL OR type = $4)" \
  " AND ($5 IS NULL OR batch_id = $5) AND ($6 IS NULL OR lower(label) LIKE $6 ESCAPE '!')"
// Lists of an agent or a batch go by its index, the others by the order of the ids.
#define OF_AGENT "org_id IN (SELECT org_id FROM orgs) AND agent_id = $2 AND " TASK_FILTER
#define OF_BATCH "org_id IN (SELECT org_id FROM orgs) AND batch_id = $5 AND " TASK_FILTER
// Few of all that ever were: an index of its own.
#define UNAPPROVED "status = 'pending_approval' AND " TASK_FILTER
#define TASK_PAGE " AND task_id < $7 ORDER BY task_id DESC LIMIT $8"
#define COUNTED(where) \
  "SELECT count(*) FROM (SELECT 1 FROM tasks WHERE " where " LIMIT $7) AS counted"

namespace {

Sql page_sql(const TaskFilter& filter) {
  if (filter.agent) return "SELECT " TASK_COLUMNS " FROM tasks WHERE " OF_AGENT TASK_PAGE;
  if (filter.batch) return "SELECT " TASK_COLUMNS " FROM tasks WHERE " OF_BATCH TASK_PAGE;
  if (filter.status == model::TaskStatus::pending_approval) {
    return "SELECT " TASK_COLUMNS " FROM tasks WHERE " UNAPPROVED TASK_PAGE;
  }
  return "SELECT " TASK_COLUMNS " FROM tasks WHERE " TASK_FILTER TASK_PAGE;
}

Sql count_sql(const TaskFilter& filter) {
  if (filter.agent) return COUNTED(OF_AGENT);
  if (filter.batch) return COUNTED(OF_BATCH);
  if (filter.status == model::TaskStatus::pending_approval) return COUNTED(UNAPPROVED);
  return COUNTED(TASK_FILTER);
}

template <typename Enum>
std::optional<std::string_view> name_of(const std::optional<Enum>& value,
                                        std::string_view (*name)(Enum)) {
  if (!value) return std::nullopt;
  return name(*value);
}

}  // namespace

std::vector<Task> list_tasks(Reader& reader, const TaskFilter& filter, TaskId before, int count) {
  return read_tasks(reader.query(page_sql(filter), filter.org, filter.agent,
                                 name_of(filter.status, model::task_status_name),
                                 name_of(filter.type, model::task_type_name), filter.batch,
                                 anywhere(filter.text), before, count));
}

Total count_tasks(Reader& reader, const TaskFilter& filter) {
  return read_total(reader.query(count_sql(filter), filter.org, filter.agent,
                                 name_of(filter.status, model::task_status_name),
                                 name_of(filter.type, model::task_type_name), filter.batch,
                                 anywhere(filter.text), limits::counted_rows + 1));
}

namespace {

constexpr std::string_view approved_text = "approved";
constexpr std::string_view rejected_text = "rejected";

#define BATCH_COLUMNS                                                                \
  "b.org_id, b.batch_id, b.type, b.label, b.created_at, b.created_by, b.approve_by," \
  " b.decision, b.decided_by, b.decided_at, b.reason"

TaskBatch read_batch(const Rows& rows) {
  TaskBatch batch;
  batch.org = rows.number_id<OrgId>(0);
  batch.id = rows.uuid(1);
  batch.type = model::parse_task_type(rows.text(2)).value_or(batch.type);
  batch.label = rows.string(3);
  batch.created_at = rows.instant(4);
  batch.created_by = rows.number_id<OperatorId>(5);
  batch.approve_by = rows.maybe_instant(6);
  if (!rows.is_null(7)) {
    batch.decision = BatchDecision{rows.text(7) == approved_text, rows.number_id<OperatorId>(8),
                                   rows.instant(9), rows.string(10)};
  }
  return batch;
}

}  // namespace

void insert_batch(Tx& tx, const TaskBatch& batch) {
  tx.post(
      "INSERT INTO task_batches (org_id, batch_id, type, label, created_at, created_by, approve_by)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, batch_id) DO NOTHING",
      batch.org, batch.id, model::task_type_name(batch.type), batch.label, batch.created_at,
      batch.created_by, batch.approve_by);
}

std::optional<TaskBatch> find_batch(Reader& reader, OrgId org, const Uuid& id) {
  Rows rows = reader.query("SELECT " BATCH_COLUMNS
                           " FROM task_batches b WHERE b.org_id = $1 AND b.batch_id = $2",
                           org, id);
  if (!rows.next()) return std::nullopt;
  return read_batch(rows);
}

bool decide_batch(Tx& tx, OrgId org, const Uuid& id, const BatchDecision& decision) {
  return tx.execute(
             "UPDATE task_batches SET decision = $3, decided_by = $4, decided_at = $5, reason = $6"
             " WHERE org_id = $1 AND batch_id = $2 AND approve_by IS NOT NULL AND decision IS NULL",
             org, id, decision.approved ? approved_text : rejected_text, decision.by, decision.at,
             decision.reason) == 1;
}

std::vector<TaskBatch> list_batches(Reader& reader, std::optional<OrgId> org, const Uuid& before,
                                    OrgId of, int count) {
  std::vector<TaskBatch> batches;
  Rows rows = reader.query(
      "SELECT " BATCH_COLUMNS
      ", t.status, count(*) FROM (SELECT * FROM task_batches WHERE ($1 IS NULL OR org_id = $1)"
      " AND (batch_id < $2 OR (batch_id = $2 AND org_id < $3))"
      " ORDER BY batch_id DESC, org_id DESC LIMIT $4) b"
      " JOIN tasks t ON t.org_id = b.org_id AND t.batch_id = b.batch_id"
      " GROUP BY " BATCH_COLUMNS
      ", t.status"
      " ORDER BY b.batch_id DESC, b.org_id DESC, t.status",
      org, before, of, count);
  while (rows.next()) {
    const auto in = rows.number_id<OrgId>(0);
    const Uuid id = rows.uuid(1);
    if (batches.empty() || batches.back().id != id || batches.back().org != in) {
      batches.push_back(read_batch(rows));
    }
    if (const auto status = model::parse_task_status(rows.text(11))) {
      batches.back().tasks.emplace_back(*status, rows.integer(12));
    }
  }
  return batches;
}

Total count_batches(Reader& reader, std::optional<OrgId> org) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM task_batches WHERE ($1 IS NULL OR org_id = $1)"
      " LIMIT $2) AS counted",
      org, limits::counted_rows + 1));
}

std::vector<Task> list_batch_tasks(Reader& reader, const Uuid& batch, std::optional<OrgId> org,
                                   BatchPart part, int count) {
  return read_tasks(reader.query(
      "SELECT " TASK_COLUMNS
      " FROM tasks WHERE org_id IN (SELECT org_id FROM orgs WHERE org_id = coalesce($2, org_id))"
      " AND batch_id = $1 AND ($3 = 0 OR status = 'pending_approval' OR ($3 = 1 AND"
      " status IN ('pending', 'assigned', 'downloading', 'executing'))) ORDER BY task_id LIMIT $4",
      batch, org, static_cast<std::int64_t>(part), count));
}

void insert_note(Tx& tx, OrgId org, TaskId task, const TaskNote& note) {
  tx.post(
      "INSERT INTO task_notes (org_id, task_id, version, at, author, note)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      org, task, note.version, note.at, note.author, note.text);
}

std::vector<TaskNote> list_notes(Reader& reader, OrgId org, TaskId task) {
  std::vector<TaskNote> notes;
  Rows rows = reader.query(
      "SELECT version, at, author, note FROM task_notes WHERE org_id = $1 AND task_id = $2"
      " ORDER BY version DESC",
      org, task);
  while (rows.next()) {
    notes.push_back({rows.integer(0), rows.instant(1), rows.string(2), rows.string(3)});
  }
  return notes;
}

std::vector<Outstanding> list_outstanding(Reader& reader) {
  std::vector<Outstanding> agents;
  Rows rows = reader.query(
      "SELECT org_id, agent_id, max(CASE WHEN status = 'pending' THEN 1 ELSE 0 END),"
      " max(CASE WHEN status = 'assigned' AND started_at IS NULL THEN 1 ELSE 0 END)"
      " FROM tasks WHERE status IN ('pending', 'assigned') GROUP BY org_id, agent_id");
  while (rows.next()) {
    agents.push_back(
        {rows.number_id<OrgId>(0), rows.uuid_id<AgentId>(1), rows.boolean(2), rows.boolean(3)});
  }
  return agents;
}

// An agent may have limits::pending_tasks_per_agent, so the pending ones are not counted.
#define OUTSTANDING(agent, effect_once)                                                  \
  "SELECT CASE WHEN EXISTS (SELECT 1 FROM tasks WHERE org_id = $1 AND agent_id = " agent \
  " AND status = 'pending') THEN 1 ELSE 0 END AS pending, (SELECT"                       \
  " min(coalesce(lease_until, 0)) FROM tasks WHERE org_id = $1 AND agent_id = " agent    \
  " AND status = 'assigned' AND started_at IS NULL AND (" effect_once                    \
  " = 1 OR redeliver = 1 OR type <> 'execute_command')) AS redeliver_at"

std::vector<OutstandingOfAgent> list_outstanding_of(Reader& reader, OrgId org,
                                                    const std::vector<AskedAgent>& agents) {
  std::unordered_map<AgentId, OutstandingOfAgent> waiting;
  reader.query_batch(
      "SELECT $2, counted.* FROM (" OUTSTANDING("$2", "$3") ") AS counted",
      "SELECT given.asked_id, counted.* FROM unnest($2, $3) AS given (asked_id, once)"
      " CROSS JOIN LATERAL (" OUTSTANDING("given.asked_id", "given.once") ") AS counted",
      org, agents,
      [](const AskedAgent& asked) {
        return std::array<Param, 2>{asked.agent, asked.effect_once};
      },
      [&](const Rows& rows) {
        waiting[rows.uuid_id<AgentId>(0)] = {rows.boolean(1), rows.maybe_instant(2)};
      });
  std::vector<OutstandingOfAgent> found;
  for (const AskedAgent& asked : agents) found.push_back(waiting[asked.agent]);
  return found;
}

#undef OUTSTANDING

}  // namespace muster::store
