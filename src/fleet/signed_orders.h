// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "fleet/tasks.h"

/// Tasks that an operator signed before the server saw them (docs/adr/0017). The server never signs
/// one: it keeps what was signed, gives it out with the task, and refuses what does not fit, so
/// that a mistake is found here and not on the hosts. The hosts judge for themselves.
namespace muster::fleet {

/// The keys of `[tasks] require_offline_signature`. Fails with invalid_field for what is no key.
Result<std::vector<crypto::PublicKey>> task_roots(const Config& config);

/// Whether the signatures of an order of tasks hold, are by one of `roots` if there are any, and
/// are of orders that an agent would take now. Fails with missing_field naming `orders` where they
/// are required, and with invalid_field naming what does not fit.
Result<void> check_signatures(const TaskOrder& order, const std::vector<crypto::PublicKey>& roots,
                              Instant now);

/// Whether what was signed says the same as the task, which has `payload`. Fails with invalid_field
/// naming the task's member that differs.
Result<void> match_order(const model::WorkOrder& signed_order, const model::Task& task,
                         const model::TaskPayload& payload, const std::string& env_vars);

}  // namespace muster::fleet
