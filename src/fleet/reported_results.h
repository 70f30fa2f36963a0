// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "fleet/task_course.h"
#include "model/task_result.h"
#include "store/store.h"

namespace muster::fleet {

/// A result on its way into the store. Many that meet in one commit are stored together
/// (docs/adr/0036).
struct ReportedResult : store::JointWork {
  ReportedResult(const TaskBoard& board, const Poller& agent, model::TaskResult result,
                 model::ResultClaims claims, Instant now);

  const TaskBoard& board;
  Poller agent;
  model::TaskResult result;
  model::ResultClaims claims;
  Instant now;
  std::optional<Result<StatusOutcome>> outcome;  // once it was looked at
};

/// A result of a task that has none is stored, in whatever state the task is; a repeat changes
/// nothing. Ends a retry that has not begun: what it would find out is known. The first result of
/// an uninstall ends its agent. What cannot be true of it is kept and flagged. Fails with
/// unknown_task and not_owner, and for an agent that has ended with invalid_credentials unless it
/// is a repeat. Only tells the outcome of what was stored with others.
Result<StatusOutcome> record_result(store::Tx& tx, ReportedResult& reported);

}  // namespace muster::fleet
