// SPDX-License-Identifier: Apache-2.0
#include "store/sql/operator_grants.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define GRANT_COLUMNS "org_id, operator_id, role, granted_at, granted_by"
std::vector<OperatorGrant> read_grants(Rows rows) {
  std::vector<OperatorGrant> grants;
  while (rows.next()) {
    grants.push_back({rows.number_id<OrgId>(0), rows.number_id<OperatorId>(1), rows.string(2),
                      rows.instant(3), rows.string(4)});
  }
  return grants;
}

}  // namespace

void set_operator_grant(Tx& tx, const OperatorGrant& grant) {
  tx.post("INSERT INTO operator_grants (" GRANT_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5)"
          " ON CONFLICT (org_id, operator_id) DO UPDATE SET role = excluded.role,"
          " granted_at = excluded.granted_at, granted_by = excluded.granted_by",
          grant.org, grant.operator_id, grant.role, grant.granted_at, grant.granted_by);
}

bool delete_operator_grant(Tx& tx, OrgId org, OperatorId id) {
  return tx.execute("DELETE FROM operator_grants WHERE org_id = $1 AND operator_id = $2", org,
                    id) == 1;
}

std::optional<OperatorGrant> find_operator_grant(Reader& reader, OrgId org, OperatorId id) {
  auto found = read_grants(reader.query(
      "SELECT " GRANT_COLUMNS " FROM operator_grants WHERE org_id = $1 AND operator_id = $2", org,
      id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<OperatorGrant> list_grants_of_operator(Reader& reader, OperatorId id) {
  return read_grants(reader.query(
      "SELECT " GRANT_COLUMNS " FROM operator_grants WHERE operator_id = $1 ORDER BY org_id", id));
}

std::vector<OperatorGrant> list_operator_grants(Reader& reader) {
  return read_grants(
      reader.query("SELECT " GRANT_COLUMNS " FROM operator_grants ORDER BY operator_id, org_id"));
}

}  // namespace muster::store
