// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "fleet/task_board.h"
#include "model/task.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Work that waits for a second person (docs/adr/0026).
namespace muster::fleet {

/// What an operator says of work that somebody else asked for.
struct Decision {
  bool approve = false;
  OperatorId by;
  std::string reason;  // empty: none is given
};

/// Decides on everything that was created with the task in its organisation and waits for approval:
/// it may be delivered from now on, or it never runs. Returns those tasks, as they are now, in the
/// order of their ids. Fails with unknown_task; with insufficient_role for whoever created it, by
/// whatever token or session; and with illegal_transition when nothing of it waits, or the time to
/// approve it is over.
Result<std::vector<model::Task>> decide_tasks(store::Tx& tx, const TaskBoard& board,
                                              const Actor& actor, TaskId id,
                                              const Decision& decision, Instant now);

/// Names of the environment variables that a task runs with, in their order; never their values. A
/// task that is over has none.
std::vector<std::string> list_env_names(store::Store& store, const TaskBoard& board, OrgId org,
                                        TaskId id);

}  // namespace muster::fleet
