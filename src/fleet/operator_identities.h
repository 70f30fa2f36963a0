// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/challenges.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/oidc_provider.h"
#include "fleet/operators.h"
#include "fleet/sign_in.h"
#include "store/sql/operator_identities.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

/// Signing in by a provider of identities, one of whose people an operator is (docs/adr/0028).
namespace muster::fleet {

/// One trip of a browser to the provider and back, within limits::oidc_request_ttl. The terms
/// follow from the challenge, which the browser keeps sealed.
struct OidcTrip {
  Challenge challenge;
  OidcTerms terms;
};
/// `links` is the operator who is to be linked to whom the provider names, 0 for signing in. Memory
/// only.
OidcTrip begin_oidc_trip(const Credentials& credentials, Rng& rng, OperatorId links, Instant now);
/// The trip that came back with `state`. Fails with `code` when this browser did not begin it,
/// began it for something else, or too long ago.
Result<OidcTrip> end_oidc_trip(const Credentials& credentials, std::string_view sealed,
                               std::string_view state, OperatorId links, Errc code, Instant now);

/// From now on whom the provider named is the operator. Linking its own again changes nothing.
/// Fails with not_found, and with illegal_transition when the trip was used, the identity is
/// another operator's, or the operator has limits::operator_identities.
Result<store::OperatorIdentity> link_identity(store::Tx& tx, NumberIds& ids,
                                              const Credentials& credentials, const Actor& actor,
                                              OperatorId id, const OidcTrip& trip,
                                              const ProvedIdentity& proved, Instant now);
/// In the order of their creation. Fails with not_found and insufficient_role.
Result<std::vector<store::OperatorIdentity>> list_identities(store::Store& store,
                                                             const OperatorAsker& asker,
                                                             OperatorId of);
/// Ends the operator's sessions, but for the one that asks. Fails with not_found,
/// insufficient_role, and as check_own_way_in().
Result<store::OperatorIdentity> unlink_identity(store::Tx& tx, NumberIds& ids,
                                                Credentials& credentials,
                                                const OperatorAsker& asker, IdentityId identity,
                                                Instant now);

/// As sign_in(). Fails with invalid_credentials when the trip was used, nobody is linked to whom
/// the provider named, or that operator's token is over.
Result<SignedIn> sign_in_with_identity(store::Tx& tx, NumberIds& ids, Rng& rng,
                                       Credentials& credentials, const Config& config,
                                       const OidcTrip& trip, const ProvedIdentity& proved,
                                       std::string_view address, Instant now);

/// Before one of the asker's own passkeys or identities goes: that another way in stays, be it a
/// password, a passkey or an identity. Whoever asks with a token has that. Fails with
/// illegal_transition.
Result<void> check_own_way_in(store::Reader& reader, const OperatorAsker& asker);

}  // namespace muster::fleet
