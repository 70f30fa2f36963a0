// SPDX-License-Identifier: Apache-2.0
#include "fleet/operator_identities.h"

#include "base/limits.h"
#include "crypto/base64url.h"
#include "crypto/keyed_hash.h"
#include "store/sql/keys.h"
#include "store/sql/passkeys.h"
#include "store/sql/passwords.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using store::OperatorIdentity;

constexpr std::string_view purpose = "oidc trip";

Error no_such_identity() {
  return {Errc::not_found, "There is no such identity."};
}

Error wrong_trip(Errc code) {
  return {code,
          "The sign-in at the provider was not begun in this browser, was used or took too long: "
          "begin again."};
}

/// 43 letters that follow from the challenge for us alone.
std::string derived(const Credentials& credentials, std::string_view label,
                    const Challenge& challenge) {
  const crypto::KeyHash hash = credentials.keyed_hash().derive(label, challenge.octets);
  return crypto::to_base64url(
      {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
}

OidcTrip trip_of(const Credentials& credentials, Challenge challenge) {
  OidcTerms terms{derived(credentials, "oidc state", challenge),
                  derived(credentials, "oidc nonce", challenge),
                  derived(credentials, "oidc verifier", challenge)};
  return {std::move(challenge), std::move(terms)};
}

void audit(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
           const OperatorIdentity& identity, Instant now) {
  record_audit(
      tx, ids, OrgId{0}, actor, action, std::to_string(identity.operator_id.value),
      [&](JsonWriter& details) {
        details.member("identity_id", identity.id)
            .member("issuer", identity.issuer)
            .member("subject", identity.subject)
            .member("name", identity.name);
      },
      now);
}

}  // namespace

OidcTrip begin_oidc_trip(const Credentials& credentials, Rng& rng, OperatorId links, Instant now) {
  return trip_of(credentials,
                 make_challenge(credentials, rng, purpose, links, limits::oidc_request_ttl, now));
}

Result<OidcTrip> end_oidc_trip(const Credentials& credentials, std::string_view sealed,
                               std::string_view state, OperatorId links, Errc code, Instant now) {
  auto challenge = open_challenge(credentials, purpose, sealed, links, now);
  if (!challenge) return wrong_trip(code);
  OidcTrip trip = trip_of(credentials, *std::move(challenge));
  if (!crypto::equal_constant_time(state, trip.terms.state)) return wrong_trip(code);
  return trip;
}

Result<OperatorIdentity> link_identity(store::Tx& tx, NumberIds& ids,
                                       const Credentials& credentials, const Actor& actor,
                                       OperatorId id, const OidcTrip& trip,
                                       const ProvedIdentity& proved, Instant now) {
  const auto token = store::find_operator_token(tx, id);
  if (!token || !is_active(*token, now)) {
    return Error{Errc::not_found, "There is no such operator."};
  }
  if (!use_challenge(tx, credentials, trip.challenge, now)) {
    return wrong_trip(Errc::illegal_transition);
  }
  if (auto known = store::find_identity(tx, proved.issuer, proved.subject)) {
    if (known->operator_id == id) return *std::move(known);
    return Error{Errc::illegal_transition, "The provider's account is another operator's."};
  }
  if (store::list_identities(tx, id).size() >= limits::operator_identities) {
    return Error{Errc::illegal_transition, "An operator has " +
                                               std::to_string(limits::operator_identities) +
                                               " identities at most: unlink one first."};
  }
  const OperatorIdentity identity{
      ids.next<IdentityId>(now), id, proved.issuer, proved.subject, proved.name, now, std::nullopt};
  store::insert_identity(tx, identity);
  audit(tx, ids, actor, "identity.link", identity, now);
  return identity;
}

Result<std::vector<OperatorIdentity>> list_identities(store::Store& store,
                                                      const OperatorAsker& asker, OperatorId of) {
  if (of != asker.id) {
    const OperatorView view = TRY(find_operator(store, of));
    TRY(check_rank(asker.authority, view));
  }
  return store.read([&](store::Reader& reader) { return store::list_identities(reader, of); });
}

Result<OperatorIdentity> unlink_identity(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                         const OperatorAsker& asker, IdentityId identity,
                                         Instant now) {
  auto row = store::find_identity(tx, identity);
  if (!row) return no_such_identity();
  if (row->operator_id == asker.id) {
    TRY(check_own_way_in(tx, asker));
  } else {
    const OperatorView view = TRY(get_operator(tx, row->operator_id));
    const auto rank = check_rank(asker.authority, view);
    if (!rank.ok()) {
      return rank.error().code == Errc::not_found ? no_such_identity() : rank.error();
    }
  }
  store::delete_identity(tx, identity);
  end_sign_ins(tx, credentials, row->operator_id, now, asker.session);
  audit(tx, ids, Actor::operator_token(asker.id), "identity.unlink", *row, now);
  return *std::move(row);
}

Result<SignedIn> sign_in_with_identity(store::Tx& tx, NumberIds& ids, Rng& rng,
                                       Credentials& credentials, const Config& config,
                                       const OidcTrip& trip, const ProvedIdentity& proved,
                                       std::string_view address, Instant now) {
  const auto identity = store::find_identity(tx, proved.issuer, proved.subject);
  const auto token =
      identity ? store::find_operator_token(tx, identity->operator_id) : std::nullopt;
  if (!token || !is_active(*token, now)) {
    return Error{
        Errc::invalid_credentials,
        "No operator is linked to this account of the provider's. Sign in another way, and "
        "link it under Your account."};
  }
  if (!use_challenge(tx, credentials, trip.challenge, now)) {
    return wrong_trip(Errc::invalid_credentials);
  }
  store::set_identity_used(tx, identity->id, now);
  return open_session(tx, ids, rng, credentials, config, *token, "identity", address, now);
}

Result<void> check_own_way_in(store::Reader& reader, const OperatorAsker& asker) {
  if (asker.session.value == 0) return {};
  const std::size_t removable = store::list_passkeys(reader, asker.id).size() +
                                store::list_identities(reader, asker.id).size();
  if (removable > 1 || store::find_operator_password(reader, asker.id)) return {};
  return Error{Errc::illegal_transition,
               "It is your last way in beside your token: set a password or add another first, or "
               "remove it with the token."};
}

}  // namespace muster::fleet
