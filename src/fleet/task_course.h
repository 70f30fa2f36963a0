// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "fleet/task_board.h"
#include "model/task_result.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

namespace muster::fleet {

/// Who polls and reports. `effect_once`: the agent answers repeated deliveries from a journal.
/// `ended`: it was uninstalled, and may only repeat the result that said so.
struct Poller {
  OrgId org;
  AgentId agent;
  HostId host;
  bool effect_once = false;
  bool ended = false;
};

/// Fails with not_owner unless the task is the agent's, or of the one that it was split from.
Result<void> check_owner(store::Reader& reader, const Poller& agent, const model::Task& task);

/// Memory only: whether a poll may find work, so that an empty one touches nothing.
bool may_have_work(const PresenceTable& presence, AgentId agent, Instant now);

/// Hands out the next task: highest priority, then oldest; also one whose delivery was lost. Its
/// payload then holds its environment variables, and `order` what was signed of it. Expires on the
/// way what is out of time. A retry waits while the agent says that it still runs an earlier try.
/// Nothing when there is none.
std::optional<model::Task> claim_task(store::Tx& tx, const TaskBoard& board, const Poller& poller,
                                      Instant now);

/// A heartbeat named the task: it has arrived. Ignores ids that are not the agent's.
void mark_task_seen(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent, TaskId task,
                    Instant now);

/// PATCH status. Fails with unknown_task, not_owner and illegal_transition. `changed` tells a
/// repeat from news.
struct StatusOutcome {
  model::Task task;
  bool changed = false;
};
Result<StatusOutcome> set_task_status(store::Tx& tx, const TaskBoard& board, const Poller& agent,
                                      TaskId id, model::TaskStatus status, std::string_view error,
                                      Instant now);

/// One commit's share of pass_task_time().
std::size_t pass_due_tasks(store::Tx& tx, const TaskBoard& board, Instant now);

/// Does what time alone does: expires what was not delivered or started, gives up what its agent
/// left, and creates the retries. In commits of limits::task_pass_rows each, at most `commits`.
/// Returns how many tasks were looked at. Throws StoreError; what is left waits for the next time.
std::size_t pass_task_time(store::Store& store, const TaskBoard& board, Instant now,
                           int commits = 8);

}  // namespace muster::fleet
