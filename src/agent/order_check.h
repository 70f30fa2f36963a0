// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "agent/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "model/work_order.h"

namespace muster::agent {

/// By what an order is judged that came with a task.
struct OrderJudge {
  const std::vector<crypto::PublicKey>& keys;  // [policy] trusted_task_keys: each may sign
  std::string_view org;                        // of this agent, as it was told at enrolment
  AgentId agent;
  Instant server_time;  // as the server's answers told it
  /// The later of that and the host's own clock: neither can make an expired order valid.
  Instant latest;
};

/// The keys of `[policy] trusted_task_keys`. Fails with invalid_field for what is no key.
Result<std::vector<crypto::PublicKey>> task_keys(const std::vector<std::string>& pinned);

/// What was signed, once its signature is by a key of the judge's, and it is for this agent, of
/// this organisation, begun and not expired. Fails with invalid_field, which says why not.
Result<model::WorkOrder> accept_order(std::string_view text, std::string_view signature,
                                      const OrderJudge& judge);

/// Fails with invalid_field naming the member of the task that is not what was signed.
Result<void> match_order(const model::WorkOrder& order, const Assignment& assignment);

}  // namespace muster::agent
