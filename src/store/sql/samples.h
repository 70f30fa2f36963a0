// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace muster::store {

class Reader;
class Tx;

/// The segments of an agent that begin on one UTC day (model/samples).
struct SampleDayRow {
  OrgId org;
  AgentId agent;
  std::int64_t day = 0;  // since the Unix epoch
  std::string segments;
};
/// Appends to the days' rows, or makes them. Each agent and day is named once.
void append_sample_days(Tx& tx, const std::vector<SampleDayRow>& rows);
/// From `first_day` on, in order.
std::vector<SampleDayRow> list_sample_days(Reader& reader, OrgId org, AgentId agent,
                                           std::int64_t first_day);
/// Deletes at most `most` of the oldest rows of days before `before`; returns how many.
std::int64_t delete_old_sample_days(Tx& tx, std::int64_t before, int most);

}  // namespace muster::store
