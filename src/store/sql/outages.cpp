// SPDX-License-Identifier: Apache-2.0
#include "store/sql/outages.h"

#include "store/sql/heard.h"
#include "store/store.h"

namespace muster::store {

namespace {

#define OUTAGE_COLUMNS \
  "org_id, agent_id, since, host_id, told_at, ended_at, telling, group_id, cause, reason"

OutageRow read_outage(const Rows& rows) {
  OutageRow row;
  row.org = rows.number_id<OrgId>(0);
  row.agent = rows.uuid_id<AgentId>(1);
  row.since = rows.instant(2);
  row.host = rows.number_id<HostId>(3);
  row.told_at = rows.instant(4);
  row.ended_at = rows.maybe_instant(5);
  row.telling = rows.string(6);
  if (!rows.is_null(7)) row.group = rows.number_id<EventId>(7);
  row.cause = rows.string(8);
  row.reason = rows.string(9);
  return row;
}

std::vector<AgentId> read_agent_ids(Rows rows) {
  std::vector<AgentId> ids;
  while (rows.next()) ids.push_back(rows.uuid_id<AgentId>(0));
  return ids;
}

}  // namespace

#define OUTAGE_OPENS_AGAIN                                                           \
  " ON CONFLICT (org_id, agent_id, since) DO UPDATE SET told_at = excluded.told_at," \
  " ended_at = NULL, telling = excluded.telling, group_id = excluded.group_id,"      \
  " cause = excluded.cause, reason = excluded.reason"                                \
  " WHERE outages.ended_at IS NOT NULL AND excluded.ended_at IS NULL"

void insert_outages(Tx& tx, const std::vector<OutageRow>& rows) {
  tx.post_batch(
      "INSERT INTO outages (" OUTAGE_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" OUTAGE_OPENS_AGAIN,
      "INSERT INTO outages (" OUTAGE_COLUMNS
      ") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" OUTAGE_OPENS_AGAIN,
      rows, [](const OutageRow& row) {
        return std::array<Param, 10>{row.org,      row.agent,   row.since, row.host,  row.told_at,
                                     row.ended_at, row.telling, row.group, row.cause, row.reason};
      });
}

std::vector<AgentId> list_heard_or_told(Reader& reader, const std::vector<SilentAgent>& agents) {
  std::vector<AgentId> found;
  reader.query_batch(
      "SELECT agent_id FROM agent_presence WHERE org_id = $1 AND agent_id = $2 AND last_seen > $3"
      " UNION SELECT agent_id FROM outages"
      " WHERE org_id = $1 AND agent_id = $2 AND ended_at IS NULL",
      "WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[])"
      " AS given (org_id, agent_id, last_seen))"
      " SELECT agent_id FROM given JOIN agent_presence p USING (org_id, agent_id)"
      " WHERE p.last_seen > given.last_seen"
      " UNION SELECT agent_id FROM given JOIN outages o USING (org_id, agent_id)"
      " WHERE o.ended_at IS NULL",
      agents,
      [](const SilentAgent& each) {
        return std::array<Param, 3>{each.org, each.agent, each.last_seen};
      },
      [&](const Rows& rows) { found.push_back(rows.uuid_id<AgentId>(0)); });
  std::vector<AgentHeardRow> asked;
  for (const SilentAgent& each : agents) asked.push_back({each.org, each.agent, each.last_seen});
  const HeardTimes heard = list_heard(reader, asked);
  for (const AgentHeardRow& row : asked) {
    if (heard.find(row.org, row.agent) > row.last_seen) found.push_back(row.agent);
  }
  return found;
}

std::optional<OutageRow> find_open_outage(Reader& reader, OrgId org, AgentId agent) {
  Rows rows = reader.query("SELECT " OUTAGE_COLUMNS
                           " FROM outages"
                           " WHERE org_id = $1 AND agent_id = $2 AND ended_at IS NULL",
                           org, agent);
  if (!rows.next()) return std::nullopt;
  return read_outage(rows);
}

std::vector<AgentId> list_silent_agents(Reader& reader) {
  return read_agent_ids(reader.query("SELECT agent_id FROM outages WHERE ended_at IS NULL"));
}

void end_outage(Tx& tx, OrgId org, AgentId agent, Instant at, std::string_view reason) {
  tx.post(
      "UPDATE outages SET ended_at = $3, reason = $4"
      " WHERE org_id = $1 AND agent_id = $2 AND ended_at IS NULL",
      org, agent, at, reason);
}

void end_outages_of_superseded(Tx& tx, Instant at) {
  tx.post(
      "UPDATE outages SET ended_at = $1, reason = 'superseded' WHERE ended_at IS NULL AND EXISTS"
      " (SELECT 1 FROM agents a WHERE a.org_id = outages.org_id AND a.agent_id = outages.agent_id"
      " AND a.status = 'superseded')",
      at);
}

std::int64_t count_presence_changes(Reader& reader, OrgId org, AgentId agent, Instant since) {
  Rows rows = reader.query(
      "SELECT count(*), count(CASE WHEN telling <> 'return' THEN ended_at END) FROM outages"
      " WHERE org_id = $1 AND agent_id = $2 AND since >= $3",
      org, agent, since);
  return rows.next() ? rows.integer(0) + rows.integer(1) : 0;
}

std::int64_t delete_old_outages(Tx& tx, Instant before, int most) {
  tx.execute(
      "DELETE FROM outage_groups WHERE (org_id, group_id) IN (SELECT org_id, group_id"
      " FROM outage_groups WHERE ended_at IS NOT NULL AND told_at < $1 LIMIT $2)",
      before, most);
  return tx.execute(
      "DELETE FROM outages WHERE (org_id, agent_id, since) IN (SELECT org_id, agent_id, since"
      " FROM outages WHERE told_at < $1 AND ended_at IS NOT NULL ORDER BY told_at LIMIT $2)",
      before, most);
}

void insert_outage_group(Tx& tx, const OutageGroupRow& row) {
  tx.post(
      "INSERT INTO outage_groups (org_id, group_id, scope, agents, told_at)"
      " VALUES ($1, $2, $3, $4, $5)",
      row.org, row.id, row.scope, row.agents, row.told_at);
}

std::vector<OutageGroupRow> list_open_outage_groups(Reader& reader) {
  std::vector<OutageGroupRow> groups;
  Rows rows = reader.query(
      "SELECT org_id, group_id, scope, agents, told_at FROM outage_groups WHERE ended_at IS NULL"
      " ORDER BY org_id, group_id");
  while (rows.next()) {
    groups.push_back({rows.number_id<OrgId>(0), rows.number_id<EventId>(1), rows.string(2),
                      rows.integer(3), rows.instant(4)});
  }
  return groups;
}

std::int64_t count_open_outages(Reader& reader, OrgId org, EventId group) {
  Rows rows = reader.query(
      "SELECT count(*) FROM outages WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL", org,
      group);
  return rows.next() ? rows.integer(0) : 0;
}

std::vector<OutageRow> list_open_outages(Reader& reader, OrgId org, EventId group, int count) {
  std::vector<OutageRow> outages;
  Rows rows = reader.query("SELECT " OUTAGE_COLUMNS
                           " FROM outages WHERE org_id = $1 AND group_id = $2"
                           " AND ended_at IS NULL ORDER BY agent_id LIMIT $3",
                           org, group, count);
  while (rows.next()) outages.push_back(read_outage(rows));
  return outages;
}

bool is_open_outage_group(Reader& reader, OrgId org, EventId group) {
  return reader
      .query("SELECT 1 FROM outage_groups WHERE org_id = $1 AND group_id = $2 AND ended_at IS NULL",
             org, group)
      .next();
}

void end_outage_group(Tx& tx, OrgId org, EventId group, Instant at) {
  tx.post("UPDATE outage_groups SET ended_at = $3 WHERE org_id = $1 AND group_id = $2", org, group,
          at);
}

void insert_flapping(Tx& tx, const FlappingRow& row) {
  tx.post(
      "INSERT INTO flapping_agents (org_id, agent_id, host_id, since) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT DO NOTHING",
      row.org, row.agent, row.host, row.since);
}

bool is_flapping(Reader& reader, OrgId org, AgentId agent) {
  return reader
      .query("SELECT 1 FROM flapping_agents WHERE org_id = $1 AND agent_id = $2", org, agent)
      .next();
}

std::vector<FlappingRow> list_flapping(Reader& reader) {
  std::vector<FlappingRow> flapping;
  Rows rows = reader.query(
      "SELECT org_id, agent_id, host_id, since FROM flapping_agents ORDER BY org_id, agent_id");
  while (rows.next()) {
    flapping.push_back({rows.number_id<OrgId>(0), rows.uuid_id<AgentId>(1),
                        rows.number_id<HostId>(2), rows.instant(3)});
  }
  return flapping;
}

void delete_flapping(Tx& tx, OrgId org, AgentId agent) {
  tx.post("DELETE FROM flapping_agents WHERE org_id = $1 AND agent_id = $2", org, agent);
}

std::vector<AgentId> list_disabled_agents(Reader& reader) {
  return read_agent_ids(reader.query("SELECT agent_id FROM agents WHERE status = 'disabled'"));
}

#undef OUTAGE_OPENS_AGAIN
#undef OUTAGE_COLUMNS

}  // namespace muster::store
