// SPDX-License-Identifier: Apache-2.0
#include "feeds/feed.h"
#include "base/testing.h"

#include <gtest/gtest.h>

#include "version/test_support.h"

namespace muster::feeds {
namespace {

std::string fixture(const char* name) {
  return version::test::read_file(source_directory() / "src/feeds" / name);
}

TEST(Feeds, AreReadByName) {
  EXPECT_EQ(parse_feed_kind("kev"), FeedKind::kev);
  EXPECT_EQ(parse_feed_kind("Debian"), FeedKind::debian);
  EXPECT_EQ(parse_feed_kind("unknown"), std::nullopt);
  EXPECT_EQ(feed_name(FeedKind::debian), "debian");
}

TEST(Feeds, GiveTheirRecordsToTheSinkThatTakesThem) {
  int advisories = 0;
  int entries = 0;
  const RecordSink sink{[&](model::Advisory&&) { ++advisories; },
                        [&](model::KevEntry&&) { ++entries; }};
  const auto kev = parse_feed(FeedKind::kev, fixture("kev/fixtures/catalogue.json"), sink);
  ASSERT_TRUE(kev.ok()) << kev.error().message;
  EXPECT_EQ(kev->edition, "2025.01.02");
  EXPECT_EQ(entries, 2);
  EXPECT_EQ(advisories, 0);
  const auto debian = parse_feed(FeedKind::debian, fixture("debian/fixtures/tracker.json"), sink);
  ASSERT_TRUE(debian.ok()) << debian.error().message;
  EXPECT_EQ(advisories, 6);
  EXPECT_EQ(entries, 2);
  EXPECT_EQ(debian->records, 6U);
}

TEST(Feeds, AreNotMistakenForOneAnother) {
  const RecordSink none;
  EXPECT_FALSE(parse_feed(FeedKind::debian, fixture("kev/fixtures/catalogue.json"), none).ok());
  EXPECT_FALSE(parse_feed(FeedKind::kev, fixture("debian/fixtures/tracker.json"), none).ok());
  EXPECT_EQ(parse_feed(FeedKind::kev, "cveID,vendorProject", none).error().message,
            "A file of the feed kev is not valid JSON in UTF-8.")
      << "the catalogue comes as CSV, too";
}

}  // namespace
}  // namespace muster::feeds
