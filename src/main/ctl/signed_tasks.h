// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

/// The flags of `tasks create` that are about signing; none of them is a member of the request.
std::vector<Flag> signing_flags();

/// The body of POST /api/v1/tasks for the flags of `tasks create`, of which --sign-key was given:
/// an order for each agent, signed here. Asks the server for the organisation of each agent and,
/// with --query, for whom it means: each of them is then signed for by its id. Fails with
/// invalid_field naming the flag.
Result<std::string> signed_request(Session& session, const FlagValues& values, Rng& rng,
                                   Instant now);

}  // namespace muster::ctl
