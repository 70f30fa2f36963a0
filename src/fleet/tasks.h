// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "fleet/task_board.h"
#include "model/task.h"
#include "model/task_payload.h"
#include "model/task_result.h"
#include "model/work_order.h"
#include "store/sql/tasks.h"
#include "store/total.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// What an operator asks for; one task an agent.
struct TaskOrder {
  /// With the type's defaults.
  explicit TaskOrder(model::TaskType kind);

  model::TaskType type;
  std::optional<OrgId> org;  // every agent must be of it
  std::vector<AgentId> agents;
  model::TaskPayload payload;
  std::string env_vars;  // JSON object of texts; empty for none. Kept sealed until the task is over
  std::int64_t priority;
  std::int64_t execution_timeout_seconds;
  std::int64_t max_retries;
  Duration deliver_within;
  Duration valid_for;
  bool redeliver = false;

  struct Signed {
    model::SignedOrder order;
    model::WorkOrder says;  // order.text
  };
  std::vector<Signed> orders;  // one for each of `agents`, or none
};

/// What was created, in the order of the agents.
struct CreatedTasks {
  Uuid batch;
  std::vector<TaskId> ids;
  std::size_t unapproved = 0;  // of them wait for a second person (fleet/approvals.h)
};

/// Creates all or none. What its organisation wants approved (Settings::approval_rule_of) waits for
/// that, and is given to nobody until then. A test gets the program that its organisation has for
/// `payload.test_uuid`, by `payload.binary_name` if given, as it is now; without one it fails with
/// not_found naming `test_uuid`. Fails with not_found naming `agent_ids[i]` for an agent that is
/// unknown, superseded or of another organisation than the order's, and with invalid_field for one
/// that was uninstalled or has limits::pending_tasks_per_agent already. A signed order, of which
/// check_signatures() said that it holds, must say what its task says (invalid_field naming the
/// member) and never was another task's; its task ends with it and is not retried, for an agent
/// carries it out once.
Result<CreatedTasks> create_tasks(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                  OperatorId creator, const TaskOrder& order, Instant now);

/// Fails with unknown_task, and with illegal_transition for a task that is over.
Result<model::Task> cancel_task(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                TaskId id, Instant now);

/// Cancels what of a batch is not over, retries included, in one organisation or in all of them.
/// Returns those tasks, as they are now. Fails with not_found for a batch that never was there. At
/// most limits::batch_cancel_rows at a time: a repeat takes the rest.
Result<std::vector<model::Task>> cancel_batch(store::Tx& tx, const TaskBoard& board,
                                              const Actor& actor, const Uuid& batch,
                                              std::optional<OrgId> org, Instant now);

/// A new version of the task's note; the former ones stay. Fails with unknown_task, and with
/// invalid_field when there are limits::task_notes already.
Result<store::TaskNote> add_note(store::Tx& tx, NumberIds& ids, const Actor& actor, TaskId id,
                                 std::string_view text, Instant now);

/// A task with its result, as operators see it.
struct TaskView {
  model::Task task;
  std::string hostname;
  std::optional<model::TaskResult> result;     // only from show_task
  std::vector<store::TaskNote> notes;          // only from show_task, the newest first
  std::optional<store::TaskBatch> batch = {};  // only from show_task
};
Result<TaskView> show_task(store::Store& store, TaskId id, Instant now);
struct TaskPage {
  std::vector<TaskView> tasks;
  std::string next_cursor;
  store::Total total;
};
/// Newest first. Fails with invalid_field for a cursor that is none.
Result<TaskPage> list_task_page(store::Store& store, const store::TaskFilter& filter,
                                std::string_view cursor, int count, Instant now);

struct BatchPage {
  std::vector<store::TaskBatch> batches;
  std::string next_cursor;
  store::Total total;
};
/// Newest first. Fails with invalid_field for a cursor that is none.
Result<BatchPage> list_batch_page(store::Store& store, std::optional<OrgId> org,
                                  std::string_view cursor, int count);

}  // namespace muster::fleet
