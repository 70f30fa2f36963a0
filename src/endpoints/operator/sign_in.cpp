// SPDX-License-Identifier: Apache-2.0
// Signing in to the console, its sessions, and who an operator is.
#include "fleet/sign_in.h"

#include "endpoints/decode.h"
#include "endpoints/guards.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/operator_members.h"
#include "endpoints/operator/signing_in.h"
#include "endpoints/session_cookie.h"
#include "fleet/nodes.h"
#include "fleet/operators.h"
#include "fleet/passwords.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

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

/// Authenticators show codes in two groups.
std::string totp_digits(std::string_view code) {
  std::string digits(code);
  std::erase(digits, ' ');
  return digits;
}

/// What is shown in order to sign in: a link's secret, or a name and password.
struct Attempt {
  std::string link;
  fleet::PresentedPassword presented;
};
Result<Attempt> decode_attempt(const Request& request) {
  Fields fields(TRY(decode_body(request)));
  Attempt attempt;
  if (const auto link = fields.optional_text("link", limits::key_bytes)) {
    attempt.link = *link;
    if (attempt.link.empty()) fields.fail("link", "must not be empty");
  } else {
    attempt.presented.name = fields.text("name", limits::name_bytes);
    attempt.presented.password = fields.text("password", limits::password_bytes);
    const auto code = fields.optional_text("code", limits::totp_code_bytes);
    attempt.presented.code = totp_digits(code.value_or(""));
  }
  TRY(fields.finish());
  return attempt;
}

}  // namespace

Response private_response(int status, std::string body) {
  Response response = http::json_response(status, std::move(body));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Result<void> check_sign_in_failures(App& app, const Request& request) {
  return app.failed_sign_ins.peek(
      http::peer_key(request.peer_address),
      app.nodes.share_of(app.config.console_sign_in_failures_per_minute), request.now);
}

Error refused_sign_in(App& app, std::string_view address, Instant now, const Error& error) {
  if (error.code == Errc::invalid_credentials) {
    (void)app.failed_sign_ins.take(
        http::peer_key(address), app.nodes.share_of(app.config.console_sign_in_failures_per_minute),
        now);
    app.refused_sign_ins.note(address, now);
  }
  return error;
}

Response signed_in_response(const App& app, const fleet::SignedIn& done, Instant now) {
  const store::Session& session = done.session;
  Response response = private_response(
      201, encode_session({session, done.operator_name, std::string(http::role_name(done.role))},
                          session.id));
  response.headers.emplace_back("Set-Cookie",
                                session_cookie(app.face, done.secret, session.expires_at - now));
  return response;
}

Result<void> check_current_password(App& app, const Request& request, std::string_view current) {
  const OperatorId id{request.caller.key};
  const bool must_prove =
      request.caller.session.value != 0 && fleet::password_state(app.store, id).set_at.has_value();
  if (!must_prove) return {};
  TRY(check_sign_in_failures(app, request));
  const fleet::PasswordTurn turn = TRY(fleet::PasswordTurn::take());
  if (fleet::is_password(turn, app.store, id, current)) return {};
  TRY(app.failed_sign_ins.take(http::peer_key(request.peer_address),
                               app.nodes.share_of(app.config.console_sign_in_failures_per_minute),
                               request.now));
  return invalid_field("current_password", "is not your password");
}

Result<void> check_own_hands(App& app, const Request& request, std::string_view current) {
  TRY(check_current_password(app, request, current));
  const SessionId session = request.caller.session;
  const OperatorId id{request.caller.key};
  if (session.value == 0 || fleet::password_state(app.store, id).set_at) return {};
  return fleet::check_recent_sign_in(app.store, session, request.now);
}

fleet::OperatorAsker asker_of(const Request& request) {
  return {OperatorId{request.caller.key}, request.caller.authority, request.caller.session};
}

Result<OperatorId> asked_operator(const Request& request) {
  const auto text = http::query_param(request.query, "operator");
  if (!text) return OperatorId{request.caller.key};
  return OperatorId{TRY(number_param(*text, "operator"))};
}

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
  TRY(check_sign_in_failures(app, request));
  const auto attempt = TRY(decode_attempt(request));
  const auto refused = [&app, address = std::string(request.peer_address),
                        now = request.now](const Error& error) {
    return refused_sign_in(app, address, now, error);
  };
  std::optional<fleet::ProvedPassword> password;
  if (attempt.link.empty()) {
    auto proved = fleet::prove_password(app.store, app.credentials, attempt.presented, request.now);
    if (!proved.ok()) return refused(proved.error());
    password = *std::move(proved);
  } else {
    const auto proved = fleet::prove_sign_in_link(app.credentials, attempt.link, request.now);
    if (!proved.ok()) return refused(proved.error());
  }
  return Reply(http::Write([&app, refused, password, link = attempt.link,
                            address = std::string(request.peer_address),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto done = password ? fleet::sign_in_with_password(tx, app.ids, app.rng, app.credentials,
                                                              app.config, *password, address, now)
                               : fleet::sign_in(tx, app.ids, app.rng, app.credentials, app.config,
                                                link, address, now);
    if (!done.ok()) return refused(done.error());
    return signed_in_response(app, *done, now);
  }));
}

Result<Reply> show_self(App& app, const Request& request) {
  const auto view = TRY(fleet::find_operator(app.store, OperatorId{request.caller.key}));
  const store::OperatorToken& self = view.token;
  JsonWriter json;
  json.begin_object()
      .member("operator_id", self.id)
      .member("name", self.name)
      .member("role", self.role);
  fleet::OperatorNames people(app.store);
  write_grants(json, view.grants, org_names(app), people);
  json.key("session_id");
  if (request.caller.session.value == 0) {
    json.null();
  } else {
    json.value(request.caller.session);
  }
  const fleet::PasswordState password = fleet::password_state(app.store, self.id);
  json.member("password_set_at", password.set_at)
      .member("second_factor", password.second_factor)
      .member("server_url", app.face.url)
      .member("version", MUSTER_VERSION)
      .end_object();
  return Reply(private_response(200, json.take()));
}

Result<Reply> set_own_password(App& app, const Request& request) {
  Fields fields(TRY(decode_body(request)));
  const std::string password(fields.text("password", limits::password_bytes));
  const std::string current(
      fields.optional_text("current_password", limits::password_bytes).value_or(""));
  TRY(fields.finish());
  if (password.size() < limits::password_bytes_min) {
    return invalid_field(
        "password", "must have at least " + std::to_string(limits::password_bytes_min) + " bytes");
  }
  const OperatorId id{request.caller.key};
  TRY(check_current_password(app, request, current));
  std::string hash;
  {
    const fleet::PasswordTurn turn = TRY(fleet::PasswordTurn::take());
    hash = fleet::hash_password(turn, password);
  }
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), id, hash = std::move(hash), own = request.caller.session,
       now = request.now](store::Tx& tx) -> Result<Response> {
        TRY(fleet::set_password(tx, app.ids, app.credentials, actor, id, hash, now, own));
        return private_response(200, R"({"status": "ok"})");
      });
}

Result<Reply> offer_second_factor(App& app, const Request& request) {
  TRY(decode_optional_body(request));
  const auto offer =
      TRY(fleet::offer_second_factor(app.store, app.credentials, OperatorId{request.caller.key}));
  JsonWriter json;
  json.begin_object().member("secret", offer.secret).member("url", offer.url).end_object();
  return Reply(private_response(200, json.take()));
}

Result<Reply> set_second_factor(App& app, const Request& request) {
  Fields fields(TRY(decode_body(request)));
  const std::string code = totp_digits(fields.text("code", limits::totp_code_bytes));
  const std::string current(
      fields.optional_text("current_password", limits::password_bytes).value_or(""));
  TRY(fields.finish());
  TRY(check_current_password(app, request, current));
  return Reply(http::Write([&app, actor = actor_of(request), id = OperatorId{request.caller.key},
                            code, now = request.now](store::Tx& tx) -> Result<Response> {
    TRY(fleet::set_second_factor(tx, app.ids, app.credentials, actor, id, code, now));
    return private_response(200, R"({"status": "ok"})");
  }));
}

Result<Reply> remove_password(App& app, const Request& request) {
  const OperatorId id{TRY(number_param(request.params[0], "operator"))};
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), authority = request.caller.authority, id,
       now = request.now](store::Tx& tx) -> Result<Response> {
        TRY(fleet::remove_password(tx, app.ids, app.credentials, actor, authority, id, now));
        return http::json_response(200, R"({"status": "ok"})");
      });
}

Result<Reply> list_sessions(App& app, const Request& request) {
  const http::Caller& caller = request.caller;
  std::optional<OperatorId> of;
  if (caller.authority.on_server < http::Role::admin) of = OperatorId{caller.key};
  const int count = TRY(page_limit(request));
  const auto page = TRY(fleet::list_session_page(app.store, app.config, of, page_cursor(request),
                                                 count, request.now));
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
  const fleet::SessionEnder ender{OperatorId{caller.key}, caller.authority.on_server};
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
