// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_trend.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/orgs.h"
#include "fleet/testing.h"
#include "store/sql/findings.h"

namespace muster::fleet {
namespace {

using model::Severity;
using std::chrono::hours;

class FindingTrend : public ::testing::Test {
 protected:
  void open(std::int64_t id, Severity severity, OrgId of = TestFleet::org) {
    model::Finding finding;
    finding.org = of;
    finding.id = {id};
    finding.host = {id};
    finding.package = {1};
    finding.feed = "debian";
    finding.advisory_id = "A-" + std::to_string(id);
    finding.severity = severity;
    finding.opened_at = fleet.now;
    finding.evidence = "{}";
    fleet->store.write([&](store::Tx& tx) { store::open_finding(tx, finding); });
  }
  void resolve(std::int64_t id) {
    fleet->store.write([&](store::Tx& tx) {
      store::resolve_finding(tx, TestFleet::org, {id}, "fixed", fleet.now);
    });
  }
  std::size_t count() { return count_finding_day(fleet->store, fleet.now); }
  std::vector<store::FindingDay> days(std::int64_t back,
                                      std::optional<OrgId> org = TestFleet::org) {
    return list_finding_days(fleet->store, org, back, fleet.now);
  }
  static std::int64_t of(const store::FindingDay& day, Severity severity) {
    return day.open.by_severity[static_cast<std::size_t>(severity)];
  }

  TestFleet fleet;
};

TEST_F(FindingTrend, ADayKeepsItsLastCountAndTheNextOneBeginsAnew) {
  EXPECT_TRUE(days(90).empty());
  open(1, Severity::critical);
  open(2, Severity::low);
  EXPECT_EQ(count(), 1U);
  resolve(2);
  EXPECT_EQ(count(), 1U);
  ASSERT_EQ(days(1).size(), 1U);
  EXPECT_EQ(of(days(1)[0], Severity::critical), 1);
  EXPECT_EQ(of(days(1)[0], Severity::low), 0);

  fleet.now = fleet.now + hours(24);
  open(3, Severity::low);
  EXPECT_EQ(count(), 1U);
  const auto both = days(2);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1].day, both[0].day + 1);
  EXPECT_EQ(of(both[0], Severity::low), 0);
  EXPECT_EQ(of(both[1], Severity::low), 1);
  EXPECT_EQ(both[1].counted_at, fleet.now);
  EXPECT_EQ(days(1).size(), 1U) << "today alone";
}

TEST_F(FindingTrend, WhatTheDaySaysAlreadyIsNotWritten) {
  open(1, Severity::high);
  EXPECT_EQ(count(), 1U);
  const Instant first = fleet.now;
  fleet.now = fleet.now + std::chrono::minutes(5);
  EXPECT_EQ(count(), 0U);
  EXPECT_EQ(days(1)[0].counted_at, first);
}

TEST_F(FindingTrend, OrganisationsAreCountedApartAndSummedUp) {
  const OrgId other = fleet->store.write([&](store::Tx& tx) {
    return create_org(tx, fleet->ids, fleet.actor, "other", fleet.now).value().id;
  });
  open(1, Severity::high);
  open(2, Severity::high, other);
  open(3, Severity::medium, other);
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(of(days(1)[0], Severity::high), 1);
  EXPECT_EQ(of(days(1, other)[0], Severity::medium), 1);
  const auto all = days(1, std::nullopt);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(of(all[0], Severity::high), 2);
  EXPECT_EQ(of(all[0], Severity::medium), 1);
}

TEST_F(FindingTrend, OldDaysGoWhenANewOneIsWritten) {
  count();
  fleet.now = fleet.now + hours(24 * (limits::finding_trend_days - 1));
  count();
  EXPECT_EQ(days(limits::finding_trend_days).size(), 2U) << "the first is the oldest that is kept";
  fleet.now = fleet.now + hours(24);
  count();
  EXPECT_EQ(days(limits::finding_trend_days + 1).size(), 2U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM finding_days"), 2);
}

}  // namespace
}  // namespace muster::fleet
