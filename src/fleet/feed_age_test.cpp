// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_age.h"

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"

namespace muster::fleet {
namespace {

FeedAge age_of(const std::string& published, Instant imported_at, Instant now) {
  const auto ages = feed_ages({{"nvd", imported_at, published, 3, 1, true}}, Config{}, now);
  for (const FeedAge& age : ages) {
    if (age.kind == feeds::FeedKind::nvd) return age;
  }
  return {};
}

TEST(FeedAge, IsOfTheOlderOfPublicationAndImport) {
  const Instant now = test_epoch;  // 2026-03-21
  const Instant fresh = now - std::chrono::hours(1);
  EXPECT_FALSE(age_of("2026-03-20T03:00:00.000", fresh, now).stale);
  EXPECT_TRUE(age_of("2026-03-01T03:00:00.000", fresh, now).stale) << "a mirror that stands still";
  EXPECT_TRUE(age_of("2026-03-20", now - std::chrono::hours(24 * 7 + 1), now).stale);
  EXPECT_FALSE(age_of("v17", fresh, now).stale) << "no date: its import counts";
  EXPECT_EQ(age_of("v17", fresh, now).of, fresh);
}

TEST(FeedAge, OfAFeedThatWasNeverImportedIsNone) {
  for (const FeedAge& age : feed_ages({}, Config{}, test_epoch)) {
    EXPECT_FALSE(age.of);
    EXPECT_FALSE(age.stale);
  }
}

TEST(FeedAge, IsToldOnceWhenItBecomesTooGreatAndOnceWhenItIsNot) {
  TestFleet fleet;
  const auto watch = [&] {
    return watch_feed_age(fleet->store, fleet->ids, fleet.config, fleet.now);
  };
  const auto events = [&] {
    return fleet.count("SELECT count(*) FROM events WHERE type = 'feed_stale'") * 10 +
           fleet.count("SELECT count(*) FROM events WHERE type = 'feed_recovered'");
  };
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  EXPECT_EQ(watch(), 0U);
  fleet.now = fleet.now + std::chrono::hours(24 * 7 + 1);
  EXPECT_EQ(watch(), 1U);
  EXPECT_EQ(watch(), 0U);
  EXPECT_EQ(events(), 10);
  fleet.reopen();
  EXPECT_EQ(watch(), 0U) << "a restart forgets nothing";
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  EXPECT_EQ(watch(), 1U);
  EXPECT_EQ(events(), 11);
}

}  // namespace
}  // namespace muster::fleet
