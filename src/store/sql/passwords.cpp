// SPDX-License-Identifier: Apache-2.0
#include "store/sql/passwords.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define PASSWORD_COLUMNS "operator_id, name, password_hash, totp_generation, totp_step, set_at"
std::optional<OperatorPassword> read_password(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return OperatorPassword{rows.number_id<OperatorId>(0),
                          rows.string(1),
                          rows.string(2),
                          rows.integer(3),
                          rows.integer(4),
                          rows.instant(5)};
}

}  // namespace

void set_operator_password(Tx& tx, const OperatorPassword& password) {
  tx.post("INSERT INTO operator_passwords (" PASSWORD_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6)"
          " ON CONFLICT (operator_id) DO UPDATE SET name = excluded.name,"
          " password_hash = excluded.password_hash, totp_generation = excluded.totp_generation,"
          " totp_step = excluded.totp_step, set_at = excluded.set_at",
          password.id, password.name, password.hash, password.totp_generation, password.totp_step,
          password.set_at);
}

std::optional<OperatorPassword> find_operator_password(Reader& reader, OperatorId id) {
  return read_password(reader.query(
      "SELECT " PASSWORD_COLUMNS " FROM operator_passwords WHERE operator_id = $1", id));
}

std::optional<OperatorPassword> find_operator_password(Reader& reader, std::string_view name) {
  return read_password(
      reader.query("SELECT " PASSWORD_COLUMNS " FROM operator_passwords WHERE name = $1", name));
}

bool use_totp_step(Tx& tx, OperatorId id, std::int64_t step) {
  return tx.execute(
             "UPDATE operator_passwords SET totp_step = $2"
             " WHERE operator_id = $1 AND totp_step < $2",
             id, step) == 1;
}

bool delete_operator_password(Tx& tx, OperatorId id) {
  return tx.execute("DELETE FROM operator_passwords WHERE operator_id = $1", id) == 1;
}

}  // namespace muster::store
