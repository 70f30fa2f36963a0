// SPDX-License-Identifier: Apache-2.0
#include "store/sql/operator_identities.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define IDENTITY_COLUMNS "identity_id, operator_id, issuer, subject, name, created_at, used_at"
OperatorIdentity read_identity(const Rows& rows) {
  return {rows.number_id<IdentityId>(0),
          rows.number_id<OperatorId>(1),
          rows.string(2),
          rows.string(3),
          rows.string(4),
          rows.instant(5),
          rows.maybe_instant(6)};
}

std::optional<OperatorIdentity> read_one(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return read_identity(rows);
}

}  // namespace

void insert_identity(Tx& tx, const OperatorIdentity& identity) {
  tx.post("INSERT INTO operator_identities (" IDENTITY_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7)",
          identity.id, identity.operator_id, identity.issuer, identity.subject, identity.name,
          identity.created_at, identity.used_at);
}

std::optional<OperatorIdentity> find_identity(Reader& reader, IdentityId id) {
  return read_one(reader.query(
      "SELECT " IDENTITY_COLUMNS " FROM operator_identities WHERE identity_id = $1", id));
}

std::optional<OperatorIdentity> find_identity(Reader& reader, std::string_view issuer,
                                              std::string_view subject) {
  return read_one(reader.query("SELECT " IDENTITY_COLUMNS
                               " FROM operator_identities WHERE issuer = $1 AND subject = $2",
                               issuer, subject));
}

std::vector<OperatorIdentity> list_identities(Reader& reader, OperatorId id) {
  std::vector<OperatorIdentity> identities;
  Rows rows = reader.query("SELECT " IDENTITY_COLUMNS
                           " FROM operator_identities WHERE operator_id = $1 ORDER BY identity_id",
                           id);
  while (rows.next()) identities.push_back(read_identity(rows));
  return identities;
}

void set_identity_used(Tx& tx, IdentityId id, Instant now) {
  tx.post("UPDATE operator_identities SET used_at = $2 WHERE identity_id = $1", id, now);
}

void delete_identity(Tx& tx, IdentityId id) {
  tx.post("DELETE FROM operator_identities WHERE identity_id = $1", id);
}

void delete_identities(Tx& tx, OperatorId id) {
  tx.post("DELETE FROM operator_identities WHERE operator_id = $1", id);
}

}  // namespace muster::store
