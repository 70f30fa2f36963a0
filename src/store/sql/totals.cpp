// SPDX-License-Identifier: Apache-2.0
#include "store/sql/totals.h"

#include "store/store.h"

namespace muster::store {

namespace {

// $1: from, $2: lately, $3: now.
#define OUTAGE_TOTALS(since)                                                                  \
  " CAST(coalesce(sum(CASE WHEN ended_at IS NOT NULL AND ended_at <= " since                  \
  " THEN 0 ELSE CASE WHEN ended_at < $3 THEN ended_at ELSE $3 END - CASE WHEN since > " since \
  " THEN since ELSE " since " END END), 0) AS bigint), count(CASE WHEN since >= " since       \
  " THEN 1 END)"
#define SINCE_FROM " telling <> 'return' AND (ended_at IS NULL OR ended_at > $1)"
#define TASK_TOTALS                                                                              \
  " count(CASE WHEN status = 'completed' THEN 1 END), count(CASE WHEN status = 'failed' THEN 1 " \
  "END)"

OutageTotal read_outage_total(const Rows& rows, int column) {
  OutageTotal total;
  total.away = Duration(rows.integer(column));
  total.began = rows.integer(column + 1);
  total.away_lately = Duration(rows.integer(column + 2));
  total.began_lately = rows.integer(column + 3);
  return total;
}

}  // namespace

std::vector<OutageTotal> list_outage_totals(Reader& reader, Instant from, Instant lately,
                                            Instant now) {
  std::vector<OutageTotal> totals;
  Rows rows = reader.query("SELECT org_id, agent_id," OUTAGE_TOTALS("$1") "," OUTAGE_TOTALS(
                               "$2") " FROM outages WHERE" SINCE_FROM " GROUP BY org_id, agent_id",
                           from, lately, now);
  while (rows.next()) {
    totals.push_back(read_outage_total(rows, 2));
    totals.back().org = rows.number_id<OrgId>(0);
    totals.back().agent = rows.uuid_id<AgentId>(1);
  }
  return totals;
}

OutageTotal get_outage_total(Reader& reader, OrgId org, AgentId agent, Instant from, Instant now) {
  Rows rows = reader.query(
      "SELECT" OUTAGE_TOTALS("$1") "," OUTAGE_TOTALS("$2") " FROM outages WHERE" SINCE_FROM
                                                           " AND org_id = $4 AND agent_id = $5",
      from, from, now, org, agent);
  OutageTotal total;
  if (rows.next()) total = read_outage_total(rows, 0);
  total.org = org;
  total.agent = agent;
  return total;
}

std::vector<TaskTotal> list_task_totals(Reader& reader, Instant from) {
  std::vector<TaskTotal> totals;
  Rows rows = reader.query("SELECT org_id, agent_id," TASK_TOTALS
                           " FROM tasks WHERE finished_at IS NOT NULL AND finished_at >= $1"
                           " GROUP BY org_id, agent_id",
                           from);
  while (rows.next()) {
    totals.push_back(
        {rows.number_id<OrgId>(0), rows.uuid_id<AgentId>(1), rows.integer(2), rows.integer(3)});
  }
  return totals;
}

TaskTotal get_task_total(Reader& reader, OrgId org, AgentId agent, Instant from) {
  Rows rows = reader.query("SELECT" TASK_TOTALS
                           " FROM tasks WHERE org_id = $1 AND agent_id = $2"
                           " AND status IN ('completed', 'failed') AND finished_at >= $3",
                           org, agent, from);
  if (!rows.next()) return {org, agent};
  return {org, agent, rows.integer(0), rows.integer(1)};
}

#undef OUTAGE_TOTALS
#undef SINCE_FROM
#undef TASK_TOTALS

}  // namespace muster::store
