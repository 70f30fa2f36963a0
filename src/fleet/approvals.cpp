// SPDX-License-Identifier: Apache-2.0
#include "fleet/approvals.h"

#include "base/json_read.h"
#include "base/limits.h"
#include "crypto/seal.h"
#include "fleet/audit.h"
#include "model/work_order.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;

namespace {

/// When what an operator signed of the task ends; nothing for an unsigned one.
std::optional<Instant> signed_until(store::Reader& reader, const Task& task) {
  const auto order = store::find_work_order(reader, task.org, task.id);
  if (!order) return std::nullopt;
  const Result<model::WorkOrder> says = model::parse_work_order(order->text);
  // A text that somebody changed in the store: its agent refuses it.
  return says.ok() ? std::optional(says->expires_at) : std::nullopt;
}

TaskEvent event_of(store::Reader& reader, const Task& task, const Decision& decision,
                   std::string_view rejected) {
  TaskEvent event{decision.approve ? TaskEvent::Kind::approved : TaskEvent::Kind::rejected};
  if (decision.approve) {
    event.signed_until = signed_until(reader, task);
  } else {
    event.error = rejected;
  }
  return event;
}

void record(AuditRows& audit, const Task& task, const Decision& decision,
            const store::TaskBatch& batch) {
  audit.add(task.org, decision.approve ? "tasks.approve" : "tasks.reject", task.id.text(),
            [&](JsonWriter& details) {
              details.member("batch_id", task.batch).member("created_by", batch.created_by);
              if (!decision.reason.empty()) details.member("reason", decision.reason);
            });
}

}  // namespace

Result<std::vector<Task>> decide_tasks(store::Tx& tx, const TaskBoard& board, const Actor& actor,
                                       TaskId id, const Decision& decision, Instant now) {
  const std::optional<Task> named = store::find_task_anywhere(tx, id);
  if (!named) return unknown_task();
  const auto batch = store::find_batch(tx, named->org, named->batch);
  std::vector<Task> waiting = store::list_batch_tasks(
      tx, named->batch, named->org, store::BatchPart::pending_approval, limits::batch_cancel_rows);
  if (!batch || waiting.empty()) {
    return Error{Errc::illegal_transition, "Nothing of it waits for approval."};
  }
  if (batch->created_by == decision.by) {
    return Error{Errc::insufficient_role,
                 "Whoever asked for work does not decide on it: that needs a second person."};
  }
  const std::string rejected =
      decision.reason.empty() ? "rejected" : "rejected: " + decision.reason;
  std::vector<Task> decided;
  AuditRows audit(board.ids, actor, now);
  ChangedAgents changed;
  for (const Task& task : waiting) {
    Result<Task> moved = advance(task, event_of(tx, task, decision, rejected), now);
    // Its own time may be over, where what was signed of it ends early: that is for time to do.
    if (!moved.ok()) continue;
    store::set_task(tx, *moved);
    record(audit, *moved, decision, *batch);
    const auto state = board.presence.find_agent(task.agent);
    record_task_event(
        tx, board.ids, *moved, state ? state->host : HostId{},
        decision.approve ? model::EventType::task_approved : model::EventType::task_rejected, now);
    changed.add(task.org, task.agent);
    decided.push_back(*std::move(moved));
  }
  if (decided.empty()) {
    return Error{Errc::illegal_transition, "The time to approve it is over."};
  }
  changed.follow(tx, board.presence);
  store::decide_batch(tx, named->org, named->batch,
                      {decision.approve, decision.by, now, decision.reason});
  audit.record(tx);
  return decided;
}

std::vector<std::string> list_env_names(store::Store& store, const TaskBoard& board, OrgId org,
                                        TaskId id) {
  const std::string sealed =
      store.read([&](store::Reader& reader) { return store::find_sealed_env(reader, org, id); });
  std::vector<std::string> names;
  if (sealed.empty()) return names;
  const std::optional<std::string> env_vars = crypto::unseal(sealed, board.key);
  if (!env_vars) return names;
  JsonDocument document;
  const Result<Json> object = document.parse(*env_vars);
  if (!object.ok()) return names;
  object->for_each_member([&](std::string_view name, const Json&) { names.emplace_back(name); });
  return names;
}

}  // namespace muster::fleet
