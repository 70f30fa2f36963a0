// SPDX-License-Identifier: Apache-2.0
#include "fleet/operators.h"

#include "base/limits.h"
#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/sign_in.h"
#include "store/sql/passwords.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_such_operator() {
  return {Errc::not_found, "There is no such operator."};
}

}  // namespace

CreatedOperator create_operator(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, const OperatorOrder& order, Instant now) {
  CreatedOperator created{ids.next<OperatorId>(now), crypto::make_key_text("ot_", rng), {}};
  if (order.ttl.count() != 0) created.expires_at = now + order.ttl;
  const store::OperatorToken row{created.id,
                                 order.name,
                                 credentials.hash(created.token),
                                 std::string(http::role_name(order.role)),
                                 now,
                                 created.expires_at,
                                 std::nullopt};
  store::insert_operator_token(tx, row);
  record_audit(
      tx, ids, OrgId{0}, actor, "operators.create", std::to_string(row.id.value),
      [&](JsonWriter& details) { details.member("name", row.name).member("role", row.role); }, now);
  announce_operator_token(tx, row.id);
  tx.on_commit([&credentials, row] { credentials.follow_operator_token(row); });
  return created;
}

Result<store::OperatorToken> revoke_operator(store::Tx& tx, NumberIds& ids,
                                             Credentials& credentials, const Actor& actor,
                                             http::Role role, OperatorId id, Instant now) {
  auto token = store::find_operator_token(tx, id);
  if (!token) return no_such_operator();
  if (http::parse_role(token->role).value_or(http::Role::owner) > role) {
    return Error{Errc::insufficient_role, "The operator has a role above yours."};
  }
  if (token->revoked_at) return std::move(*token);
  token->revoked_at = now;
  store::revoke_operator_token(tx, id, now);
  store::delete_operator_password(tx, id);
  end_sign_ins(tx, credentials, id, now);
  record_audit(
      tx, ids, OrgId{0}, actor, "operators.revoke", std::to_string(id.value),
      [&](JsonWriter& details) { details.member("name", token->name); }, now);
  announce_operator_token(tx, id);
  tx.on_commit([&credentials, row = *token] { credentials.follow_operator_token(row); });
  return std::move(*token);
}

bool is_active(const store::OperatorToken& token, Instant now) {
  return !token.revoked_at && (!token.expires_at || now < *token.expires_at);
}

std::vector<store::OperatorToken> list_operators(store::Store& store) {
  return store.read([](store::Reader& reader) { return store::list_operator_tokens(reader); });
}

Result<store::OperatorToken> find_operator(store::Store& store, OperatorId id) {
  auto found =
      store.read([&](store::Reader& reader) { return store::find_operator_token(reader, id); });
  if (!found) return no_such_operator();
  return std::move(*found);
}

}  // namespace muster::fleet
