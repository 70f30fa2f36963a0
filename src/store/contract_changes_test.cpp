// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql/changes do, on every engine.
#include "store/sql/changes.h"

#include "store/sql/audit.h"
#include "store/sql/feed_syncs.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;

class RecentChanges : public testing::Contract {
 protected:
  static std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> fields(
      const std::vector<RecentRow>& rows) {
    std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> out;
    for (const RecentRow& row : rows) out.emplace_back(row.org.value, row.id, row.kind);
    return out;
  }
  std::vector<FeedState> feeds() {
    return read([](Reader& r) { return list_feed_states(r); });
  }
};

ON_EVERY_DATABASE(RecentChanges);

TEST_P(RecentChanges, AreTheNewestOfAllOrganisationsFromAnIdOn) {
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 6; ++id) {
      const OrgId of = id % 2 == 0 ? org : other_org;
      insert_event(tx,
                   {of, {id}, now, "type " + std::to_string(id), std::nullopt, std::nullopt, "{}"});
      insert_audit(tx, {of, {id + 10}, now, "server", "act " + std::to_string(id), "", "{}"});
    }
  });
  read([&](Reader& reader) {
    EXPECT_EQ(fields(list_recent_events(reader, {3}, 2)),
              (decltype(fields({})){{org.value, 6, "type 6"}, {other_org.value, 5, "type 5"}}));
    EXPECT_EQ(list_recent_events(reader, {3}, 100).size(), 4U);
    EXPECT_TRUE(list_recent_events(reader, {7}, 100).empty());
    EXPECT_EQ(fields(list_recent_audit(reader, {15}, 100)),
              (decltype(fields({})){{org.value, 16, "act 6"}, {other_org.value, 15, "act 5"}}));
  });
}

TEST_P(RecentChanges, OfFeedsAreOfThoseThatWereImportedOrSynchronised) {
  EXPECT_TRUE(feeds().empty());
  write([&](Tx& tx) {
    set_feed(tx, {"kev", now, "2026", 1, 1, false});
    set_feed(tx, {"nvd", now + Duration(1), "2026", 1, 1, true});
    FeedSyncRow sync{"epss"};
    sync.failed_at = now + Duration(2);
    set_feed_sync(tx, sync);
    sync = {"nvd"};
    sync.checked_at = now + Duration(3);
    set_feed_sync(tx, sync);
  });
  const std::vector<FeedState> expected = {
      {"epss", 0, false, 0, now.unix_ms + 2},
      {"kev", now.unix_ms, false, 0, 0},
      {"nvd", now.unix_ms + 1, true, now.unix_ms + 3, 0},
  };
  EXPECT_EQ(feeds(), expected);
}

}  // namespace
}  // namespace muster::store
