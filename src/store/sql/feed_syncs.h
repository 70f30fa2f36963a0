// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// What came of fetching a feed.
struct FeedSyncRow {
  std::string feed;
  std::string source = {};              // that answered last
  std::optional<Instant> checked_at{};  // when one last had answered in full
  std::optional<Instant> failed_at{};   // the last failure, and its words
  std::string failure = {};
  std::int64_t failures = 0;         // in a row
  std::optional<Instant> next_at{};  // when the schedule wants it
  std::string wanted = {};           // by an operator: "", "changes" or "full"
  std::string reached = {};          // how far changes were followed, in the feed's own terms
};
void set_feed_sync(Tx& tx, const FeedSyncRow& row);
/// An empty row when there is none.
FeedSyncRow get_feed_sync(Reader& reader, std::string_view feed);

/// The version of a file that was imported. `part` says which of its feed's files it is: a year, an
/// ecosystem; empty if there is one only.
struct FeedFileRow {
  std::string part;
  std::string url;
  std::string etag;
  std::string last_modified;
  Instant fetched_at;
};
void set_feed_file(Tx& tx, std::string_view feed, const FeedFileRow& row);
std::vector<FeedFileRow> list_feed_files(Reader& reader, std::string_view feed);
void delete_feed_files(Tx& tx, std::string_view feed);

}  // namespace muster::store
