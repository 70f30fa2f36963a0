// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/sql/finding_days.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Counts the open findings of each organisation. A day keeps the last count that was made on it:
/// what it does not say yet is written, and days older than limits::finding_trend_days are deleted.
/// Where nothing changes, that is a row for each organisation and day. For the server that leads.
/// Returns the rows. Throws store::StoreError.
std::size_t count_finding_day(store::Store& store, Instant now);

/// Of one organisation or, summed up, of all: the last `days` days of UTC, today included, oldest
/// first. There are none of days on which no server ran. Throws store::StoreError.
std::vector<store::FindingDay> list_finding_days(store::Store& store, std::optional<OrgId> org,
                                                 std::int64_t days, Instant now);

}  // namespace muster::fleet
