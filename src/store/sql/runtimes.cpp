// SPDX-License-Identifier: Apache-2.0
#include "store/sql/runtimes.h"

#include "store/store.h"

namespace muster::store {

std::optional<HostRuntimeRow> find_host_runtime(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT org_id, host_id, hash, listening, services, reported_at FROM host_runtimes"
      " WHERE org_id = $1 AND host_id = $2",
      org, host);
  if (!rows.next()) return std::nullopt;
  return HostRuntimeRow{rows.number_id<OrgId>(0), rows.number_id<HostId>(1),
                        rows.string(2),           rows.string(3),
                        rows.string(4),           rows.instant(5)};
}

void set_host_runtime(Tx& tx, const HostRuntimeRow& row) {
  tx.post(
      "INSERT INTO host_runtimes (org_id, host_id, hash, listening, services, reported_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)"
      " ON CONFLICT (org_id, host_id) DO UPDATE SET hash = excluded.hash,"
      " listening = excluded.listening, services = excluded.services,"
      " reported_at = excluded.reported_at",
      row.org, row.host, row.hash, row.listening, row.services, row.reported_at);
}

}  // namespace muster::store
