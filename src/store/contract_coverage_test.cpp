// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: how much of sets was assessed, stale feeds.
#include "store/sql/coverage.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using CoverageContract = testing::Contract;
ON_EVERY_DATABASE(CoverageContract);

TEST_P(CoverageContract, ASetIsUnknownUntilSomebodyHasLookedAtIt) {
  crypto::KeyHash set;
  write([&](Tx& tx) { set = insert_package_set(tx, org, {{1}, {2}}); });
  const auto found = [&](OrgId of) {
    return read([&](Reader& r) { return find_set_coverage(r, of, set); });
  };
  EXPECT_FALSE(found(org));
  write([&](Tx& tx) { set_set_coverage(tx, org, set, {1, 1, R"({"no_advisory": 1})"}); });
  ASSERT_TRUE(found(org));
  EXPECT_EQ(found(org)->not_assessed, 1);
  EXPECT_EQ(found(org)->distribution_silent, 1);
  EXPECT_EQ(found(org)->reasons, R"({"no_advisory": 1})");
  EXPECT_FALSE(found(other_org));
}

TEST_P(CoverageContract, TotalsAreOfTheHostsOfADistribution) {
  write([&](Tx& tx) {
    const crypto::KeyHash known = insert_package_set(tx, org, {{1}, {2}});
    const crypto::KeyHash unknown = insert_package_set(tx, org, {{3}});
    set_set_coverage(tx, org, known, {1, 1, "{}"});
    for (std::int64_t id = 1; id <= 4; ++id) {
      model::Host made = host(id, "web-" + std::to_string(id));
      made.package_set = id < 3 ? known : unknown;
      made.package_count = id < 3 ? 2 : 1;
      if (id == 4) made.package_set.reset();
      insert_host(tx, made);
    }
  });
  const auto totals = read([](Reader& r) { return list_coverage_totals(r); });
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].distro, "debian:12");
  EXPECT_EQ(totals[0].hosts, 3) << "one reported nothing";
  EXPECT_EQ(totals[0].packages, 5);
  EXPECT_EQ(totals[0].not_assessed, 3) << "what nobody has looked at is not assessed";
  EXPECT_EQ(totals[0].distribution_silent, 2);
}

TEST_P(CoverageContract, StaleFeedsAreKeptUntilTheyAreFresh) {
  write([](Tx& tx) {
    set_stale_feed(tx, {"nvd", now});
    set_stale_feed(tx, {text, now});
    set_stale_feed(tx, {"nvd", now + Duration(1)});
  });
  const auto stale = [&] { return read([](Reader& r) { return list_stale_feeds(r); }); };
  ASSERT_EQ(stale().size(), 2U);
  EXPECT_EQ(stale()[0].feed, text) << "in the order of their octets";
  EXPECT_EQ(stale()[1].feed, "nvd");
  EXPECT_EQ(stale()[1].since, now + Duration(1));
  write([](Tx& tx) { delete_stale_feed(tx, "nvd"); });
  EXPECT_EQ(stale().size(), 1U);
}

}  // namespace
}  // namespace muster::store
