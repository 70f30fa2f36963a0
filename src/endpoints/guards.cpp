// SPDX-License-Identifier: Apache-2.0
#include "endpoints/guards.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/text.h"
#include "endpoints/session_cookie.h"
#include "fleet/credentials.h"
#include "fleet/nodes.h"
#include "fleet/refusals.h"
#include "fleet/retired_keys.h"
#include "fleet/sign_in.h"
#include "model/enrolment.h"

namespace muster::endpoints {

using http::Caller;
using http::Request;
using http::Role;
using http::Scope;

namespace {

constexpr std::string_view bearer_prefix = "Bearer ";

std::string_view bearer_of(const Request& request) {
  const std::string_view value = request.headers.find("Authorization");
  if (!value.starts_with(bearer_prefix)) return {};
  return value.substr(bearer_prefix.size());
}

Error invalid_credentials() {
  return {Errc::invalid_credentials, "Invalid agent credentials"};
}

/// The clock is checked after the key: only a proved caller learns that its clock is the trouble.
/// Takes what that clock says.
Result<void> check_clock(const App& app, const Request& request, const Result<Instant>& sent) {
  const Duration allowed = app.config.clock_skew();
  if (sent.ok() && *sent <= request.now + allowed && *sent >= request.now - allowed) return {};
  Error error{Errc::clock_skew, "X-Request-Timestamp must be an RFC 3339 time."};
  if (sent.ok()) {
    error.message = "X-Request-Timestamp is more than " +
                    std::to_string(app.config.limits_clock_skew_seconds) +
                    " s from the server's clock.";
  }
  error.server_time = format_rfc3339(request.now);
  return error;
}

/// Remembers that a key was proved and the call refused all the same.
void note_refusal(App& app, const Request& request, const fleet::AgentCredential& credential,
                  fleet::RefusalReason reason, std::optional<Duration> skew = std::nullopt) {
  app.refusals.note(credential.org, credential.host, credential.agent,
                    {reason, request.now, skew, std::string(request.peer_address)});
}

/// What is left to check of a caller that has proved an agent's key.
Result<void> admit_agent(App& app, Request& request, fleet::AgentCredential& credential) {
  const bool pausing =
      credential.superseded_at &&
      request.now < *credential.superseded_at + model::return_pause(app.config.clock_skew());
  const bool reports_result =
      request.method == http::Method::post && request.path.ends_with("/result");
  if (pausing || (credential.uninstalled && !reports_result)) {
    note_refusal(app, request, credential, fleet::RefusalReason::ended);
    return invalid_credentials();
  }
  if (credential.disabled) {
    note_refusal(app, request, credential, fleet::RefusalReason::disabled);
    return Error{Errc::disabled, "Agent is disabled"};
  }
  const Result<Instant> sent = parse_rfc3339(request.headers.find("X-Request-Timestamp"));
  const Result<void> in_time = check_clock(app, request, sent);
  if (!in_time.ok()) {
    credential.skewed = true;
    note_refusal(app, request, credential, fleet::RefusalReason::clock_skew,
                 sent.ok() ? std::optional(*sent - request.now) : std::nullopt);
    return in_time.error();
  }
  if (credential.skewed) {
    credential.skewed = false;
    app.refusals.clock_is_right(credential.agent);
  }
  TRY(credential.window.take(app.nodes.share_of(app.config.limits_device_per_minute), request.now));
  Caller& caller = request.caller;
  caller.kind = Caller::Kind::agent;
  caller.org = credential.org;
  caller.agent = credential.agent;
  caller.host = credential.host;
  caller.key = credential.generation;
  caller.offered_key = credential.offered;
  caller.sent_at = *sent;
  caller.first_use = credential.first_use;
  caller.ended = credential.uninstalled;
  caller.splitting = credential.splitting;
  caller.returning = credential.superseded_at.has_value();
  return {};
}

void note_retired_key(App& app, const Request& request, const crypto::KeyHash& presented,
                      AgentId claimed) {
  const auto key = app.retired_keys.note(presented, claimed, request.peer_address, request.now);
  if (!key) return;
  app.refusals.note(key->org, key->host, key->agent,
                    {fleet::RefusalReason::retired_key, request.now, std::nullopt,
                     std::string(request.peer_address)});
}

/// Host names that are this server's: loopback, and the one in its public address.
bool is_own_host(const App& app, std::string_view host) {
  if (host.empty()) return false;
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : host.rfind(':');
  const std::string_view name = bracketed
                                    ? host.substr(0, end == std::string_view::npos ? end : end + 1)
                                    : host.substr(0, end);
  if (equal_folded(name, "localhost") || name == "127.0.0.1" || name == "[::1]") return true;
  std::string_view url = app.face.url;
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const std::string_view authority = url.substr(0, url.find('/'));
  const std::string_view own = authority.starts_with('[')
                                   ? authority.substr(0, authority.find(']') + 1)
                                   : authority.substr(0, authority.find(':'));
  return equal_folded(name, own);
}

/// Some proxy passed the request on: that one is on loopback, whoever asks need not be.
bool was_forwarded(const Request& request) {
  constexpr std::array<std::string_view, 6> signs = {
      "X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto"};
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view name) { return request.headers.has(name); });
}

/// A page of another site may make a browser send requests, but not under this server's name
/// (Origin, RFC 6454 7; Sec-Fetch-Site, W3C Fetch Metadata). What is no browser sends neither.
Result<void> check_origin(const App& app, const Request& request) {
  const Error foreign{Errc::foreign_origin, "The request comes from another site's page."};
  const std::string_view site = request.headers.find("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return foreign;
  const std::string_view origin = request.headers.find("Origin");
  if (origin.empty()) return {};
  const std::string_view scheme = is_encrypted(app.face) ? "https://" : "http://";
  if (!origin.starts_with(scheme)) return foreign;
  if (!equal_folded(origin.substr(scheme.size()), request.headers.find("Host"))) return foreign;
  return {};
}

bool prove_token(App& app, Request& request, std::string_view token) {
  const auto known = token.size() > limits::key_bytes
                         ? std::nullopt
                         : app.credentials.operators.find(app.credentials.hash(token));
  if (!known || (known->expires_at && request.now >= *known->expires_at)) return false;
  request.caller.key = known->id.value;
  request.caller.authority = {known->role, app.credentials.grants.of(known->id)};
  return true;
}

bool prove_session(App& app, Request& request) {
  const auto session = fleet::use_session(app.credentials, app.config,
                                          presented_session(app.face, request), request.now);
  if (!session) return false;
  request.caller.key = session->operator_id.value;
  request.caller.authority = {session->role, app.credentials.grants.of(session->operator_id)};
  request.caller.session = session->id;
  return true;
}

/// Browsers send the cookie whoever's page asks: a change needs a header that only a page of this
/// origin can set, beside SameSite=Strict and Origin.
Result<void> check_console(const App& app, const Request& request) {
  TRY(check_origin(app, request));
  if (request.method == http::Method::get || request.headers.has("X-Muster-Console")) return {};
  return Error{Errc::foreign_origin, "A change with a session needs the header X-Muster-Console."};
}

/// Organisations begin with the server's own: what is of the whole server is for its keys alone.
constexpr OrgId first_org{1};

/// Whether an inventory key was presented that may do anything on operators' routes. Fills in who
/// it is; what it may there is not asked.
bool prove_key(App& app, Request& request, std::string_view token) {
  if (token.size() > limits::key_bytes) return false;
  const auto known = app.credentials.inventory_keys.find(app.credentials.hash(token));
  if (!known) return false;
  Caller& caller = request.caller;
  caller.scopes = known->scopes;
  if (!caller.may(Scope::read) && !caller.may(Scope::import)) return false;
  caller.kind = Caller::Kind::inventory_key;
  caller.org = known->org;
  caller.key = known->key.value;
  return true;
}

/// A key with scope `read`, as somebody who is read_only in its organisation.
Result<void> admit_reader(Request& request, Role least) {
  Caller& caller = request.caller;
  if (!caller.may(Scope::read) || least != Role::read_only || request.method != http::Method::get) {
    return Error{Errc::insufficient_scope, "The scopes of this key do not open this route."};
  }
  caller.least = least;
  caller.authority = {Role::none, std::make_shared<const std::vector<http::OrgRole>>(
                                      1, http::OrgRole{caller.org, Role::read_only})};
  return {};
}

Result<void> admit_operator(App& app, Request& request, Role least) {
  TRY(check_host(app, request));
  TRY(check_lease(app));
  const std::string_view token = bearer_of(request);
  if (!(token.empty() ? prove_session(app, request) : prove_token(app, request, token))) {
    if (!token.empty() && prove_key(app, request, token)) return admit_reader(request, least);
    return Error{Errc::invalid_credentials,
                 token.empty() ? "Sign in, or send an operator's token" : "Invalid operator token"};
  }
  request.caller.kind = Caller::Kind::operator_of_server;
  if (token.empty()) TRY(check_console(app, request));
  request.caller.least = least;
  // Where an operator has the role only in some organisations, the dispatcher asks which is meant.
  const Role highest = request.caller.authority.highest();
  if (highest >= least) return {};
  return insufficient_role(least, highest);
}

}  // namespace

Error insufficient_role(Role least, Role has) {
  return {Errc::insufficient_role, "This needs the role " + std::string(http::role_name(least)) +
                                       "; yours is " + std::string(http::role_name(has)) + "."};
}

Result<void> check_lease(const App& app) {
  if (app.nodes.may_serve()) return {};
  return Error{Errc::unavailable, "This server has lost touch with its database.", {}, 5};
}

std::function<bool(Instant now)> standing_of(const App& app, const Request& request,
                                             std::optional<OrgId> org) {
  const auto may = [&app, org](Role on_server, OperatorId id) {
    const http::Authority authority{on_server, app.credentials.grants.of(id)};
    return (org ? authority.in(*org) : authority.on_server) >= Role::read_only &&
           app.nodes.may_serve();
  };
  const std::string_view token = bearer_of(request);
  if (token.empty()) {
    const crypto::KeyHash hash = app.credentials.hash(presented_session(app.face, request));
    return [&app, hash, may](Instant now) {
      const auto session = app.credentials.sessions.find(hash);
      return session && now < session->expires_at && may(session->role, session->operator_id);
    };
  }
  if (request.caller.kind == Caller::Kind::inventory_key) {
    // Only of its own organisation, and of that it may read all as long as it is there.
    return [&app, hash = app.credentials.hash(token), org](Instant) {
      const auto known = app.credentials.inventory_keys.find(hash);
      return known && org == known->org && app.nodes.may_serve();
    };
  }
  return [&app, hash = app.credentials.hash(token), may](Instant now) {
    const auto known = app.credentials.operators.find(hash);
    return known && (!known->expires_at || now < *known->expires_at) && may(known->role, known->id);
  };
}

Result<void> anybody(App&, Request&) {
  return {};
}

Result<void> device_key(App& app, Request& request) {
  TRY(check_lease(app));
  const std::string_view key = request.headers.find("X-Agent-Key");
  const std::string_view bearer = bearer_of(request);
  const std::string_view presented = key.empty() ? bearer : key;
  if (presented.empty() || presented.size() > limits::key_bytes) return invalid_credentials();
  if (!key.empty() && !bearer.empty() && !crypto::equal_constant_time(key, bearer)) {
    return invalid_credentials();
  }
  const Result<Uuid> id = parse_uuid(request.headers.find("X-Agent-ID"));
  std::optional<Result<void>> admitted;
  const crypto::KeyHash hash = app.credentials.hash(presented);
  app.credentials.agents.with(hash, [&](fleet::AgentCredential& credential) {
    if (!id.ok()) return;
    if (credential.agent.uuid != *id && credential.alias != AgentId{*id}) return;
    admitted = admit_agent(app, request, credential);
  });
  if (!admitted) {
    if (id.ok()) note_retired_key(app, request, hash, AgentId{*id});
    return invalid_credentials();
  }
  return *std::move(admitted);
}

Result<void> inventory_key(App& app, Request& request) {
  if (request.headers.has("X-Agent-ID")) return device_key(app, request);
  TRY(check_lease(app));
  const std::string_view key = request.headers.find("X-Agent-Key");
  if (key.empty()) return Error{Errc::missing_api_key, "API key required"};
  const auto known = key.size() > limits::key_bytes
                         ? std::nullopt
                         : app.credentials.inventory_keys.find(app.credentials.hash(key));
  if (!known) return Error{Errc::invalid_api_key, "Invalid API key"};
  request.caller.kind = Caller::Kind::inventory_key;
  request.caller.org = known->org;
  request.caller.key = known->key.value;
  request.caller.scopes = known->scopes;
  if (!request.caller.may(Scope::agent)) {
    return Error{Errc::insufficient_scope, "API key lacks agent permissions"};
  }
  return {};
}

Result<void> check_host(const App& app, const Request& request) {
  if (is_own_host(app, request.headers.find("Host"))) return {};
  return Error{Errc::misdirected, "This server does not serve that Host."};
}

Result<void> role_read_only(App& app, Request& request) {
  return admit_operator(app, request, Role::read_only);
}
Result<void> role_analyst(App& app, Request& request) {
  return admit_operator(app, request, Role::analyst);
}
Result<void> role_operator(App& app, Request& request) {
  return admit_operator(app, request, Role::operations);
}
Result<void> role_admin(App& app, Request& request) {
  return admit_operator(app, request, Role::admin);
}

Result<void> stranger(App& app, Request& request) {
  TRY(check_host(app, request));
  TRY(check_lease(app));
  return check_origin(app, request);
}

Result<void> operator_or_loopback(App& app, Request& request) {
  // A page whose name leads to loopback is the same origin to a browser on this machine.
  TRY(check_host(app, request));
  const bool on_loopback = request.peer_address == "127.0.0.1" || request.peer_address == "::1";
  const bool forwarded = app.face.behind_proxy || request.through_proxy || was_forwarded(request);
  if (on_loopback && !forwarded) return {};
  TRY(role_read_only(app, request));
  Caller& caller = request.caller;
  if (caller.kind == Caller::Kind::inventory_key && caller.org == first_org) {
    caller.authority = {Role::read_only};
  }
  return {};
}

Result<void> feed_importer(App& app, Request& request) {
  TRY(check_host(app, request));
  TRY(check_lease(app));
  const std::string_view token = bearer_of(request);
  if (token.empty() || !prove_key(app, request, token)) return role_admin(app, request);
  if (!request.caller.may(Scope::import) || request.caller.org != first_org) {
    return Error{Errc::insufficient_scope,
                 "This needs a key of the organisation default with the scope import."};
  }
  request.caller.least = Role::admin;
  request.caller.authority = {Role::admin};
  return {};
}

}  // namespace muster::endpoints
