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
#include "crypto/webauthn.h"
#include "fleet/challenges.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/operators.h"
#include "fleet/sign_in.h"
#include "http/role.h"
#include "store/sql/passkeys.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Signing in by a passkey: a key pair of one's authenticator, which verifies its user (W3C Web
/// Authentication Level 3; docs/adr/0029).
namespace muster::fleet {

/// What an authenticator is to sign, once, within limits::passkey_challenge_ttl, in order to sign
/// in. Memory only.
Challenge create_passkey_challenge(const Credentials& credentials, Rng& rng, Instant now);

/// What an authenticator is to make a passkey from.
struct PasskeyOffer {
  Challenge challenge;
  std::string user_handle;         // of the operator, and no name: 32 octets
  std::string operator_name;       // for the authenticator to show
  std::vector<std::string> known;  // credential ids that the operator has
};
/// For the operator itself. Fails with not_found, and with illegal_transition when it has
/// limits::operator_passkeys.
Result<PasskeyOffer> offer_passkey(store::Store& store, const Credentials& credentials, Rng& rng,
                                   OperatorId id, Instant now);

/// What a browser sends of a passkey that was made (PublicKeyCredential, §5.1 and §5.2.1).
struct PresentedPasskey {
  std::string name;
  std::string sealed_challenge;
  std::string client_data;
  std::string attestation_object;
};
struct NewPasskey {
  store::Passkey passkey;  // without its id
  Challenge challenge;
};
/// §7.1, for an attestation of the conveyance "none". Memory only. Fails with illegal_transition
/// when the challenge is not the operator's or has expired, and with invalid_field naming what is
/// not of this server, not verified, or no passkey.
Result<NewPasskey> prove_new_passkey(const Credentials& credentials,
                                     const crypto::RelyingParty& party, OperatorId id,
                                     const PresentedPasskey& presented, Instant now);
/// Fails with not_found, and with illegal_transition when the challenge was used, the credential
/// is known already, or the operator has as many as it may.
Result<store::Passkey> add_passkey(store::Tx& tx, NumberIds& ids, const Credentials& credentials,
                                   const Actor& actor, const NewPasskey& made, Instant now);

/// In the order of their creation. Fails with not_found and insufficient_role.
Result<std::vector<store::Passkey>> list_passkeys(store::Store& store, const OperatorAsker& asker,
                                                  OperatorId of);
/// One's own. Fails with not_found.
Result<store::Passkey> rename_passkey(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                      OperatorId id, PasskeyId passkey, std::string_view name,
                                      Instant now);
/// Ends the operator's sessions, but for the one that asks: who else may have had the key is not
/// known. Fails with not_found, insufficient_role, and as check_own_way_in()
/// (fleet/operator_identities.h).
Result<store::Passkey> remove_passkey(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                      const OperatorAsker& asker, PasskeyId passkey, Instant now);

/// What a browser sends of a passkey that was used (§5.1 and §5.2.2).
struct PresentedAssertion {
  std::string sealed_challenge;
  std::string credential_id;
  std::string user_handle;
  std::string client_data;
  std::string authenticator_data;
  std::string signature;
};
struct ProvedPasskey {
  store::Passkey passkey;  // with the counter and the backup state of the assertion
  Challenge challenge;
};
/// §7.2. Fails with invalid_field naming what is not of this server, not verified, or no assertion;
/// and with invalid_credentials, in the same words and about the same time, when the passkey is not
/// known, not that user's, or did not sign this.
Result<ProvedPasskey> prove_passkey(store::Store& store, const Credentials& credentials,
                                    const crypto::RelyingParty& party,
                                    const PresentedAssertion& presented, Instant now);
/// As sign_in(). Nothing when the authenticator's counter is not above its last one: there may be
/// two with the same key, which the audit log is told (`passkey.counter_refused`). Fails with
/// invalid_credentials when the challenge was used, or passkey or operator went, meanwhile.
Result<std::optional<SignedIn>> sign_in_with_passkey(store::Tx& tx, NumberIds& ids, Rng& rng,
                                                     Credentials& credentials, const Config& config,
                                                     const ProvedPasskey& proved,
                                                     std::string_view address, Instant now);
/// What the one is told whom sign_in_with_passkey() or prove_passkey() refuses.
Error wrong_passkey();

}  // namespace muster::fleet
