// SPDX-License-Identifier: Apache-2.0
#include "store/sql/changes.h"

#include "store/store.h"

namespace muster::store {

namespace {

std::vector<RecentRow> read_recent(Rows rows) {
  std::vector<RecentRow> recent;
  while (rows.next()) {
    recent.push_back({rows.number_id<OrgId>(0), rows.integer(1), rows.string(2)});
  }
  return recent;
}

}  // namespace

std::vector<RecentRow> list_recent_events(Reader& reader, EventId from, int count) {
  return read_recent(
      reader.query("SELECT org_id, event_id, type FROM events"
                   " WHERE event_id >= $1 ORDER BY event_id DESC LIMIT $2",
                   from, count));
}

std::vector<RecentRow> list_recent_audit(Reader& reader, AuditId from, int count) {
  return read_recent(
      reader.query("SELECT org_id, audit_id, action FROM audit"
                   " WHERE audit_id >= $1 ORDER BY audit_id DESC LIMIT $2",
                   from, count));
}

std::vector<FeedState> list_feed_states(Reader& reader) {
  Rows rows = reader.query(
      "SELECT coalesce(f.feed, s.feed), coalesce(f.imported_at, 0), coalesce(f.matched, 0),"
      " coalesce(s.checked_at, 0), coalesce(s.failed_at, 0)"
      " FROM feeds f FULL OUTER JOIN feed_syncs s ON s.feed = f.feed ORDER BY 1");
  std::vector<FeedState> states;
  while (rows.next()) {
    states.push_back(
        {rows.string(0), rows.integer(1), rows.boolean(2), rows.integer(3), rows.integer(4)});
  }
  return states;
}

}  // namespace muster::store
