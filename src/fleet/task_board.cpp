// SPDX-License-Identifier: Apache-2.0
#include "fleet/task_board.h"

#include "fleet/announcements.h"
#include "fleet/history.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskStatus;

void recount_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                         bool effect_once, bool delivered) {
  const store::OutstandingOfAgent waiting = store::get_outstanding(tx, org, agent, effect_once);
  tx.on_commit([=, &presence] {
    presence.with_agent(agent, [&](AgentPresence& state) {
      state.pending_tasks = waiting.pending;
      state.redeliverable_tasks = waiting.redeliverable;
      state.redeliver_at = waiting.redeliver_at.value_or(Instant{number_id_max});
      if (delivered) state.idle_beats = 0;
    });
  });
}

void follow_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                        bool effect_once, bool delivered) {
  announce_tasks(tx, org, agent);
  recount_outstanding(tx, presence, org, agent, effect_once, delivered);
}

bool is_outstanding(const Task& task) {
  return task.status == TaskStatus::pending ||
         (task.status == TaskStatus::assigned && !task.started_at);
}

void record_task_event(store::Tx& tx, NumberIds& ids, const Task& task, HostId host,
                       model::EventType type, Instant now) {
  record_event(
      tx, ids, task.org, type, task.agent, host,
      [&](JsonWriter& details) {
        details.member("task_id", task.id).member("task_type", model::task_type_name(task.type));
        if (!task.error.empty()) details.member("reason", task.error);
        if (task.original) details.member("original_task_id", *task.original);
      },
      now);
}

Error unknown_task() {
  return {Errc::unknown_task, "Task not found"};
}

}  // namespace muster::fleet
