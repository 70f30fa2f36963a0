// SPDX-License-Identifier: Apache-2.0
#include "store/sql/clones.h"

#include "store/store.h"

namespace muster::store {

std::optional<CloneRow> find_clone(Reader& reader, OrgId org, AgentId agent) {
  Rows rows = reader.query(
      "SELECT detected_at, confirmed_at, older_hostname, older_address, newer_hostname,"
      " newer_address FROM agent_clones WHERE org_id = $1 AND agent_id = $2",
      org, agent);
  if (!rows.next()) return std::nullopt;
  return CloneRow{org,
                  agent,
                  rows.instant(0),
                  rows.instant(1),
                  rows.string(2),
                  rows.string(3),
                  rows.string(4),
                  rows.string(5)};
}

void set_clone(Tx& tx, const CloneRow& row) {
  tx.post(
      "INSERT INTO agent_clones (org_id, agent_id, detected_at, confirmed_at, older_hostname,"
      " older_address, newer_hostname, newer_address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
      " ON CONFLICT (org_id, agent_id) DO UPDATE SET confirmed_at = excluded.confirmed_at,"
      " older_hostname = excluded.older_hostname, older_address = excluded.older_address,"
      " newer_hostname = excluded.newer_hostname, newer_address = excluded.newer_address",
      row.org, row.agent, row.detected_at, row.confirmed_at, row.older_hostname, row.older_address,
      row.newer_hostname, row.newer_address);
}

void delete_clone(Tx& tx, OrgId org, AgentId agent) {
  tx.post("DELETE FROM agent_clones WHERE org_id = $1 AND agent_id = $2", org, agent);
}

bool has_old_clones(Reader& reader, Instant confirmed_before) {
  return reader
      .query("SELECT 1 FROM agent_clones WHERE confirmed_at < $1 LIMIT 1", confirmed_before)
      .next();
}

std::int64_t delete_old_clones(Tx& tx, Instant confirmed_before) {
  return tx.execute("DELETE FROM agent_clones WHERE confirmed_at < $1", confirmed_before);
}

}  // namespace muster::store
