// SPDX-License-Identifier: Apache-2.0
// Signing in to the console, its sessions, and who an operator is.
#include "fleet/sign_in.h"

#include "endpoints/decode.h"
#include "endpoints/guards.h"
#include "endpoints/operator/operator.h"
#include "endpoints/session_cookie.h"
#include "fleet/nodes.h"
#include "fleet/operators.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::uint64_t peer_key(std::string_view address) {
  return std::hash<std::string_view>{}(address);
}

/// A body that tells a secret, or who somebody is, is for this one answer.
Response private_response(int status, std::string body) {
  Response response = http::json_response(status, std::move(body));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::string encode_session(const fleet::SessionView& view, SessionId own) {
  const store::Session& session = view.session;
  JsonWriter json;
  json.begin_object()
      .member("id", session.id)
      .member("operator_id", session.operator_id)
      .member("operator_name", view.operator_name)
      .member("role", view.role)
      .member("address", session.address)
      .member("created_at", session.created_at)
      .member("used_at", session.used_at)
      .member("expires_at", session.expires_at)
      .member("ended_at", session.ended_at)
      .member("current", session.id == own)
      .end_object();
  return json.take();
}

}  // namespace

Result<Reply> create_sign_in_link(App& app, const Request& request) {
  TRY(decode_optional_body(request));
  // A session that could make another would outlive its end.
  if (request.caller.session.value != 0) {
    return Error{Errc::insufficient_role, "A sign-in link is made with an operator's token."};
  }
  const OperatorId id{request.caller.key};
  return Reply(http::Write([&app, id, now = request.now](store::Tx& tx) -> Result<Response> {
    const auto link =
        TRY(fleet::create_sign_in_link(tx, app.ids, app.rng, app.credentials, id, now));
    JsonWriter json;
    json.begin_object()
        .member("url", app.face.url + "/sign-in#" + link.secret)
        .member("expires_at", link.expires_at)
        .end_object();
    return private_response(201, json.take());
  }));
}

Result<Reply> sign_in(App& app, const Request& request) {
  const std::uint64_t peer = peer_key(request.peer_address);
  const std::int64_t failures_max =
      app.nodes.share_of(app.config.console_sign_in_failures_per_minute);
  TRY(app.failed_sign_ins.peek(peer, failures_max, request.now));
  Fields fields(TRY(decode_body(request)));
  const std::string secret(fields.text("link", limits::key_bytes));
  TRY(fields.finish());
  const auto refused = [&app, peer, failures_max](std::string_view address, Instant now) {
    (void)app.failed_sign_ins.take(peer, failures_max, now);
    app.refused_sign_ins.note(address, now);
  };
  if (const auto proved = fleet::prove_sign_in_link(app.credentials, secret, request.now);
      !proved.ok()) {
    refused(request.peer_address, request.now);
    return proved.error();
  }
  return Reply(http::Write([&app, refused, secret, address = std::string(request.peer_address),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto done =
        fleet::sign_in(tx, app.ids, app.rng, app.credentials, app.config, secret, address, now);
    if (!done.ok()) {
      refused(address, now);
      return done.error();
    }
    const store::Session& session = done->session;
    Response response = private_response(
        201,
        encode_session({session, done->operator_name, std::string(http::role_name(done->role))},
                       session.id));
    response.headers.emplace_back("Set-Cookie",
                                  session_cookie(app.face, done->secret, session.expires_at - now));
    return response;
  }));
}

Result<Reply> show_self(App& app, const Request& request) {
  const auto self = TRY(fleet::find_operator(app.store, OperatorId{request.caller.key}));
  JsonWriter json;
  json.begin_object()
      .member("operator_id", self.id)
      .member("name", self.name)
      .member("role", self.role)
      .key("session_id");
  if (request.caller.session.value == 0) {
    json.null();
  } else {
    json.value(request.caller.session);
  }
  json.member("server_url", app.face.url).member("version", MUSTER_VERSION).end_object();
  return Reply(private_response(200, json.take()));
}

Result<Reply> list_sessions(App& app, const Request& request) {
  const http::Caller& caller = request.caller;
  std::optional<OperatorId> of;
  if (caller.role < http::Role::admin) of = OperatorId{caller.key};
  const int count = TRY(page_limit(request));
  const auto page =
      fleet::list_session_page(app.store, app.config, of, page_cursor(request), count, request.now);
  std::vector<std::string> items;
  for (const auto& view : page.sessions) items.push_back(encode_session(view, caller.session));
  return Reply(page_response(items, page.next_cursor,
                             {static_cast<std::int64_t>(items.size()), page.next_cursor.empty()}));
}

Result<Reply> end_session(App& app, const Request& request) {
  const http::Caller& caller = request.caller;
  SessionId id = caller.session;
  if (request.params[0] != "current") {
    id = SessionId{TRY(number_param(request.params[0], "session"))};
  }
  const fleet::SessionEnder ender{OperatorId{caller.key}, caller.role};
  const SessionId own = caller.session;
  return reply_when_followed(
      app, [&app, ender, id, own, now = request.now](store::Tx& tx) -> Result<Response> {
        const auto ended = TRY(fleet::end_session(tx, app.ids, app.credentials, ender, id, now));
        Response response = private_response(200, encode_session(ended, own));
        if (id == own) {
          response.headers.emplace_back("Set-Cookie", ended_session_cookie(app.face));
        }
        return response;
      });
}

}  // namespace muster::endpoints
