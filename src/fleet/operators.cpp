// SPDX-License-Identifier: Apache-2.0
#include "fleet/operators.h"

#include <algorithm>

#include "base/limits.h"
#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/audit.h"
#include "fleet/sign_in.h"
#include "store/sql/operator_identities.h"
#include "store/sql/passkeys.h"
#include "store/sql/passwords.h"
#include "store/store.h"

namespace muster::fleet {

using http::Authority;
using http::Role;

namespace {

Error no_such_operator() {
  return {Errc::not_found, "There is no such operator."};
}

/// A role that this server does not know is above every other.
Role role_of(const store::OperatorGrant& grant) {
  return http::parse_role(grant.role).value_or(Role::owner);
}
Role role_of(const store::OperatorToken& token) {
  return role_on_server(token).value_or(Role::owner);
}

bool knows_of(const Authority& authority, const OperatorView& other) {
  if (authority.on_server >= Role::admin) return true;
  return std::any_of(other.grants.begin(), other.grants.end(),
                     [&](const auto& grant) { return authority.in(grant.org) >= Role::admin; });
}

/// Whether nobody but `except` is an active owner of the server, or of `org` if given.
bool is_last_owner(store::Reader& reader, std::optional<OrgId> org, OperatorId except,
                   Instant now) {
  for (const store::OperatorToken& token : store::list_operator_tokens(reader)) {
    if (token.id == except || !is_active(token, now)) continue;
    if (role_of(token) == Role::owner) return false;
    const auto grant = org ? store::find_operator_grant(reader, *org, token.id) : std::nullopt;
    if (grant && role_of(*grant) == Role::owner) return false;
  }
  return true;
}

Error last_owner() {
  return {Errc::illegal_transition, "The last owner stays: nobody could appoint another."};
}

Result<void> check_not_last_owner(store::Reader& reader, const OperatorView& view, Instant now) {
  if (!is_active(view.token, now)) return {};
  if (role_of(view.token) == Role::owner &&
      is_last_owner(reader, std::nullopt, view.token.id, now)) {
    return last_owner();
  }
  for (const store::OperatorGrant& grant : view.grants) {
    if (role_of(grant) != Role::owner) continue;
    if (is_last_owner(reader, grant.org, view.token.id, now)) return last_owner();
  }
  return {};
}

/// What a change of grants leaves is what holds from the commit on, here and on other servers.
void follow_grants(store::Tx& tx, Credentials& credentials, OperatorId id) {
  announce_operator_token(tx, id);
  tx.on_commit([&credentials, id, grants = store::list_grants_of_operator(tx, id)] {
    credentials.grants.follow(id, grants);
  });
}

/// The operator as who asks for a change of its grant in `org` may see it, and what it is there.
struct Granted {
  OperatorView view;
  std::optional<store::OperatorGrant> former;
};
Result<Granted> granted_in(store::Tx& tx, const Authority& authority, OperatorId id, OrgId org) {
  OperatorView view = TRY(get_operator(tx, id));
  Granted found{std::move(view), store::find_operator_grant(tx, org, id)};
  if (!knows_of(authority, found.view)) return no_such_operator();
  if (found.former && role_of(*found.former) > authority.in(org)) {
    return Error{Errc::insufficient_role, "The operator has a role above yours."};
  }
  return found;
}

}  // namespace

CreatedOperator create_operator(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, const OperatorOrder& order, Instant now) {
  CreatedOperator created{ids.next<OperatorId>(now), crypto::make_key_text("ot_", rng), {}};
  if (order.ttl.count() != 0) created.expires_at = now + order.ttl;
  const Role on_server = order.org ? Role::none : order.role;
  const store::OperatorToken row{created.id,
                                 order.name,
                                 credentials.hash(created.token),
                                 std::string(http::role_name(on_server)),
                                 now,
                                 created.expires_at,
                                 std::nullopt};
  store::insert_operator_token(tx, row);
  if (order.org) {
    store::set_operator_grant(
        tx, {*order.org, created.id, std::string(http::role_name(order.role)), now, actor.text});
  }
  record_audit(
      tx, ids, order.org.value_or(OrgId{0}), actor, "operators.create",
      std::to_string(row.id.value),
      [&](JsonWriter& details) {
        details.member("name", row.name).member("role", http::role_name(order.role));
      },
      now);
  follow_grants(tx, credentials, row.id);
  tx.on_commit([&credentials, row] { credentials.follow_operator_token(row); });
  return created;
}

Result<void> check_operator_name(store::Reader& reader, std::string_view name, Instant now) {
  for (const store::OperatorToken& token : store::list_operator_tokens(reader)) {
    if (token.name != name || !is_active(token, now)) continue;
    return Error{Errc::name_taken,
                 "An operator has this name already; renew that one, or choose another name.",
                 "name"};
  }
  return {};
}

Result<void> check_rank(const Authority& authority, const OperatorView& other) {
  if (!knows_of(authority, other)) return no_such_operator();
  if (role_of(other.token) > authority.on_server) {
    return Error{Errc::insufficient_role, "The operator has a role above yours."};
  }
  for (const store::OperatorGrant& grant : other.grants) {
    const Role own = authority.in(grant.org);
    if (own < Role::admin || role_of(grant) > own) {
      return Error{Errc::insufficient_role, "The operator has a role above yours."};
    }
  }
  return {};
}

Result<OperatorView> renew_operator(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                    const Actor& actor, const Authority& authority, OperatorId id,
                                    Duration ttl, Instant now) {
  OperatorView view = TRY(get_operator(tx, id));
  TRY(check_rank(authority, view));
  store::OperatorToken& token = view.token;
  if (token.revoked_at) {
    return Error{Errc::illegal_transition, "The operator was revoked; appoint it anew."};
  }
  // One that was over may have lost its name meanwhile.
  if (!is_active(token, now)) TRY(check_operator_name(tx, token.name, now));
  token.expires_at = ttl.count() == 0 ? std::nullopt : std::optional(now + ttl);
  store::set_operator_token_end(tx, id, token.expires_at);
  AuditRows audit(ids, actor, now);
  const auto details = [&](JsonWriter& json) {
    json.member("name", token.name).member("expires_at", token.expires_at);
  };
  audit.add(OrgId{0}, "operators.renew", std::to_string(id.value), details);
  for (const store::OperatorGrant& grant : view.grants) {
    audit.add(grant.org, "operators.renew", std::to_string(id.value), details);
  }
  audit.record(tx);
  announce_operator_token(tx, id);
  tx.on_commit([&credentials, row = token] { credentials.follow_operator_token(row); });
  return view;
}

Result<OperatorView> revoke_operator(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                     const Actor& actor, const Authority& authority, OperatorId id,
                                     Instant now) {
  OperatorView view = TRY(get_operator(tx, id));
  TRY(check_rank(authority, view));
  store::OperatorToken& token = view.token;
  if (token.revoked_at) return view;
  TRY(check_not_last_owner(tx, view, now));
  token.revoked_at = now;
  store::revoke_operator_token(tx, id, now);
  store::delete_operator_password(tx, id);
  store::delete_passkeys(tx, id);
  store::delete_identities(tx, id);
  end_sign_ins(tx, credentials, id, now);
  // It is news wherever the operator was something.
  AuditRows audit(ids, actor, now);
  const auto name = [&](JsonWriter& details) { details.member("name", token.name); };
  audit.add(OrgId{0}, "operators.revoke", std::to_string(id.value), name);
  for (const store::OperatorGrant& grant : view.grants) {
    audit.add(grant.org, "operators.revoke", std::to_string(id.value), name);
  }
  audit.record(tx);
  announce_operator_token(tx, id);
  tx.on_commit([&credentials, row = token] { credentials.follow_operator_token(row); });
  return view;
}

Result<store::OperatorGrant> grant_role(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                        const Actor& actor, const Authority& authority,
                                        const GrantOrder& order, Instant now) {
  const Granted found = TRY(granted_in(tx, authority, order.operator_id, order.org));
  if (order.role > authority.in(order.org)) {
    return Error{Errc::insufficient_role, "Nobody gives a role above their own."};
  }
  if (!is_active(found.view.token, now)) {
    return Error{Errc::illegal_transition, "The operator's token has ended."};
  }
  const store::OperatorGrant grant{order.org, order.operator_id,
                                   std::string(http::role_name(order.role)), now, actor.text};
  if (found.former) {
    if (found.former->role == grant.role) return *found.former;
    if (role_of(*found.former) == Role::owner &&
        is_last_owner(tx, order.org, order.operator_id, now)) {
      return last_owner();
    }
  }
  store::set_operator_grant(tx, grant);
  record_audit(
      tx, ids, order.org, actor, "operators.grant", std::to_string(order.operator_id.value),
      [&](JsonWriter& details) {
        details.member("name", found.view.token.name).member("role", grant.role);
        if (found.former) details.member("former_role", found.former->role);
      },
      now);
  follow_grants(tx, credentials, order.operator_id);
  return grant;
}

Result<store::OperatorGrant> revoke_grant(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                          const Actor& actor, const Authority& authority,
                                          OperatorId id, OrgId org, Instant now) {
  Granted found = TRY(granted_in(tx, authority, id, org));
  if (!found.former) {
    return Error{Errc::not_found, "The operator was granted nothing in that organisation."};
  }
  if (role_of(*found.former) == Role::owner && is_active(found.view.token, now) &&
      is_last_owner(tx, org, id, now)) {
    return last_owner();
  }
  store::delete_operator_grant(tx, org, id);
  record_audit(
      tx, ids, org, actor, "operators.revoke_grant", std::to_string(id.value),
      [&](JsonWriter& details) {
        details.member("name", found.view.token.name).member("former_role", found.former->role);
      },
      now);
  follow_grants(tx, credentials, id);
  return *std::move(found.former);
}

bool is_active(const store::OperatorToken& token, Instant now) {
  return !token.revoked_at && (!token.expires_at || now < *token.expires_at);
}

std::vector<OperatorView> list_operators(store::Store& store, const Authority& authority,
                                         std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) {
    const bool knows_all = authority.on_server >= Role::admin;
    const auto granted = store::list_operator_grants(reader);
    std::vector<OperatorView> views;
    for (store::OperatorToken& token : store::list_operator_tokens(reader)) {
      OperatorView view{std::move(token), {}};
      bool of_org = false;
      // Both lists are in the order of operators, but not of one length.
      const auto first = std::lower_bound(
          granted.begin(), granted.end(), view.token.id,
          [](const store::OperatorGrant& grant, OperatorId id) { return grant.operator_id < id; });
      for (auto at = first; at != granted.end() && at->operator_id == view.token.id; ++at) {
        if (!knows_all && authority.in(at->org) < Role::admin) continue;
        view.grants.push_back(*at);
        of_org = of_org || at->org == org;
      }
      const bool known = knows_all || !view.grants.empty();
      if (known && (!org || of_org)) views.push_back(std::move(view));
    }
    return views;
  });
}

Result<OperatorView> get_operator(store::Reader& reader, OperatorId id) {
  auto token = store::find_operator_token(reader, id);
  if (!token) return no_such_operator();
  return OperatorView{std::move(*token), store::list_grants_of_operator(reader, id)};
}

Result<OperatorView> find_operator(store::Store& store, OperatorId id) {
  return store.read([&](store::Reader& reader) { return get_operator(reader, id); });
}

}  // namespace muster::fleet
