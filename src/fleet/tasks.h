// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/presence.h"
#include "model/task.h"
#include "store/total.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// What an operator asks for; one task an agent.
struct TaskOrder {
  model::TaskType type = model::TaskType::execute_command;
  std::vector<AgentId> agents;
  std::string payload;  // JSON object as agents get it
  std::int64_t priority = 1;
  std::int64_t execution_timeout_seconds = 300;
  Duration deliver_within{};
  Duration valid_for{};
  bool redeliver = false;
};

/// Creates all or none. Fails with not_found naming `agent_ids[i]` for an agent that is unknown or
/// superseded, and with invalid_field when an agent has limits::pending_tasks_per_agent already.
Result<std::vector<TaskId>> create_tasks(store::Tx& tx, NumberIds& ids, Rng& rng,
                                         PresenceTable& presence, const Actor& actor,
                                         OperatorId creator, const TaskOrder& order, Instant now);

/// Fails with unknown_task, and with illegal_transition for a task that is over.
Result<model::Task> cancel_task(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                const Actor& actor, TaskId id, Instant now);

/// Who polls. `effect_once`: the agent answers repeated deliveries from a journal.
struct Poller {
  OrgId org;
  AgentId agent;
  HostId host;
  bool effect_once = false;
};

/// Memory only: whether a poll may find work, so that an empty one touches nothing.
bool may_have_work(const PresenceTable& presence, AgentId agent, Instant now);

/// Hands out the next task: highest priority, then oldest; also one whose delivery was lost.
/// Expires on the way what is out of time. Nothing when there is none.
std::optional<model::Task> claim_task(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                      const Poller& poller, Instant now);

/// A heartbeat named the task: it has arrived. Ignores ids that are not the agent's.
void mark_task_seen(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent, TaskId task,
                    Instant now);

/// PATCH status. Fails with unknown_task, not_owner and illegal_transition. `changed` tells a
/// repeat from news.
struct StatusOutcome {
  model::Task task;
  bool changed = false;
};
Result<StatusOutcome> set_task_status(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                      const Poller& agent, TaskId id, model::TaskStatus status,
                                      std::string_view error, Instant now);

/// A result of a task that has none is stored, in whatever state the task is; a repeat changes
/// nothing. Fails with unknown_task and not_owner.
Result<StatusOutcome> record_result(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                                    const Poller& agent, model::TaskResult result, Instant now);

/// A task with its result, as operators see it.
struct TaskView {
  model::Task task;
  std::string hostname;
  std::optional<model::TaskResult> result;  // only from show_task
};
Result<TaskView> show_task(store::Store& store, TaskId id, Instant now);
struct TaskPage {
  std::vector<TaskView> tasks;
  std::string next_cursor;
  store::Total total;
};
/// Newest first.
TaskPage list_task_page(store::Store& store, std::optional<AgentId> agent, std::string_view cursor,
                        int count, Instant now);

}  // namespace muster::fleet
