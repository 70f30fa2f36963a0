// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: layers of feeds, their syncs and files.
#include "store/sql/feed_syncs.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::text;

class FeedContract : public testing::Contract {
 protected:
  static model::Advisory advisory(const std::string& id, const std::string& package) {
    model::Advisory made;
    made.feed = "osv";
    made.id = id;
    made.package = package;
    made.ranges = {{"", "1.0", ""}};
    return made;
  }
  std::vector<std::string> in_force() {
    std::vector<std::string> found;
    read([&](Reader& reader) {
      for_each_advisory(
          reader, [&](const model::Advisory& one) { found.push_back(one.id + " " + one.package); });
      return 0;
    });
    std::sort(found.begin(), found.end());
    return found;
  }
  std::int64_t count() {
    return read([](Reader& reader) { return count_advisories(reader, "osv"); });
  }
};
ON_EVERY_DATABASE(FeedContract);

using Names = std::vector<std::string>;

TEST_P(FeedContract, ALayerStaysInForceBesideTheGenerationOfTheRow) {
  write([&](Tx& tx) {
    set_advisories(tx, 1, {advisory("A", "a"), advisory("A", "b"), advisory("B", text)});
    set_advisories(tx, 2, {advisory("A", "c")});
    set_advisories(tx, 0, {advisory("Z", "z")});
    set_advisories(tx, 3, {advisory("A", "later")});
    set_feed(tx, {"osv", now, "", 3, 1, true});
  });
  EXPECT_EQ(count(), 3);
  write([&](Tx& tx) {
    delete_superseded_advisories(tx, "osv", 2, {"A", "C", text});
    insert_feed_layer(tx, "osv", 1);
    insert_feed_layer(tx, "osv", 1);
    delete_empty_feed_layers(tx, "osv");
    set_feed(tx, {"osv", now, "", 2, 2, true});
  });
  EXPECT_EQ(in_force(), (Names{"A c", "B " + text}));
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(write([](Tx& tx) { return delete_old_advisories(tx, "osv", 2, 9); }), 1)
      << "what is no layer; a later one is being written";
  write([](Tx& tx) {
    delete_superseded_advisories(tx, "osv", 2, {text});
    delete_superseded_advisories(tx, "osv", 2, {"B"});
    delete_superseded_advisories(tx, "osv", 2, {});
    delete_empty_feed_layers(tx, "osv");
    delete_empty_feed_layers(tx, "debian");
  });
  EXPECT_EQ(in_force(), Names{"A c"});
  write([&](Tx& tx) { set_advisories(tx, 1, {advisory("D", "d")}); });
  EXPECT_EQ(in_force(), Names{"A c"}) << "the layer went with its last row";
  write([](Tx& tx) { insert_feed_layer(tx, "osv", 1); });
  EXPECT_EQ(in_force().size(), 2U);
  write([](Tx& tx) { delete_feed_layers(tx, "osv"); });
  EXPECT_EQ(in_force(), Names{"A c"});
}

TEST_P(FeedContract, AdvisoriesOfAGenerationAreDeletedByIdAndNoOthers) {
  write([&](Tx& tx) {
    set_advisories(tx, 1, {advisory("A", "a"), advisory("B", "b")});
    set_advisories(tx, 2, {advisory("A", "a"), advisory("A", "c"), advisory("B", "b")});
    delete_advisories(tx, "osv", 2, {"A", text});
    delete_advisories(tx, "debian", 1, {"A"});
    set_feed(tx, {"osv", now, "", 2, 1, true});
  });
  EXPECT_EQ(in_force(), (Names{"A a", "B b"}));
  write([&](Tx& tx) { set_feed(tx, {"osv", now, "", 2, 2, true}); });
  EXPECT_EQ(in_force(), Names{"B b"});
}

TEST_P(FeedContract, ASyncIsReadBackAsItWasWritten) {
  FeedSyncRow row = read([](Reader& reader) { return get_feed_sync(reader, "kev"); });
  EXPECT_EQ(row.feed, "kev");
  EXPECT_EQ(row.checked_at, std::nullopt);
  EXPECT_EQ(row.failures, 0);
  row.source = text;
  row.checked_at = now;
  row.failure = text;
  row.failures = 3;
  row.wanted = "full";
  row.reached = text;
  write([&](Tx& tx) { set_feed_sync(tx, row); });
  row.failed_at = now;
  row.next_at = now + Duration(1);
  write([&](Tx& tx) { set_feed_sync(tx, row); });
  const FeedSyncRow stored = read([&](Reader& reader) { return get_feed_sync(reader, row.feed); });
  EXPECT_EQ(stored.source, text);
  EXPECT_EQ(stored.checked_at, now);
  EXPECT_EQ(stored.failed_at, now);
  EXPECT_EQ(stored.failure, text);
  EXPECT_EQ(stored.failures, 3);
  EXPECT_EQ(stored.next_at, now + Duration(1));
  EXPECT_EQ(stored.wanted, "full");
  EXPECT_EQ(stored.reached, text);
}

TEST_P(FeedContract, AFileOfAFeedIsOneRowForEachPart) {
  write([&](Tx& tx) {
    set_feed_file(tx, "nvd", {"2025", "u", "e", "", now});
    set_feed_file(tx, "nvd", {"2025", text, "f", text, now});
    set_feed_file(tx, "nvd", {"2024", "u", "", "", now});
    set_feed_file(tx, "kev", {"", "u", "", "", now});
  });
  const auto rows = read([](Reader& reader) { return list_feed_files(reader, "nvd"); });
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].part, "2024");
  EXPECT_EQ(rows[1].url, text);
  EXPECT_EQ(rows[1].etag, "f");
  EXPECT_EQ(rows[1].last_modified, text);
  EXPECT_EQ(rows[1].fetched_at, now);
  write([](Tx& tx) { delete_feed_files(tx, "nvd"); });
  EXPECT_TRUE(read([](Reader& reader) { return list_feed_files(reader, "nvd"); }).empty());
  EXPECT_EQ(read([](Reader& reader) { return list_feed_files(reader, "kev"); }).size(), 1U);
}

}  // namespace
}  // namespace muster::store
