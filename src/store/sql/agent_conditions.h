// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/agent_condition.h"

namespace muster::store {

class Reader;
class Tx;

/// What an agent last said of itself.
struct AgentConditionRow {
  OrgId org;
  AgentId agent;
  model::AgentCondition condition;
  Instant reported_at;  // when it began to say so
};
std::optional<AgentConditionRow> find_agent_condition(Reader& reader, OrgId org, AgentId agent);
std::vector<AgentConditionRow> list_agent_conditions(Reader& reader);
void set_agent_condition(Tx& tx, const AgentConditionRow& row);

}  // namespace muster::store
