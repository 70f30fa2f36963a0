// SPDX-License-Identifier: Apache-2.0
#include "store/sql/samples.h"

#include "store/store.h"

namespace muster::store {

void append_sample_days(Tx& tx, const std::vector<SampleDayRow>& rows) {
  // What SQLite joins is text, whatever the parts are.
  tx.post_batch(
      "INSERT INTO agent_samples (org_id, agent_id, day, segments) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (org_id, agent_id, day) DO UPDATE SET"
      " segments = CAST(agent_samples.segments || excluded.segments AS blob)",
      "INSERT INTO agent_samples (org_id, agent_id, day, segments)"
      " SELECT * FROM unnest($1, $2, $3, $4)"
      " ON CONFLICT (org_id, agent_id, day) DO UPDATE SET"
      " segments = agent_samples.segments || excluded.segments",
      rows, [](const SampleDayRow& row) {
        return std::array<Param, 4>{row.org, row.agent, row.day, Blob{row.segments}};
      });
}

std::vector<SampleDayRow> list_sample_days(Reader& reader, OrgId org, AgentId agent,
                                           std::int64_t first_day) {
  std::vector<SampleDayRow> days;
  Rows rows = reader.query(
      "SELECT day, segments FROM agent_samples"
      " WHERE org_id = $1 AND agent_id = $2 AND day >= $3 ORDER BY day",
      org, agent, first_day);
  while (rows.next()) days.push_back({org, agent, rows.integer(0), std::string(rows.blob(1))});
  return days;
}

std::int64_t delete_old_sample_days(Tx& tx, std::int64_t before, int most) {
  return tx.execute(
      "DELETE FROM agent_samples WHERE (org_id, agent_id, day) IN (SELECT org_id, agent_id, day"
      " FROM agent_samples WHERE day < $1 ORDER BY day LIMIT $2)",
      before, most);
}

}  // namespace muster::store
