// SPDX-License-Identifier: Apache-2.0
#include "fleet/passkeys.h"

#include "base/limits.h"
#include "base/text.h"
#include "crypto/keyed_hash.h"
#include "fleet/operator_identities.h"
#include "fleet/operators.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using store::Passkey;

Error no_such_passkey() {
  return {Errc::not_found, "There is no such passkey."};
}

Error wrong_challenge(Errc code) {
  return {code, "The challenge is not this browser's, was used or has expired: begin again."};
}

Error too_many() {
  return {Errc::illegal_transition, "An operator has " + std::to_string(limits::operator_passkeys) +
                                        " passkeys at most: remove one first."};
}

constexpr std::string_view purpose = "passkey challenge";

/// Authenticators keep one passkey for each of them, and show it to nobody: derived, as agents'
/// keys are, so that nothing about an operator follows from it.
std::string user_handle(const Credentials& credentials, OperatorId id) {
  const auto derived =
      credentials.keyed_hash().derive("passkey user handle", std::to_string(id.value));
  return {reinterpret_cast<const char*>(derived.bytes.data()), derived.bytes.size()};
}

/// What both ceremonies ask of the browser's word: §7.1 and §7.2, from the type to the top origin.
Result<void> check_ceremony(std::string_view client_data, std::string_view type,
                            const Challenge& challenge, const crypto::RelyingParty& party) {
  const std::string field = "credential.response.clientDataJSON";
  const auto ceremony = crypto::decode_client_data(client_data);
  if (!ceremony) return invalid_field(field, "is no client data of WebAuthn");
  if (ceremony->type != type) return invalid_field(field, "is of another ceremony");
  if (!crypto::equal_constant_time(ceremony->challenge, challenge.octets)) {
    return invalid_field(field, "answers another challenge");
  }
  if (ceremony->origin != party.origin) {
    return invalid_field(field, "is of another origin than " + party.origin);
  }
  if (ceremony->cross_origin) return invalid_field(field, "is of a frame of another site");
  return {};
}

/// What both ask of the authenticator's.
Result<crypto::AuthenticatorStatement> check_statement(std::string_view authenticator_data,
                                                       const std::string& field,
                                                       const crypto::RelyingParty& party) {
  auto statement = crypto::decode_authenticator_data(authenticator_data);
  if (!statement) return invalid_field(field, "is no authenticator data of WebAuthn");
  if (statement->rp_id_hash != crypto::sha256(party.id)) {
    return invalid_field(field, "is for another server than " + party.id);
  }
  if (!statement->user_present) return invalid_field(field, "says that nobody was present");
  if (!statement->user_verified) return invalid_field(field, "says that the user was not verified");
  return *std::move(statement);
}

void audit(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
           const Passkey& passkey, Instant now, const Details& more = {}) {
  record_audit(
      tx, ids, OrgId{0}, actor, action, std::to_string(passkey.operator_id.value),
      [&](JsonWriter& details) {
        details.member("passkey_id", passkey.id).member("passkey", passkey.name);
        if (more) more(details);
      },
      now);
}

/// The generator of P-256: a proof against a passkey that is not known takes the time of one.
const crypto::CoseKey& nobodys_key() {
  static const crypto::CoseKey key{
      crypto::CoseAlgorithm::es256,
      from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296").value(),
      from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5").value()};
  return key;
}

crypto::CoseKey key_of(const Passkey& passkey) {
  const auto value = parse_cbor(passkey.public_key);
  CHECK(value.has_value());
  auto key = crypto::decode_cose_key(*value);
  CHECK(key.has_value());
  return *std::move(key);
}

}  // namespace

Error wrong_passkey() {
  return {Errc::invalid_credentials, "The passkey is not known here, or was not proved."};
}

Challenge create_passkey_challenge(const Credentials& credentials, Rng& rng, Instant now) {
  return make_challenge(credentials, rng, purpose, OperatorId{0}, limits::passkey_challenge_ttl,
                        now);
}

Result<PasskeyOffer> offer_passkey(store::Store& store, const Credentials& credentials, Rng& rng,
                                   OperatorId id, Instant now) {
  const OperatorView view = TRY(find_operator(store, id));
  PasskeyOffer offer;
  const auto passkeys =
      store.read([&](store::Reader& reader) { return store::list_passkeys(reader, id); });
  if (passkeys.size() >= limits::operator_passkeys) return too_many();
  for (const Passkey& each : passkeys) offer.known.push_back(each.credential_id);
  offer.challenge =
      make_challenge(credentials, rng, purpose, id, limits::passkey_challenge_ttl, now);
  offer.user_handle = user_handle(credentials, id);
  offer.operator_name = view.token.name;
  return offer;
}

Result<NewPasskey> prove_new_passkey(const Credentials& credentials,
                                     const crypto::RelyingParty& party, OperatorId id,
                                     const PresentedPasskey& presented, Instant now) {
  const std::string field = "credential.response.attestationObject";
  auto challenge = open_challenge(credentials, purpose, presented.sealed_challenge, id, now);
  if (!challenge) return wrong_challenge(Errc::illegal_transition);
  TRY(check_ceremony(presented.client_data, "webauthn.create", *challenge, party));
  const auto data = crypto::decode_attestation_object(presented.attestation_object);
  if (!data) return invalid_field(field, "is no attestation of WebAuthn");
  const auto statement = TRY(check_statement(*data, field, party));
  if (!statement.credential) {
    return invalid_field(field, "has no passkey for ES256, EdDSA or RS256");
  }
  NewPasskey made{{}, *std::move(challenge)};
  made.passkey.operator_id = id;
  made.passkey.name = presented.name;
  made.passkey.credential_id = statement.credential->id;
  made.passkey.public_key = statement.credential->public_key;
  made.passkey.sign_count = statement.sign_count;
  made.passkey.backup_eligible = statement.backup_eligible;
  made.passkey.backed_up = statement.backed_up;
  made.passkey.created_at = now;
  return made;
}

Result<Passkey> add_passkey(store::Tx& tx, NumberIds& ids, const Credentials& credentials,
                            const Actor& actor, const NewPasskey& made, Instant now) {
  const OperatorId id = made.passkey.operator_id;
  const auto token = store::find_operator_token(tx, id);
  if (!token || !is_active(*token, now)) {
    return Error{Errc::not_found, "There is no such operator."};
  }
  if (!use_challenge(tx, credentials, made.challenge, now)) {
    return wrong_challenge(Errc::illegal_transition);
  }
  if (store::list_passkeys(tx, id).size() >= limits::operator_passkeys) return too_many();
  if (store::find_passkey(tx, made.passkey.credential_id)) {
    return Error{Errc::illegal_transition, "This passkey is known here already."};
  }
  Passkey passkey = made.passkey;
  passkey.id = ids.next<PasskeyId>(now);
  store::insert_passkey(tx, passkey);
  audit(tx, ids, actor, "passkey.add", passkey, now);
  return passkey;
}

Result<std::vector<Passkey>> list_passkeys(store::Store& store, const OperatorAsker& asker,
                                           OperatorId of) {
  if (of != asker.id) {
    const OperatorView view = TRY(find_operator(store, of));
    TRY(check_rank(asker.authority, view));
  }
  return store.read([&](store::Reader& reader) { return store::list_passkeys(reader, of); });
}

Result<Passkey> rename_passkey(store::Tx& tx, NumberIds& ids, const Actor& actor, OperatorId id,
                               PasskeyId passkey, std::string_view name, Instant now) {
  auto row = store::find_passkey(tx, passkey);
  if (!row || row->operator_id != id) return no_such_passkey();
  if (row->name == name) return *std::move(row);
  const std::string former = std::exchange(row->name, std::string(name));
  store::set_passkey_name(tx, passkey, name);
  audit(tx, ids, actor, "passkey.rename", *row, now,
        [&](JsonWriter& details) { details.member("former_name", former); });
  return *std::move(row);
}

Result<Passkey> remove_passkey(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                               const OperatorAsker& asker, PasskeyId passkey, Instant now) {
  auto row = store::find_passkey(tx, passkey);
  if (!row) return no_such_passkey();
  if (row->operator_id == asker.id) {
    TRY(check_own_way_in(tx, asker));
  } else {
    const OperatorView view = TRY(get_operator(tx, row->operator_id));
    const auto rank = check_rank(asker.authority, view);
    if (!rank.ok()) return rank.error().code == Errc::not_found ? no_such_passkey() : rank.error();
  }
  store::delete_passkey(tx, passkey);
  end_sign_ins(tx, credentials, row->operator_id, now, asker.session);
  audit(tx, ids, Actor::operator_token(asker.id), "passkey.remove", *row, now);
  return *std::move(row);
}

Result<ProvedPasskey> prove_passkey(store::Store& store, const Credentials& credentials,
                                    const crypto::RelyingParty& party,
                                    const PresentedAssertion& presented, Instant now) {
  auto challenge =
      open_challenge(credentials, purpose, presented.sealed_challenge, OperatorId{0}, now);
  if (!challenge) return wrong_challenge(Errc::invalid_credentials);
  TRY(check_ceremony(presented.client_data, "webauthn.get", *challenge, party));
  const auto statement = TRY(check_statement(presented.authenticator_data,
                                             "credential.response.authenticatorData", party));
  auto passkey = store.read([&](store::Reader& reader) {
    return store::find_passkey(reader, std::string_view(presented.credential_id));
  });
  const bool right =
      crypto::verify(crypto::signed_content(presented.authenticator_data, presented.client_data),
                     presented.signature, passkey ? key_of(*passkey) : nobodys_key());
  const bool of_user =
      passkey && crypto::equal_constant_time(presented.user_handle,
                                             user_handle(credentials, passkey->operator_id));
  if (!right || !of_user || statement.backup_eligible != passkey->backup_eligible) {
    return wrong_passkey();
  }
  passkey->sign_count = statement.sign_count;
  passkey->backed_up = statement.backed_up;
  return ProvedPasskey{*std::move(passkey), *std::move(challenge)};
}

Result<std::optional<SignedIn>> sign_in_with_passkey(store::Tx& tx, NumberIds& ids, Rng& rng,
                                                     Credentials& credentials, const Config& config,
                                                     const ProvedPasskey& proved,
                                                     std::string_view address, Instant now) {
  const Passkey& passkey = proved.passkey;
  const auto row = store::find_passkey(tx, passkey.id);
  const auto token = store::find_operator_token(tx, passkey.operator_id);
  if (!row || !token || !is_active(*token, now)) return wrong_passkey();
  if (!use_challenge(tx, credentials, proved.challenge, now)) {
    return wrong_challenge(Errc::invalid_credentials);
  }
  if (!store::use_passkey(tx, passkey.id, passkey.sign_count, passkey.backed_up, now)) {
    audit(tx, ids, Actor::server(), "passkey.counter_refused", *row, now, [&](JsonWriter& details) {
      details.member("counter", passkey.sign_count)
          .member("last_counter", row->sign_count)
          .member("address", address);
    });
    return std::optional<SignedIn>();
  }
  return std::optional(
      open_session(tx, ids, rng, credentials, config, *token, "passkey", address, now));
}

}  // namespace muster::fleet
