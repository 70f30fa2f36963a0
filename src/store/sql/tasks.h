// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/task.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// `sealed_env`: its environment variables, sealed; empty for none.
void insert_task(Tx& tx, const model::Task& task, std::string_view sealed_env = {});
/// Rewrites what advance() may change. A task that is over loses its environment variables.
void set_task(Tx& tx, const model::Task& task);
/// Apart from the task, so that nothing that shows tasks ever holds them. Empty: it has none.
std::string find_sealed_env(Reader& reader, OrgId org, TaskId id);
/// What was signed of a task; `id` is the order's.
void insert_work_order(Tx& tx, OrgId org, TaskId task, const Uuid& id,
                       const model::SignedOrder& order);
std::optional<model::SignedOrder> find_work_order(Reader& reader, OrgId org, TaskId task);
/// The task that an order is of.
std::optional<TaskId> find_task_of_order(Reader& reader, OrgId org, const Uuid& id);
/// Tasks of all organisations that are due by `now`, the longest due first.
std::vector<model::Task> list_due_tasks(Reader& reader, Instant now, int count);
/// Retries of the chain that began with `original`, in their order.
std::vector<model::Task> list_retries(Reader& reader, OrgId org, TaskId original);
std::optional<model::Task> find_task(Reader& reader, OrgId org, TaskId id);
/// Those that exist, in no order.
std::vector<model::Task> find_tasks(Reader& reader, OrgId org, const std::vector<TaskId>& ids);
/// In whatever organisation it is: for operators of the whole server.
std::optional<model::Task> find_task_anywhere(Reader& reader, TaskId id);
/// The agent's tasks that are pending or assigned, at most `count` of each: highest priority first,
/// then oldest.
std::vector<model::Task> list_deliverable_tasks(Reader& reader, OrgId org, AgentId agent,
                                                int count);
/// What the agent was given and has not finished, the oldest first.
std::vector<model::Task> list_tasks_in_hand(Reader& reader, OrgId org, AgentId agent);
/// Whether a task that is not over runs the program of that digest, 64 hexadecimal digits.
bool is_program_wanted(Reader& reader, OrgId org, std::string_view sha256);
/// Those that wait for it or for approval.
std::int64_t count_pending_tasks(Reader& reader, OrgId org, AgentId agent);
/// What a list of tasks is narrowed to; members that are absent do not narrow it.
struct TaskFilter {
  std::optional<OrgId> org = {};
  std::optional<AgentId> agent = {};
  std::optional<model::TaskStatus> status = {};
  std::optional<model::TaskType> type = {};
  std::optional<Uuid> batch = {};
  std::optional<std::string> text = {};  // somewhere in the label, in any case of letters
};
/// Newest first, `before` excluded.
std::vector<model::Task> list_tasks(Reader& reader, const TaskFilter& filter, TaskId before,
                                    int count);
Total count_tasks(Reader& reader, const TaskFilter& filter);

/// What a second person said of a batch.
struct BatchDecision {
  bool approved = false;
  OperatorId by;
  Instant at;
  std::string reason;  // empty: none was given
};
/// What one call created in one organisation.
struct TaskBatch {
  OrgId org;
  Uuid id;
  model::TaskType type = model::TaskType::execute_command;
  std::string label;
  Instant created_at;
  OperatorId created_by;
  std::vector<std::pair<model::TaskStatus, std::int64_t>> tasks;  // retries among them
  std::optional<Instant> approve_by = {};                         // it needs, or needed, approval
  std::optional<BatchDecision> decision = {};
};
/// A batch that is there already stays. Ignores `tasks` and `decision`.
void insert_batch(Tx& tx, const TaskBatch& batch);
/// Without its tasks.
std::optional<TaskBatch> find_batch(Reader& reader, OrgId org, const Uuid& id);
/// False when it needs no decision or has one.
bool decide_batch(Tx& tx, OrgId org, const Uuid& id, const BatchDecision& decision);
/// Newest first, from after `before` and, of that one, from after the organisation `of`.
std::vector<TaskBatch> list_batches(Reader& reader, std::optional<OrgId> org, const Uuid& before,
                                    OrgId of, int count);
Total count_batches(Reader& reader, std::optional<OrgId> org);
/// Which tasks of a batch a list has.
enum class BatchPart : std::uint8_t { all, unfinished, pending_approval };
/// Of one organisation or of all, in the order of their ids.
std::vector<model::Task> list_batch_tasks(Reader& reader, const Uuid& batch,
                                          std::optional<OrgId> org, BatchPart part, int count);

struct TaskNote {
  std::int64_t version = 0;  // from 1
  Instant at;
  std::string author;
  std::string text;
};
void insert_note(Tx& tx, OrgId org, TaskId task, const TaskNote& note);
/// The newest first.
std::vector<TaskNote> list_notes(Reader& reader, OrgId org, TaskId task);

/// An agent with work that a poll may find.
struct Outstanding {
  OrgId org;
  AgentId agent;
  bool pending = false;
  bool assigned = false;  // and not started
};
std::vector<Outstanding> list_outstanding(Reader& reader);

/// What a poll of one agent may find. Assigned ones matter that may be delivered again: all of an
/// agent that takes each task once by itself (`effect_once`), else those that say so and those that
/// are no commands.
struct OutstandingOfAgent {
  bool pending = false;
  std::optional<Instant> redeliver_at;  // when the first lease of those ends; none: there are none
};
struct AskedAgent {
  AgentId agent;
  bool effect_once = false;
};
/// In the order of `agents`, each of which is asked of once.
std::vector<OutstandingOfAgent> list_outstanding_of(Reader& reader, OrgId org,
                                                    const std::vector<AskedAgent>& agents);

}  // namespace muster::store
