// SPDX-License-Identifier: Apache-2.0
#include "store/sql/agent_conditions.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define SELECT_CONDITIONS                                                             \
  "SELECT org_id, agent_id, config_hash, config_error, update_version, update_error," \
  " reported_at FROM agent_conditions"

std::vector<AgentConditionRow> read_conditions(Rows rows) {
  std::vector<AgentConditionRow> conditions;
  while (rows.next()) {
    conditions.push_back({rows.number_id<OrgId>(0),
                          rows.uuid_id<AgentId>(1),
                          {rows.string(2), rows.string(3), rows.string(4), rows.string(5)},
                          rows.instant(6)});
  }
  return conditions;
}

}  // namespace

std::optional<AgentConditionRow> find_agent_condition(Reader& reader, OrgId org, AgentId agent) {
  auto found = read_conditions(
      reader.query(SELECT_CONDITIONS " WHERE org_id = $1 AND agent_id = $2", org, agent));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<AgentConditionRow> list_agent_conditions(Reader& reader) {
  return read_conditions(reader.query(SELECT_CONDITIONS));
}

void set_agent_condition(Tx& tx, const AgentConditionRow& row) {
  tx.post(
      "INSERT INTO agent_conditions (org_id, agent_id, config_hash, config_error,"
      " update_version, update_error, reported_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
      " ON CONFLICT (org_id, agent_id) DO UPDATE SET config_hash = excluded.config_hash,"
      " config_error = excluded.config_error, update_version = excluded.update_version,"
      " update_error = excluded.update_error, reported_at = excluded.reported_at",
      row.org, row.agent, row.condition.config_hash, row.condition.config_error,
      row.condition.update_version, row.condition.update_error, row.reported_at);
}

}  // namespace muster::store
