// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace muster::store {

class Reader;
class Tx;

/// Full segments of the agents of a bucket, as one flush wrote them (model/samples).
struct SampleBlockRow {
  OrgId org;
  std::int64_t bucket = 0;
  std::int64_t minute = 0;  // since the Unix epoch: not before any sample in it
  std::string block;
};
/// Appends to the rows, or makes them. Each bucket and minute of an organisation is named once.
void append_sample_blocks(Tx& tx, const std::vector<SampleBlockRow>& rows);
/// From `first_minute` on, in order.
std::vector<SampleBlockRow> list_sample_blocks(Reader& reader, OrgId org, std::int64_t bucket,
                                               std::int64_t first_minute);
/// Deletes at most `most` of the oldest rows of minutes before `before`; returns how many.
std::int64_t delete_old_sample_blocks(Tx& tx, std::int64_t before, int most);

}  // namespace muster::store
