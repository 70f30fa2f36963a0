// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;

/// What the outages of an agent add up to between a moment and now, and between a later one and
/// now. Returns that were told without a silence count for nothing.
struct OutageTotal {
  OrgId org;
  AgentId agent;
  Duration away{};
  std::int64_t began = 0;
  Duration away_lately{};
  std::int64_t began_lately = 0;
};
/// Of every agent that has any. Reads the outages since `from`, none before.
std::vector<OutageTotal> list_outage_totals(Reader& reader, Instant from, Instant lately,
                                            Instant now);
OutageTotal get_outage_total(Reader& reader, OrgId org, AgentId agent, Instant from, Instant now);

/// Tasks of an agent that ended since a moment.
struct TaskTotal {
  OrgId org;
  AgentId agent;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
};
/// Of every agent that has any. Reads the tasks that ended since `from`, none before.
std::vector<TaskTotal> list_task_totals(Reader& reader, Instant from);
TaskTotal get_task_total(Reader& reader, OrgId org, AgentId agent, Instant from);

}  // namespace muster::store
