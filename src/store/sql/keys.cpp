// SPDX-License-Identifier: Apache-2.0
#include "store/sql/keys.h"

#include "store/store.h"

namespace muster::store {

void insert_operator_token(Tx& tx, const OperatorToken& token) {
  tx.post(
      "INSERT INTO operator_tokens (operator_id, name, token_hash, scopes, created_at, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      token.id, token.name, token.hash, token.scopes, token.created_at, token.expires_at);
}

std::vector<OperatorToken> list_operator_tokens(Reader& reader) {
  std::vector<OperatorToken> tokens;
  Rows rows = reader.query(
      "SELECT operator_id, name, token_hash, scopes, created_at, expires_at, revoked_at"
      " FROM operator_tokens ORDER BY operator_id");
  while (rows.next()) {
    tokens.push_back({rows.number_id<OperatorId>(0), rows.string(1), rows.key_hash(2),
                      rows.integer(3), rows.instant(4), rows.maybe_instant(5),
                      rows.maybe_instant(6)});
  }
  return tokens;
}

void insert_enrolment_token(Tx& tx, const EnrolmentToken& token) {
  tx.post(
      "INSERT INTO enrolment_tokens"
      " (org_id, token_id, token_hash, max_uses, uses, created_at, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      token.org, token.id, token.hash, token.max_uses, token.uses, token.created_at,
      token.expires_at);
}

std::vector<EnrolmentToken> list_enrolment_tokens(Reader& reader) {
  std::vector<EnrolmentToken> tokens;
  Rows rows = reader.query(
      "SELECT org_id, token_id, token_hash, max_uses, uses, created_at, expires_at, revoked_at"
      " FROM enrolment_tokens ORDER BY token_id");
  while (rows.next()) {
    tokens.push_back({rows.number_id<OrgId>(0), rows.number_id<TokenId>(1), rows.key_hash(2),
                      rows.integer(3), rows.integer(4), rows.instant(5), rows.instant(6),
                      rows.maybe_instant(7)});
  }
  return tokens;
}

bool use_enrolment_token(Tx& tx, OrgId org, TokenId id, Instant now) {
  return tx.execute(
             "UPDATE enrolment_tokens SET uses = uses + 1 WHERE org_id = $1 AND token_id = $2"
             " AND uses < max_uses AND expires_at > $3 AND revoked_at IS NULL",
             org, id, now) == 1;
}

bool revoke_enrolment_token(Tx& tx, OrgId org, TokenId id, Instant now) {
  return tx.execute(
             "UPDATE enrolment_tokens SET revoked_at = $3 WHERE org_id = $1 AND token_id = $2"
             " AND revoked_at IS NULL",
             org, id, now) == 1;
}

void insert_inventory_key(Tx& tx, const InventoryKey& key) {
  tx.post(
      "INSERT INTO inventory_keys (org_id, key_id, name, key_hash, scopes, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      key.org, key.id, key.name, key.hash, key.scopes, key.created_at);
}

std::vector<InventoryKey> list_inventory_keys(Reader& reader) {
  std::vector<InventoryKey> keys;
  Rows rows = reader.query(
      "SELECT org_id, key_id, name, key_hash, scopes, created_at, revoked_at"
      " FROM inventory_keys ORDER BY key_id");
  while (rows.next()) {
    keys.push_back({rows.number_id<OrgId>(0), rows.number_id<KeyId>(1), rows.string(2),
                    rows.key_hash(3), rows.integer(4), rows.instant(5), rows.maybe_instant(6)});
  }
  return keys;
}

bool revoke_inventory_key(Tx& tx, OrgId org, KeyId id, Instant now) {
  return tx.execute(
             "UPDATE inventory_keys SET revoked_at = $3 WHERE org_id = $1 AND key_id = $2"
             " AND revoked_at IS NULL",
             org, id, now) == 1;
}

}  // namespace muster::store
