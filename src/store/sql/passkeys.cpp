// SPDX-License-Identifier: Apache-2.0
#include "store/sql/passkeys.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define PASSKEY_COLUMNS                                                    \
  "passkey_id, operator_id, name, credential_id, public_key, sign_count, " \
  "backup_eligible, backed_up, created_at, used_at"
Passkey read_passkey(const Rows& rows) {
  return {rows.number_id<PasskeyId>(0),
          rows.number_id<OperatorId>(1),
          rows.string(2),
          std::string(rows.blob(3)),
          std::string(rows.blob(4)),
          rows.integer(5),
          rows.boolean(6),
          rows.boolean(7),
          rows.instant(8),
          rows.maybe_instant(9)};
}

std::optional<Passkey> read_one(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return read_passkey(rows);
}

}  // namespace

void insert_passkey(Tx& tx, const Passkey& passkey) {
  tx.post("INSERT INTO passkeys (" PASSKEY_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
          passkey.id, passkey.operator_id, passkey.name, Blob{passkey.credential_id},
          Blob{passkey.public_key}, passkey.sign_count, passkey.backup_eligible, passkey.backed_up,
          passkey.created_at, passkey.used_at);
}

std::optional<Passkey> find_passkey(Reader& reader, PasskeyId id) {
  return read_one(
      reader.query("SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE passkey_id = $1", id));
}

std::optional<Passkey> find_passkey(Reader& reader, std::string_view credential_id) {
  return read_one(reader.query("SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE credential_id = $1",
                               Blob{credential_id}));
}

std::vector<Passkey> list_passkeys(Reader& reader, OperatorId id) {
  std::vector<Passkey> passkeys;
  Rows rows = reader.query(
      "SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE operator_id = $1 ORDER BY passkey_id", id);
  while (rows.next()) passkeys.push_back(read_passkey(rows));
  return passkeys;
}

void set_passkey_name(Tx& tx, PasskeyId id, std::string_view name) {
  tx.post("UPDATE passkeys SET name = $2 WHERE passkey_id = $1", id, name);
}

bool use_passkey(Tx& tx, PasskeyId id, std::int64_t sign_count, bool backed_up, Instant now) {
  return tx.execute(
             "UPDATE passkeys SET sign_count = $2, backed_up = $3, used_at = $4"
             " WHERE passkey_id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))",
             id, sign_count, backed_up, now) == 1;
}

void delete_passkey(Tx& tx, PasskeyId id) {
  tx.post("DELETE FROM passkeys WHERE passkey_id = $1", id);
}

void delete_passkeys(Tx& tx, OperatorId id) {
  tx.post("DELETE FROM passkeys WHERE operator_id = $1", id);
}

bool use_challenge(Tx& tx, const crypto::KeyHash& hash, Instant expires_at, Instant forgotten) {
  tx.post("DELETE FROM used_challenges WHERE expires_at <= $1", forgotten);
  return tx.execute(
             "INSERT INTO used_challenges (challenge_hash, expires_at) VALUES ($1, $2)"
             " ON CONFLICT (challenge_hash) DO NOTHING",
             hash, expires_at) == 1;
}

}  // namespace muster::store
