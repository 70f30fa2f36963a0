// SPDX-License-Identifier: Apache-2.0
// Signing in by a provider of identities, and who of its people an operator is. The provider sends
// the browser to the console's page /sign-in/oidc, which brings what it came back with here.
#include "fleet/operator_identities.h"

#include "crypto/base64url.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/signing_in.h"
#include "endpoints/session_cookie.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

Result<void> check_provider(const App& app) {
  if (app.oidc.is_set()) return {};
  return Error{Errc::not_found, "This server knows no provider of identities ([oidc] issuer)."};
}

std::string redirect_uri(const App& app) {
  return app.face.url + "/sign-in/oidc";
}

/// What went wrong with the provider is for the server's operator, who reads the log; a browser
/// that is not signed in is told no addresses.
Error logged(App& app, const Error& error) {
  app.failures.note({LogLevel::warning, "oidc_failed", {}}, error.message);
  if (error.code != Errc::unavailable) return error;
  return {Errc::unavailable,
          "The provider of identities cannot be used now; the server's log says why.",
          {},
          10};
}

/// What the browser came back with.
struct Returned {
  std::string code;
  std::string state;
};
Result<Returned> decode_returned(const Request& request) {
  Fields fields(TRY(decode_body(request)));
  Returned returned;
  returned.code = fields.text("code", limits::oidc_code_bytes);
  returned.state = fields.text("state", limits::key_bytes);
  TRY(fields.finish());
  return returned;
}

Result<Reply> send_to_provider(App& app, OperatorId links, Instant now) {
  const auto trip = fleet::begin_oidc_trip(app.credentials, app.rng, links, now);
  const auto url = app.oidc.authorization_url(trip.terms, redirect_uri(app), now);
  if (!url.ok()) return logged(app, url.error());
  JsonWriter json;
  json.begin_object().member("url", *url).end_object();
  Response response = private_response(201, json.take());
  response.headers.emplace_back("Set-Cookie",
                                oidc_cookie(app.face, crypto::to_base64url(trip.challenge.sealed),
                                            trip.challenge.expires_at - now));
  return Reply(std::move(response));
}

/// `links` as begin_oidc_trip() has it; `wrong` is the failure of a trip that is not this
/// browser's.
Result<fleet::OidcTrip> trip_of(const App& app, const Request& request, const Returned& returned,
                                OperatorId links, Errc wrong) {
  const auto sealed = crypto::from_base64url(presented_oidc(app.face, request)).value_or("");
  return fleet::end_oidc_trip(app.credentials, sealed, returned.state, links, wrong, request.now);
}

std::string encode_identity(const store::OperatorIdentity& identity) {
  JsonWriter json;
  json.begin_object()
      .member("id", identity.id)
      .member("operator_id", identity.operator_id)
      .member("issuer", identity.issuer)
      .member("subject", identity.subject)
      .member("name", identity.name)
      .member("created_at", identity.created_at)
      .member("used_at", identity.used_at)
      .end_object();
  return json.take();
}

}  // namespace

Result<Reply> show_oidc_provider(App& app, const Request&) {
  JsonWriter json;
  json.begin_object().key("name");
  if (app.oidc.is_set()) {
    json.value(app.oidc.client().name);
  } else {
    json.null();
  }
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> begin_oidc_sign_in(App& app, const Request& request) {
  TRY(decode_optional_body(request));
  TRY(check_provider(app));
  TRY(check_sign_in_failures(app, request));
  return send_to_provider(app, OperatorId{0}, request.now);
}

Result<Reply> sign_in_with_oidc(App& app, const Request& request) {
  TRY(check_provider(app));
  TRY(check_sign_in_failures(app, request));
  const auto returned = TRY(decode_returned(request));
  const auto refused = [&app, address = std::string(request.peer_address),
                        now = request.now](const Error& error) {
    return refused_sign_in(app, address, now, error);
  };
  auto trip = trip_of(app, request, returned, OperatorId{0}, Errc::invalid_credentials);
  if (!trip.ok()) return refused(trip.error());
  auto proved = app.oidc.redeem(returned.code, trip->terms, redirect_uri(app), request.now);
  if (!proved.ok()) return refused(logged(app, proved.error()));
  return Reply(http::Write([&app, refused, trip = *std::move(trip), proved = *std::move(proved),
                            address = std::string(request.peer_address),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto done = fleet::sign_in_with_identity(tx, app.ids, app.rng, app.credentials,
                                                   app.config, trip, proved, address, now);
    if (!done.ok()) return refused(done.error());
    return signed_in_response(app, *done, now);
  }));
}

Result<Reply> begin_identity_link(App& app, const Request& request) {
  Fields fields(TRY(decode_optional_body(request)));
  const std::string current(
      fields.optional_text("current_password", limits::password_bytes).value_or(""));
  TRY(fields.finish());
  TRY(check_provider(app));
  TRY(check_own_hands(app, request, current));
  return send_to_provider(app, OperatorId{request.caller.key}, request.now);
}

Result<Reply> link_identity(App& app, const Request& request) {
  TRY(check_provider(app));
  const auto returned = TRY(decode_returned(request));
  const OperatorId id{request.caller.key};
  auto trip = TRY(trip_of(app, request, returned, id, Errc::illegal_transition));
  auto proved = app.oidc.redeem(returned.code, trip.terms, redirect_uri(app), request.now);
  if (!proved.ok()) {
    Error error = logged(app, proved.error());
    // Who asks is known: it is what it brings that is no good.
    if (error.code == Errc::invalid_credentials) error.code = Errc::illegal_transition;
    return error;
  }
  return Reply(http::Write([&app, actor = actor_of(request), id, trip = std::move(trip),
                            proved = *std::move(proved),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto identity =
        TRY(fleet::link_identity(tx, app.ids, app.credentials, actor, id, trip, proved, now));
    return private_response(201, encode_identity(identity));
  }));
}

Result<Reply> list_identities(App& app, const Request& request) {
  const OperatorId of = TRY(asked_operator(request));
  const auto identities = TRY(fleet::list_identities(app.store, asker_of(request), of));
  std::vector<Listed> all;
  all.reserve(identities.size());
  for (const auto& identity : identities) {
    all.push_back({std::to_string(identity.id.value), encode_identity(identity)});
  }
  return page_of(all, request);
}

Result<Reply> unlink_identity(App& app, const Request& request) {
  const IdentityId identity{TRY(number_param(request.params[0], "identity"))};
  return reply_when_followed(app,
                             [&app, asker = asker_of(request), identity,
                              now = request.now](store::Tx& tx) -> Result<Response> {
                               const auto unlinked = TRY(fleet::unlink_identity(
                                   tx, app.ids, app.credentials, asker, identity, now));
                               return http::json_response(200, encode_identity(unlinked));
                             });
}

}  // namespace muster::endpoints
