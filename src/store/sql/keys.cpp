// SPDX-License-Identifier: Apache-2.0
#include "store/sql/keys.h"

#include "store/sql/text_list.h"
#include "store/store.h"

namespace muster::store {

namespace {

#define OPERATOR_TOKEN_COLUMNS \
  "operator_id, name, token_hash, role, created_at, expires_at, revoked_at"
OperatorToken read_operator_token(const Rows& rows) {
  return {rows.number_id<OperatorId>(0),
          rows.string(1),
          rows.key_hash(2),
          rows.string(3),
          rows.instant(4),
          rows.maybe_instant(5),
          rows.maybe_instant(6)};
}

// Adjacent literals, so that each statement is one literal and keeps its own address.
#define ENROLMENT_TOKEN_COLUMNS                                                             \
  "org_id, token_id, token_hash, max_uses, uses, created_at, expires_at, revoked_at, tags," \
  " networks, systems"
// $1 the organisation, $2 the name of a model::TokenState, $3 now.
#define ENROLMENT_TOKEN_FILTER                                                         \
  "($1 IS NULL OR org_id = $1) AND ($2 IS NULL OR $2 = CASE"                           \
  " WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN uses >= max_uses THEN 'exhausted'" \
  " WHEN expires_at <= $3 THEN 'expired' ELSE 'active' END)"

std::string encode_networks(const std::vector<IpNetwork>& networks) {
  std::vector<std::string> texts;
  texts.reserve(networks.size());
  for (const IpNetwork& network : networks) texts.push_back(format_ip_network(network));
  return encode_text_list(texts);
}

std::vector<IpNetwork> decode_networks(std::string_view column) {
  std::vector<IpNetwork> networks;
  for (const std::string& text : decode_text_list(column)) {
    const auto network = parse_ip_network(text);
    if (!network.ok()) throw StoreError("enrolment_tokens.networks is damaged");
    networks.push_back(*network);
  }
  return networks;
}

EnrolmentToken read_enrolment_token(const Rows& rows) {
  return {rows.number_id<OrgId>(0),
          rows.number_id<TokenId>(1),
          rows.key_hash(2),
          rows.integer(3),
          rows.integer(4),
          rows.instant(5),
          rows.instant(6),
          rows.maybe_instant(7),
          {decode_text_list(rows.text(8)), decode_networks(rows.text(9)),
           decode_text_list(rows.text(10))}};
}

std::optional<std::string> state_text(const EnrolmentTokenFilter& filter) {
  if (!filter.state) return std::nullopt;
  return std::string(model::token_state_name(*filter.state));
}

#define INVENTORY_KEY_COLUMNS "org_id, key_id, name, key_hash, scopes, created_at, revoked_at"
InventoryKey read_inventory_key(const Rows& rows) {
  return {rows.number_id<OrgId>(0), rows.number_id<KeyId>(1), rows.string(2),
          rows.key_hash(3),         rows.integer(4),          rows.instant(5),
          rows.maybe_instant(6)};
}

template <typename Row>
std::vector<Row> read_all(Rows rows, Row (*read)(const Rows&)) {
  std::vector<Row> all;
  while (rows.next()) all.push_back(read(rows));
  return all;
}
template <typename Row>
std::optional<Row> read_one(Rows rows, Row (*read)(const Rows&)) {
  if (!rows.next()) return std::nullopt;
  return read(rows);
}

}  // namespace

void insert_operator_token(Tx& tx, const OperatorToken& token) {
  tx.post(
      "INSERT INTO operator_tokens (operator_id, name, token_hash, role, created_at, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      token.id, token.name, token.hash, token.role, token.created_at, token.expires_at);
}

std::vector<OperatorToken> list_operator_tokens(Reader& reader) {
  return read_all(
      reader.query("SELECT " OPERATOR_TOKEN_COLUMNS " FROM operator_tokens ORDER BY operator_id"),
      read_operator_token);
}

std::optional<OperatorToken> find_operator_token(Reader& reader, OperatorId id) {
  return read_one(
      reader.query("SELECT " OPERATOR_TOKEN_COLUMNS " FROM operator_tokens WHERE operator_id = $1",
                   id),
      read_operator_token);
}

bool set_operator_token_end(Tx& tx, OperatorId id, std::optional<Instant> expires_at) {
  return tx.execute(
             "UPDATE operator_tokens SET expires_at = $2"
             " WHERE operator_id = $1 AND revoked_at IS NULL",
             id, expires_at) == 1;
}

bool revoke_operator_token(Tx& tx, OperatorId id, Instant now) {
  return tx.execute(
             "UPDATE operator_tokens SET revoked_at = $2"
             " WHERE operator_id = $1 AND revoked_at IS NULL",
             id, now) == 1;
}

void insert_enrolment_token(Tx& tx, const EnrolmentToken& token) {
  tx.post("INSERT INTO enrolment_tokens (" ENROLMENT_TOKEN_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
          token.org, token.id, token.hash, token.max_uses, token.uses, token.created_at,
          token.expires_at, token.revoked_at, encode_text_list(token.terms.tags),
          encode_networks(token.terms.networks), encode_text_list(token.terms.systems));
}

std::optional<EnrolmentToken> find_enrolment_token(Reader& reader, OrgId org, TokenId id) {
  return read_one(reader.query("SELECT " ENROLMENT_TOKEN_COLUMNS
                               " FROM enrolment_tokens WHERE org_id = $1 AND token_id = $2",
                               org, id),
                  read_enrolment_token);
}

std::optional<EnrolmentToken> find_enrolment_token_anywhere(Reader& reader, TokenId id) {
  return read_one(
      reader.query("SELECT " ENROLMENT_TOKEN_COLUMNS " FROM enrolment_tokens WHERE token_id = $1",
                   id),
      read_enrolment_token);
}

std::vector<EnrolmentToken> list_enrolment_tokens(Reader& reader,
                                                  const EnrolmentTokenFilter& filter,
                                                  TokenId before, int count) {
  return read_all(
      reader.query("SELECT " ENROLMENT_TOKEN_COLUMNS
                   " FROM enrolment_tokens WHERE token_id < $4 AND " ENROLMENT_TOKEN_FILTER
                   " ORDER BY token_id DESC LIMIT $5",
                   filter.org, state_text(filter), filter.now, before, count),
      read_enrolment_token);
}

Total count_enrolment_tokens(Reader& reader, const EnrolmentTokenFilter& filter) {
  return read_total(
      reader.query("SELECT count(*) FROM (SELECT 1 FROM enrolment_tokens"
                   " WHERE " ENROLMENT_TOKEN_FILTER " LIMIT $4) AS counted",
                   filter.org, state_text(filter), filter.now, limits::counted_rows + 1));
}

bool is_usable(Reader& reader, const EnrolmentToken& token) {
  if (token.revoked_at) return false;
  if (token.uses < token.max_uses) return true;
  return reader
      .query(
          "SELECT 1 FROM agents WHERE org_id = $1 AND token_id = $2 AND key_since IS NULL LIMIT 1",
          token.org, token.id)
      .next();
}

std::vector<EnrolmentToken> list_usable_enrolment_tokens(Reader& reader) {
  return read_all(
      reader.query("SELECT " ENROLMENT_TOKEN_COLUMNS
                   " FROM enrolment_tokens WHERE revoked_at IS NULL AND (uses < max_uses OR EXISTS"
                   " (SELECT 1 FROM agents WHERE agents.org_id = enrolment_tokens.org_id"
                   " AND agents.token_id = enrolment_tokens.token_id AND key_since IS NULL))"),
      read_enrolment_token);
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
  return read_all(
      reader.query("SELECT " INVENTORY_KEY_COLUMNS " FROM inventory_keys ORDER BY key_id"),
      read_inventory_key);
}

std::optional<InventoryKey> find_inventory_key(Reader& reader, OrgId org, KeyId id) {
  return read_one(reader.query("SELECT " INVENTORY_KEY_COLUMNS
                               " FROM inventory_keys WHERE org_id = $1 AND key_id = $2",
                               org, id),
                  read_inventory_key);
}

bool revoke_inventory_key(Tx& tx, OrgId org, KeyId id, Instant now) {
  return tx.execute(
             "UPDATE inventory_keys SET revoked_at = $3 WHERE org_id = $1 AND key_id = $2"
             " AND revoked_at IS NULL",
             org, id, now) == 1;
}

void set_key_use(Tx& tx, const KeyUse& use) {
  tx.post(
      "INSERT INTO key_uses (org_id, key_id, host_id, used_at) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (org_id, key_id, host_id) DO UPDATE SET used_at = excluded.used_at"
      " WHERE excluded.used_at > key_uses.used_at",
      use.org, use.key, use.host, use.used_at);
}

void for_each_key_use(Reader& reader, const std::function<void(const KeyUse&)>& each) {
  Rows rows = reader.query("SELECT org_id, key_id, host_id, used_at FROM key_uses");
  while (rows.next()) {
    each({rows.number_id<OrgId>(0), rows.number_id<KeyId>(1), rows.number_id<HostId>(2),
          rows.instant(3)});
  }
}

std::vector<KeyUser> list_key_users(Reader& reader, OrgId org, KeyId key, KeyId instead,
                                    Instant since, Duration apart, int count) {
  Rows rows = reader.query(
      "SELECT key_uses.host_id, hosts.ip_address FROM key_uses JOIN hosts"
      " ON hosts.org_id = key_uses.org_id AND hosts.host_id = key_uses.host_id"
      " LEFT JOIN key_uses AS moved ON moved.org_id = key_uses.org_id"
      " AND moved.host_id = key_uses.host_id AND moved.key_id = $3"
      " WHERE key_uses.org_id = $1 AND key_uses.key_id = $2 AND key_uses.used_at >= $4"
      " AND (moved.used_at IS NULL OR moved.used_at < key_uses.used_at + $5)"
      " ORDER BY key_uses.host_id LIMIT $6",
      org, key, instead, since, apart.count(), count);
  std::vector<KeyUser> users;
  while (rows.next()) users.push_back({rows.number_id<HostId>(0), rows.string(1)});
  return users;
}

}  // namespace muster::store
