// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "store/sql/inventory.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// How old a feed is; one that was never imported has no time, and is not stale but absent.
struct FeedAge {
  feeds::FeedKind kind;
  std::int64_t records = 0;
  std::string published;
  std::optional<Instant> imported_at;
  /// The older of its publisher's date, if that is one, and its import: a mirror that stands still
  /// is as old as what it holds.
  std::optional<Instant> of;
  bool stale = false;  // for longer than [feeds] <kind>_stale_days
};
/// Pure: of every kind, in the order of feeds.def.
std::vector<FeedAge> feed_ages(const std::vector<store::FeedRow>& feeds, const Config& config,
                               Instant now);

/// As the store has them; throws store::StoreError.
std::vector<FeedAge> list_feed_ages(store::Store& store, const Config& config, Instant now);

/// Tells of feeds that became stale, and that are fresh again, in one event each. Returns how many.
/// Throws store::StoreError.
std::size_t watch_feed_age(store::Store& store, NumberIds& ids, const Config& config, Instant now);

}  // namespace muster::fleet
