// SPDX-License-Identifier: Apache-2.0
#include "store/sql/feed_syncs.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define FEED_SYNC_COLUMNS \
  "feed, source, checked_at, failed_at, failure, failures, next_at, wanted, reached"

FeedSyncRow read_feed_sync(const Rows& rows) {
  return {rows.string(0),        rows.string(1), rows.maybe_instant(2),
          rows.maybe_instant(3), rows.string(4), rows.integer(5),
          rows.maybe_instant(6), rows.string(7), rows.string(8)};
}

}  // namespace

void set_feed_sync(Tx& tx, const FeedSyncRow& row) {
  tx.post("INSERT INTO feed_syncs (" FEED_SYNC_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (feed) DO UPDATE SET"
          " source = excluded.source, checked_at = excluded.checked_at,"
          " failed_at = excluded.failed_at, failure = excluded.failure,"
          " failures = excluded.failures, next_at = excluded.next_at, wanted = excluded.wanted,"
          " reached = excluded.reached",
          row.feed, row.source, row.checked_at, row.failed_at, row.failure, row.failures,
          row.next_at, row.wanted, row.reached);
}

FeedSyncRow get_feed_sync(Reader& reader, std::string_view feed) {
  Rows rows = reader.query("SELECT " FEED_SYNC_COLUMNS " FROM feed_syncs WHERE feed = $1", feed);
  if (rows.next()) return read_feed_sync(rows);
  FeedSyncRow none;
  none.feed = feed;
  return none;
}

void set_feed_file(Tx& tx, std::string_view feed, const FeedFileRow& row) {
  tx.post(
      "INSERT INTO feed_files (feed, part, url, etag, last_modified, fetched_at)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed, part) DO UPDATE SET"
      " url = excluded.url, etag = excluded.etag, last_modified = excluded.last_modified,"
      " fetched_at = excluded.fetched_at",
      feed, row.part, row.url, row.etag, row.last_modified, row.fetched_at);
}

std::vector<FeedFileRow> list_feed_files(Reader& reader, std::string_view feed) {
  std::vector<FeedFileRow> out;
  Rows rows = reader.query(
      "SELECT part, url, etag, last_modified, fetched_at FROM feed_files WHERE feed = $1"
      " ORDER BY part",
      feed);
  while (rows.next()) {
    out.push_back(
        {rows.string(0), rows.string(1), rows.string(2), rows.string(3), rows.instant(4)});
  }
  return out;
}

void delete_feed_files(Tx& tx, std::string_view feed) {
  tx.post("DELETE FROM feed_files WHERE feed = $1", feed);
}

}  // namespace muster::store
