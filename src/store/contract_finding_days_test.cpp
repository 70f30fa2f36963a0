// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: open findings over time.
#include "store/sql/finding_days.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Finding;
using model::FindingStatus;
using model::Severity;
using testing::now;
using testing::org;
using testing::other_org;

class FindingDaysContract : public testing::ContractOfTwoOrgs {
 protected:
  static FindingDay day(std::int64_t number, std::int64_t first) {
    return {number,
            now + std::chrono::hours(number),
            {{first, first + 1, first + 2, first + 3, first + 4, first + 5}, first + 6}};
  }
  std::vector<FindingDay> list(std::optional<OrgId> of, std::int64_t from = 0) {
    return read([&](Reader& reader) { return list_finding_days(reader, of, from); });
  }
};
ON_EVERY_DATABASE(FindingDaysContract);

TEST_P(FindingDaysContract, OpenFindingsAreCountedBySeverity) {
  write([&](Tx& tx) {
    std::int64_t id = 0;
    const auto add = [&](Severity severity, FindingStatus status, bool exploited, OrgId of) {
      ++id;
      Finding made = finding(id, {1}, {1}, "CVE-" + std::to_string(id), severity);
      made.org = of;
      made.status = status;
      made.known_exploited = exploited;
      open_finding(tx, made);
    };
    add(Severity::critical, FindingStatus::open, true, org);
    add(Severity::critical, FindingStatus::open, false, org);
    add(Severity::low, FindingStatus::open, true, org);
    add(Severity::unknown, FindingStatus::open, false, org);
    add(Severity::high, FindingStatus::accepted, true, org);
    add(Severity::high, FindingStatus::resolved, true, org);
    add(Severity::medium, FindingStatus::open, false, other_org);
  });
  const auto counted = [&](OrgId of) {
    return read([&](Reader& reader) { return count_open_findings(reader, of); });
  };
  EXPECT_EQ(counted(org), (OpenFindings{{1, 0, 1, 0, 0, 2}, 2}));
  EXPECT_EQ(counted(other_org), (OpenFindings{{0, 0, 0, 1, 0, 0}, 0}));
  EXPECT_EQ(counted({2}), OpenFindings{});
}

TEST_P(FindingDaysContract, ADayKeepsItsLastCount) {
  const auto stored = [&] {
    return read([](Reader& reader) { return find_finding_day(reader, org, 20'000); });
  };
  EXPECT_FALSE(stored());
  write([](Tx& tx) { set_finding_day(tx, org, day(20'000, 10)); });
  ASSERT_TRUE(stored());
  EXPECT_EQ(stored()->day, 20'000);
  EXPECT_EQ(stored()->counted_at, day(20'000, 10).counted_at);
  EXPECT_EQ(stored()->open, (OpenFindings{{10, 11, 12, 13, 14, 15}, 16}));
  FindingDay later = day(20'000, 3'000'000'000);
  later.counted_at = later.counted_at + Duration(1);
  write([&](Tx& tx) { set_finding_day(tx, org, later); });
  EXPECT_EQ(stored()->counted_at, later.counted_at);
  EXPECT_EQ(stored()->open, later.open);
  EXPECT_EQ(list(org).size(), 1U);
}

TEST_P(FindingDaysContract, DaysAreListedOldestFirstAndAllOrganisationsAreSums) {
  write([](Tx& tx) {
    set_finding_day(tx, org, day(30, 100));
    set_finding_day(tx, org, day(10, 10));
    set_finding_day(tx, org, day(9, 1));
    FindingDay others = day(30, 1000);
    others.counted_at = others.counted_at + Duration(7);
    set_finding_day(tx, other_org, others);
  });
  const auto own = list(org, 10);
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].day, 10);
  EXPECT_EQ(own[1].open, day(30, 100).open);
  const auto all = list(std::nullopt, 10);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].open, day(10, 10).open);
  EXPECT_EQ(all[1].open, (OpenFindings{{1100, 1102, 1104, 1106, 1108, 1110}, 1112}));
  EXPECT_EQ(all[1].counted_at, day(30, 100).counted_at + Duration(7));
}

TEST_P(FindingDaysContract, OldDaysAreDeletedInTheirOrganisation) {
  write([](Tx& tx) {
    set_finding_day(tx, org, day(9, 1));
    set_finding_day(tx, org, day(10, 1));
    set_finding_day(tx, other_org, day(9, 1));
  });
  write([](Tx& tx) { delete_finding_days_before(tx, org, 10); });
  const auto left = list(org);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].day, 10);
  EXPECT_EQ(list(other_org).size(), 1U);
}

}  // namespace
}  // namespace muster::store
