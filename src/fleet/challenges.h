// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "fleet/credentials.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// What somebody is to answer once, in time. No server keeps it: the browser does, sealed, so that
/// each of several takes the answer and a stranger costs none of them anything.
struct Challenge {
  std::string octets;  // 32 random ones
  std::string sealed;  // the same with its end and whom it is for, for a cookie
  Instant expires_at;
};

/// `purpose` tells one kind from another: the seal of the one does not open as the other. `of` is
/// the operator who is to answer, 0 for whoever it is. Memory only.
Challenge make_challenge(const Credentials& credentials, Rng& rng, std::string_view purpose,
                         OperatorId of, Duration ttl, Instant now);
/// Nothing for what we did not seal, has expired, or is of another purpose or operator.
std::optional<Challenge> open_challenge(const Credentials& credentials, std::string_view purpose,
                                        std::string_view sealed, OperatorId of, Instant now);
/// False when it was used before, on any server.
bool use_challenge(store::Tx& tx, const Credentials& credentials, const Challenge& challenge,
                   Instant now);

}  // namespace muster::fleet
