// SPDX-License-Identifier: Apache-2.0
// Passkeys of operators, and signing in by them. Options and credentials are written as browsers do
// it: the JSON of WebAuthn Level 3, 5.1.8 to 5.1.10, with octets in base64url.
#include "fleet/passkeys.h"

#include "crypto/base64url.h"
#include "endpoints/decode.h"
#include "endpoints/dialect.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/signing_in.h"
#include "endpoints/session_cookie.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

Result<crypto::RelyingParty> party_of(const App& app) {
  auto party = crypto::relying_party_of(app.face.url);
  if (party) return *std::move(party);
  return Error{Errc::illegal_transition,
               "Passkeys need a server whose address (--server-url) is https and a host name, or "
               "localhost."};
}

std::string encode_passkey(const store::Passkey& passkey) {
  JsonWriter json;
  json.begin_object()
      .member("id", passkey.id)
      .member("operator_id", passkey.operator_id)
      .member("name", passkey.name)
      .member("backup_eligible", passkey.backup_eligible)
      .member("backed_up", passkey.backed_up)
      .member("created_at", passkey.created_at)
      .member("used_at", passkey.used_at)
      .end_object();
  return json.take();
}

/// The answer that gives a challenge to the browser which is to keep it.
Response challenge_response(const App& app, const fleet::Challenge& challenge, JsonWriter json,
                            Instant now) {
  Response response = private_response(201, json.take());
  response.headers.emplace_back("Set-Cookie",
                                challenge_cookie(app.face, crypto::to_base64url(challenge.sealed),
                                                 challenge.expires_at - now));
  return response;
}

std::int64_t timeout_ms(const fleet::Challenge& challenge, Instant now) {
  return (challenge.expires_at - now).count();
}

std::string sealed_challenge(const App& app, const Request& request) {
  return crypto::from_base64url(presented_challenge(app.face, request)).value_or("");
}

/// Required octets, 1 to `bytes_max` of them.
std::string octets_member(Fields& fields, std::string_view name, std::size_t bytes_max) {
  const auto octets = crypto::from_base64url(fields.text(name, (bytes_max * 4 + 2) / 3));
  if (!octets) fields.fail(name, "must be base64url without padding");
  return octets.value_or("");
}

/// The member `name` of an object, which must be an object itself. Views the body.
Fields object_member(Fields& fields, std::string_view name, const Json& otherwise) {
  const auto object = fields.optional_object(name);
  if (!object) fields.fail(name, "must be an object");
  return Fields(object.value_or(otherwise), fields.path(name));
}

/// A credential as PublicKeyCredential.toJSON() writes it: what all of them have, and the response,
/// which `read` reads.
template <typename F>
Result<void> decode_credential(Fields& body, const Json& json, F&& read) {
  Fields credential = object_member(body, "credential", json);
  TRY(body.finish());
  one_of(credential, "type", {"public-key"});
  Fields response = object_member(credential, "response", json);
  TRY(credential.finish());
  read(credential, response);
  TRY(credential.finish());
  return response.finish();
}

Result<fleet::PresentedPasskey> decode_new_passkey(const Request& request) {
  const Json json = TRY(decode_body(request));
  Fields body(json);
  fleet::PresentedPasskey presented;
  presented.name = body.text("name", limits::name_bytes);
  TRY(decode_credential(body, json, [&](Fields&, Fields& response) {
    presented.client_data = octets_member(response, "clientDataJSON", limits::client_data_bytes);
    presented.attestation_object =
        octets_member(response, "attestationObject", limits::attestation_bytes);
  }));
  return presented;
}

Result<fleet::PresentedAssertion> decode_assertion(const Request& request) {
  const Json json = TRY(decode_body(request));
  Fields body(json);
  fleet::PresentedAssertion presented;
  TRY(decode_credential(body, json, [&](Fields& credential, Fields& response) {
    presented.credential_id = octets_member(credential, "id", limits::credential_id_bytes);
    presented.client_data = octets_member(response, "clientDataJSON", limits::client_data_bytes);
    presented.authenticator_data =
        octets_member(response, "authenticatorData", limits::authenticator_data_bytes);
    presented.signature = octets_member(response, "signature", limits::passkey_signature_bytes);
    presented.user_handle = octets_member(response, "userHandle", limits::user_handle_bytes);
  }));
  return presented;
}

void write_credential(JsonWriter& json, std::string_view id) {
  json.begin_object()
      .member("type", "public-key")
      .member("id", crypto::to_base64url(id))
      .end_object();
}

/// PublicKeyCredentialCreationOptionsJSON (5.1.9).
JsonWriter creation_options(const crypto::RelyingParty& party, const fleet::PasskeyOffer& offer,
                            Instant now) {
  JsonWriter json;
  json.begin_object().key("rp").begin_object();
  json.member("id", party.id).member("name", "Muster").end_object();
  json.key("user").begin_object().member("id", crypto::to_base64url(offer.user_handle));
  json.member("name", offer.operator_name).member("displayName", offer.operator_name).end_object();
  json.member("challenge", crypto::to_base64url(offer.challenge.octets));
  json.key("pubKeyCredParams").begin_array();
  for (const crypto::CoseAlgorithm algorithm : crypto::cose_algorithms) {
    json.begin_object()
        .member("type", "public-key")
        .member("alg", static_cast<std::int64_t>(algorithm))
        .end_object();
  }
  json.end_array().member("timeout", timeout_ms(offer.challenge, now));
  json.key("excludeCredentials").begin_array();
  for (const std::string& id : offer.known) write_credential(json, id);
  json.end_array().key("authenticatorSelection").begin_object();
  json.member("residentKey", "required")
      .member("requireResidentKey", true)
      .member("userVerification", "required")
      .end_object();
  json.member("attestation", "none").end_object();
  return json;
}

}  // namespace

Result<Reply> create_passkey_challenge(App& app, const Request& request) {
  TRY(decode_optional_body(request));
  TRY(check_sign_in_failures(app, request));
  const auto party = TRY(party_of(app));
  const auto challenge = fleet::create_passkey_challenge(app.credentials, app.rng, request.now);
  // PublicKeyCredentialRequestOptionsJSON (5.1.10).
  JsonWriter json;
  json.begin_object()
      .member("challenge", crypto::to_base64url(challenge.octets))
      .member("timeout", timeout_ms(challenge, request.now))
      .member("rpId", party.id)
      .member("userVerification", "required")
      .end_object();
  return Reply(challenge_response(app, challenge, std::move(json), request.now));
}

Result<Reply> sign_in_with_passkey(App& app, const Request& request) {
  TRY(check_sign_in_failures(app, request));
  const auto party = TRY(party_of(app));
  auto presented = TRY(decode_assertion(request));
  presented.sealed_challenge = sealed_challenge(app, request);
  const auto refused = [&app, address = std::string(request.peer_address),
                        now = request.now](const Error& error) {
    return refused_sign_in(app, address, now, error);
  };
  auto proved = fleet::prove_passkey(app.store, app.credentials, party, presented, request.now);
  if (!proved.ok()) return refused(proved.error());
  return Reply(http::Write([&app, refused, proved = *std::move(proved),
                            address = std::string(request.peer_address),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto done = fleet::sign_in_with_passkey(tx, app.ids, app.rng, app.credentials, app.config,
                                                  proved, address, now);
    if (!done.ok()) return refused(done.error());
    if (!done->has_value()) {
      // As a Response: what the audit log was told of the counter must not be undone.
      app.counters.refused.fetch_add(1, std::memory_order_relaxed);
      return error_response(Dialect::operators, refused(fleet::wrong_passkey()));
    }
    return signed_in_response(app, **done, now);
  }));
}

Result<Reply> offer_passkey(App& app, const Request& request) {
  Fields fields(TRY(decode_optional_body(request)));
  const std::string current(
      fields.optional_text("current_password", limits::password_bytes).value_or(""));
  TRY(fields.finish());
  const auto party = TRY(party_of(app));
  const OperatorId id{request.caller.key};
  TRY(check_own_hands(app, request, current));
  const auto offer =
      TRY(fleet::offer_passkey(app.store, app.credentials, app.rng, id, request.now));
  return Reply(challenge_response(app, offer.challenge, creation_options(party, offer, request.now),
                                  request.now));
}

Result<Reply> add_passkey(App& app, const Request& request) {
  const auto party = TRY(party_of(app));
  auto presented = TRY(decode_new_passkey(request));
  presented.sealed_challenge = sealed_challenge(app, request);
  auto made = TRY(fleet::prove_new_passkey(app.credentials, party, OperatorId{request.caller.key},
                                           presented, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), made = std::move(made),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto passkey = TRY(fleet::add_passkey(tx, app.ids, app.credentials, actor, made, now));
    return private_response(201, encode_passkey(passkey));
  }));
}

Result<Reply> list_passkeys(App& app, const Request& request) {
  const OperatorId of = TRY(asked_operator(request));
  const auto passkeys = TRY(fleet::list_passkeys(app.store, asker_of(request), of));
  std::vector<Listed> all;
  all.reserve(passkeys.size());
  for (const auto& passkey : passkeys) {
    all.push_back({std::to_string(passkey.id.value), encode_passkey(passkey)});
  }
  return page_of(all, request);
}

Result<Reply> rename_passkey(App& app, const Request& request) {
  const PasskeyId passkey{TRY(number_param(request.params[0], "passkey"))};
  Fields fields(TRY(decode_body(request)));
  const std::string name(fields.text("name", limits::name_bytes));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), id = OperatorId{request.caller.key},
                            passkey, name, now = request.now](store::Tx& tx) -> Result<Response> {
    const auto renamed = TRY(fleet::rename_passkey(tx, app.ids, actor, id, passkey, name, now));
    return http::json_response(200, encode_passkey(renamed));
  }));
}

Result<Reply> remove_passkey(App& app, const Request& request) {
  const PasskeyId passkey{TRY(number_param(request.params[0], "passkey"))};
  return reply_when_followed(app,
                             [&app, asker = asker_of(request), passkey,
                              now = request.now](store::Tx& tx) -> Result<Response> {
                               const auto removed = TRY(fleet::remove_passkey(
                                   tx, app.ids, app.credentials, asker, passkey, now));
                               return http::json_response(200, encode_passkey(removed));
                             });
}

}  // namespace muster::endpoints
