// SPDX-License-Identifier: Apache-2.0
#include "store/sql/clones.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define SELECT_CLONES                                                                  \
  "SELECT org_id, agent_id, detected_at, confirmed_at, older_hostname, older_address," \
  " newer_hostname, newer_address, older_boot, newer_boot, split_agent FROM agent_clones"

std::vector<CloneRow> read_clones(Rows rows) {
  std::vector<CloneRow> clones;
  while (rows.next()) {
    CloneRow& row = clones.emplace_back();
    row.org = rows.number_id<OrgId>(0);
    row.agent = rows.uuid_id<AgentId>(1);
    row.detected_at = rows.instant(2);
    row.confirmed_at = rows.instant(3);
    row.older_hostname = rows.string(4);
    row.older_address = rows.string(5);
    row.newer_hostname = rows.string(6);
    row.newer_address = rows.string(7);
    row.older_boot = rows.integer(8);
    row.newer_boot = rows.integer(9);
    if (!rows.is_null(10)) row.split_agent = rows.uuid_id<AgentId>(10);
  }
  return clones;
}

std::optional<CloneRow> first_of(std::vector<CloneRow> clones) {
  if (clones.empty()) return std::nullopt;
  return std::move(clones.front());
}

}  // namespace

std::optional<CloneRow> find_clone(Reader& reader, OrgId org, AgentId agent) {
  return first_of(
      read_clones(reader.query(SELECT_CLONES " WHERE org_id = $1 AND agent_id = $2", org, agent)));
}

std::optional<CloneRow> find_split(Reader& reader, OrgId org, AgentId split_agent) {
  return first_of(read_clones(
      reader.query(SELECT_CLONES " WHERE org_id = $1 AND split_agent = $2", org, split_agent)));
}

std::vector<CloneRow> list_splits(Reader& reader) {
  return read_clones(reader.query(SELECT_CLONES " WHERE split_agent IS NOT NULL"));
}

void set_clone(Tx& tx, const CloneRow& row) {
  tx.post(
      "INSERT INTO agent_clones (org_id, agent_id, detected_at, confirmed_at, older_hostname,"
      " older_address, newer_hostname, newer_address, older_boot, newer_boot)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
      " ON CONFLICT (org_id, agent_id) DO UPDATE SET confirmed_at = excluded.confirmed_at,"
      " older_hostname = excluded.older_hostname, older_address = excluded.older_address,"
      " newer_hostname = excluded.newer_hostname, newer_address = excluded.newer_address,"
      " older_boot = excluded.older_boot, newer_boot = excluded.newer_boot",
      row.org, row.agent, row.detected_at, row.confirmed_at, row.older_hostname, row.older_address,
      row.newer_hostname, row.newer_address, row.older_boot, row.newer_boot);
}

void set_clone_split(Tx& tx, OrgId org, AgentId agent, std::optional<AgentId> split_agent) {
  tx.post("UPDATE agent_clones SET split_agent = $3 WHERE org_id = $1 AND agent_id = $2", org,
          agent, split_agent);
}

void delete_clone(Tx& tx, OrgId org, AgentId agent) {
  tx.post("DELETE FROM agent_clones WHERE org_id = $1 AND agent_id = $2", org, agent);
}

bool has_old_clones(Reader& reader, Instant confirmed_before) {
  return reader
      .query("SELECT 1 FROM agent_clones WHERE confirmed_at < $1 AND split_agent IS NULL LIMIT 1",
             confirmed_before)
      .next();
}

std::int64_t delete_old_clones(Tx& tx, Instant confirmed_before) {
  return tx.execute("DELETE FROM agent_clones WHERE confirmed_at < $1 AND split_agent IS NULL",
                    confirmed_before);
}

#undef SELECT_CLONES

}  // namespace muster::store
