// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"

/// What whoever watches for changes asks once a second.
namespace muster::store {

class Reader;

/// A row of a history, without what it says.
struct RecentRow {
  OrgId org;
  std::int64_t id = 0;
  std::string kind;  // the event's type, or the action
};
/// The newest `count` of all organisations with an id of at least `from`, newest first.
std::vector<RecentRow> list_recent_events(Reader& reader, EventId from, int count);
std::vector<RecentRow> list_recent_audit(Reader& reader, AuditId from, int count);

/// Where a feed stands.
struct FeedState {
  std::string feed;
  std::int64_t imported_at = 0;  // as stored; 0: never
  bool matched = false;          // every host was matched against that import
  std::int64_t checked_at = 0;   // of its sync, likewise
  std::int64_t failed_at = 0;
  friend bool operator==(const FeedState&, const FeedState&) = default;
};
/// Of each feed that was imported or synchronised, in the order of their names.
std::vector<FeedState> list_feed_states(Reader& reader);

}  // namespace muster::store
