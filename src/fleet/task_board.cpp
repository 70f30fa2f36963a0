// SPDX-License-Identifier: Apache-2.0
#include "fleet/task_board.h"

#include "fleet/announcements.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskStatus;

void recount_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org,
                         const std::vector<store::AskedAgent>& agents) {
  std::vector<store::OutstandingOfAgent> waiting = store::list_outstanding_of(tx, org, agents);
  tx.on_commit([agents, waiting = std::move(waiting), &presence] {
    for (std::size_t i = 0; i < agents.size(); ++i) {
      presence.set_outstanding(agents[i].agent, waiting[i]);
    }
  });
}

void ChangedAgents::follow(store::Tx& tx, PresenceTable& presence) const {
  for (const auto& [org, agents] : agents_) {
    std::vector<store::AskedAgent> asked;
    for (const auto& [agent, effect_once] : agents) {
      announce_tasks(tx, org, agent);
      asked.push_back({agent, effect_once});
    }
    recount_outstanding(tx, presence, org, asked);
  }
}

void follow_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                        bool effect_once) {
  ChangedAgents changed;
  changed.add(org, agent, effect_once);
  changed.follow(tx, presence);
}

bool is_outstanding(const Task& task) {
  return task.status == TaskStatus::pending ||
         (task.status == TaskStatus::assigned && !task.started_at);
}

void add_task_event(EventRows& rows, const Task& task, HostId host, model::EventType type,
                    Instant now) {
  rows.add(
      type, task.agent, host,
      [&](JsonWriter& details) {
        details.member("task_id", task.id).member("task_type", model::task_type_name(task.type));
        if (!task.error.empty()) details.member("reason", task.error);
        if (task.original) details.member("original_task_id", *task.original);
      },
      now);
}

void record_task_event(store::Tx& tx, NumberIds& ids, const Task& task, HostId host,
                       model::EventType type, Instant now) {
  EventRows rows(ids, task.org);
  add_task_event(rows, task, host, type, now);
  rows.record(tx);
}

Error unknown_task() {
  return {Errc::unknown_task, "Task not found"};
}

}  // namespace muster::fleet
