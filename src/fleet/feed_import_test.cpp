// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_import.h"

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"

namespace muster::fleet {
namespace {

TEST(Import, WhatCannotBeReadChangesNothing) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const auto before = described(fleet);
  const std::uint64_t snapshot = fleet->catalogue.current()->number;
  for (const std::string bad : {"", "no json", "[]", "{\"a\": 1", "\x1f\x8b broken"}) {
    EXPECT_FALSE(fleet.import(feeds::FeedKind::debian, bad).ok()) << bad;
  }
  EXPECT_EQ(described(fleet), before);
  EXPECT_EQ(fleet->catalogue.current()->number, snapshot);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'feeds.import'"), 1);
}

TEST(Import, OneThatWasCutShortIsFinishedAtTheNextStart) {
  TestFleet fleet;
  const HostId host = fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")}))->host;
  fleet.faults->refuse("INSERT INTO findings");
  EXPECT_THROW((void)fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})), store::StoreError);
  fleet.faults->cancel();
  EXPECT_TRUE(findings(fleet).empty());
  fleet.reopen();
  EXPECT_EQ(
      finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true, fleet.now),
      1U);
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.finding.host, host);
  EXPECT_EQ(
      finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true, fleet.now),
      0U)
      << "once is enough";
}

TEST(Import, ThatTheEndOfTheServerCutsShortIsFinishedByItsNextStart) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  fleet->catalogue.stop_matching();
  const auto imported = fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}}));
  ASSERT_TRUE(imported.ok());
  EXPECT_EQ(imported->hosts_matched, 0U);
  ASSERT_FALSE(imported->remarks.empty());
  EXPECT_NE(imported->remarks.back().find("next start"), std::string::npos);
  const auto finish = [&] {
    return finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true,
                           fleet.now);
  };
  EXPECT_EQ(finish(), 0U) << "nothing begins any more";
  EXPECT_TRUE(findings(fleet).empty());
  fleet.reopen();
  EXPECT_EQ(finish(), 1U);
  EXPECT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(finish(), 0U) << "once is enough";
}

TEST(Import, AfterOneThatWasCutShortBringsWhatThatOneWouldHave) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1"), debian_package("b", "1")}))
      .value();
  fleet.faults->refuse("INSERT INTO findings");
  EXPECT_THROW((void)fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})), store::StoreError);
  fleet.faults->cancel();
  // Between the two only b differs.
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}, {"b", "2"}})).ok());
  EXPECT_EQ(findings(fleet).size(), 2U);
}

TEST(Import, MatchesHostsOverSeveralBatches) {
  TestFleet fleet;
  for (int i = 0; i < 120; ++i) {
    fleet.report(TestFleet::report_of("web-" + std::to_string(i), {debian_package("a", "1")}))
        .value();
  }
  const ImportOutcome outcome = fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).value();
  EXPECT_EQ(outcome.hosts_matched, 120U);
  EXPECT_EQ(outcome.findings_opened, 120U);
  EXPECT_EQ(fleet.count("SELECT count(DISTINCT host_id) FROM findings WHERE status = 'open'"), 120);
}

TEST(Import, OfAHundredHostsExactlyAFullBatchIsAllOfThem) {
  TestFleet fleet;
  for (int i = 0; i < 100; ++i) {
    fleet.report(TestFleet::report_of("web-" + std::to_string(i), {debian_package("a", "1")}))
        .value();
  }
  EXPECT_EQ(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}}))->hosts_matched, 100U);
}

}  // namespace
}  // namespace muster::fleet
