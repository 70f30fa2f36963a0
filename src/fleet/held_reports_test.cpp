// SPDX-License-Identifier: Apache-2.0
#include "fleet/held_reports.h"

#include <set>

#include <gtest/gtest.h>

#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using Names = std::set<std::string>;

/// One host of a site that reported p0 to p9 in version 1.
class Held : public testing::Test {
 protected:
  Held() { host = fleet.report(of(all))->host; }

  static InventoryReport of(const Names& names, const std::string& version = "1") {
    InventoryReport report = TestFleet::report_of("web-1");
    for (const std::string& name : names) TestFleet::add(report, debian_package(name, version));
    return report;
  }
  static InventoryReport delta(const Names& added, const Names& removed) {
    InventoryReport report = of(added);
    report.delta = true;
    for (const std::string& name : removed) {
      report.removals.push_back({name, std::nullopt, std::nullopt});
    }
    return report;
  }
  HostView shown() {
    return show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue,
                     std::to_string(host.value), fleet.now)
        .value();
  }
  Names software() {
    Names names;
    for (const HostPackageView& row : shown().software) {
      names.insert(row.package.name + (row.package.version == "1" ? "" : row.package.version));
    }
    return names;
  }
  Names held() {
    Names names;
    const HoldPage page = list_hold_page(fleet->store, std::nullopt, "", 10).value();
    for (const HoldView& view : page.holds) {
      EXPECT_EQ(view.listed.held.package_count, static_cast<std::int64_t>(view.sample.size()));
      for (const model::Package& package : view.sample) names.insert(package.name);
    }
    EXPECT_EQ(static_cast<std::int64_t>(names.size()), shown().host.held_packages);
    return names;
  }
  std::int64_t held_events() {
    return fleet.count("SELECT count(*) FROM events WHERE type = 'report_held'");
  }
  template <typename Decision>
  Result<ReviewOutcome> decide(Decision* decision) {
    return fleet->store.write([&](store::Tx& tx) {
      return decision(tx, fleet.inventory(), fleet.actor, TestFleet::org, host, fleet.now);
    });
  }
  bool full_wanted() { return fleet->settings.of_host(TestFleet::org, host, {}).force_full_scan; }

  const Names all = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"};
  const Names most = {"p0", "p1", "p2", "p3", "p4", "p5"};
  const Names rest = {"p6", "p7", "p8", "p9"};
  TestFleet fleet;
  HostId host;
};

TEST_F(Held, WhatAReportLeavesOutStaysAndWhatItBringsCountsAtOnce) {
  const ReportOutcome outcome = fleet.report(of({"p6", "p7", "p8", "p9", "new"})).value();
  EXPECT_EQ(outcome.held, 6);
  EXPECT_EQ(outcome.removed, 0);
  EXPECT_EQ(outcome.added, 1);
  Names expected = all;
  expected.insert("new");
  EXPECT_EQ(software(), expected);
  EXPECT_EQ(held(), most);
  EXPECT_EQ(held_events(), 1);
}

TEST_F(Held, AnotherVersionIsNoRemoval) {
  EXPECT_EQ(fleet.report(of(all, "2"))->held, 0);
  EXPECT_EQ(fleet.report(of(rest, "3"))->held, 6);
  EXPECT_EQ(software(),
            (Names{"p02", "p12", "p22", "p32", "p42", "p52", "p63", "p73", "p83", "p93"}));
}

TEST_F(Held, HalfOfItAndHostsOfFewPackagesAreNotHeld) {
  EXPECT_EQ(fleet.report(of({"p5", "p6", "p7", "p8", "p9"}))->held, 0) << "not more than half";
  EXPECT_EQ(fleet.report(of({"p8", "p9"}))->held, 3) << "of five";
  ASSERT_TRUE(decide(&release_held_report).ok());
  EXPECT_EQ(fleet.report(of({}))->held, 0) << "two are too few to judge by";
}

TEST_F(Held, TheLimitIsConfigured) {
  fleet.config.inventory_hold_removal_percent = 100;
  EXPECT_EQ(fleet.report(of({}))->held, 0);
  EXPECT_TRUE(software().empty());
}

TEST_F(Held, TheLatestReportWinsAndIsToldOnce) {
  fleet.report(of(rest)).value();
  fleet.now = fleet.now + Duration(10);
  EXPECT_EQ(fleet.report(of(rest))->held, 6) << "a repeat is answered alike";
  EXPECT_EQ(fleet.report(of({"p9"}))->held, 9);
  EXPECT_EQ(held().size(), 9U);
  EXPECT_EQ(held_events(), 1);
  const HoldPage page = list_hold_page(fleet->store, TestFleet::org, "", 10).value();
  ASSERT_EQ(page.holds.size(), 1U);
  EXPECT_EQ(page.total.value, 1);
  EXPECT_EQ(page.holds[0].listed.held.reports, 3);
  EXPECT_EQ(page.holds[0].listed.held.held_at, test_epoch);
  EXPECT_EQ(page.holds[0].listed.held.reported_at, fleet.now);
}

TEST_F(Held, AReportThatIsWholeAgainEndsIt) {
  fleet.report(of(rest)).value();
  EXPECT_EQ(fleet.report(of(all))->held, 0);
  EXPECT_EQ(software(), all);
  EXPECT_TRUE(held().empty());
}

TEST_F(Held, ADeltaIsLaidOverWhatTheHostSaidItHas) {
  fleet.report(of(rest)).value();
  EXPECT_EQ(fleet.report(delta({"p0", "new"}, {"p9"}))->held, 0);
  EXPECT_EQ(held(), (Names{"p1", "p2", "p3", "p4", "p5"})) << "p0 is there after all";
  EXPECT_EQ(software(), (Names{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "new"}));
  ASSERT_TRUE(decide(&release_held_report).ok());
  EXPECT_EQ(software(), (Names{"p0", "p6", "p7", "p8", "new"}));
}

TEST_F(Held, ADeltaOfManyRemovalsIsHeldToo) {
  EXPECT_EQ(fleet.report(delta({}, most))->held, 6);
  EXPECT_EQ(software(), all);
  EXPECT_EQ(fleet.report(delta({}, {"p6", "p7", "p8"}))->held, 0) << "four are too few";
  EXPECT_EQ(held(), most);
  ASSERT_TRUE(decide(&release_held_report).ok());
  EXPECT_EQ(software(), (Names{"p9"}));
}

TEST_F(Held, ReleasedItGoesWithItsFindings) {
  const std::string feed =
      R"({"p0": {"CVE-2099-0001": {"description": "d", "scope": "remote", "releases": {"bookworm":)"
      R"( {"status": "resolved", "repositories": {"bookworm": "1"}, "fixed_version": "2",)"
      R"( "urgency": "high"}}}}})";
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed).ok());
  fleet.report(of(rest)).value();
  EXPECT_EQ(shown().findings.open, 1) << "nothing is resolved while it is held";
  const ReviewOutcome outcome = decide(&release_held_report).value();
  EXPECT_EQ(outcome.packages, 6);
  EXPECT_EQ(outcome.findings_resolved, 1);
  EXPECT_EQ(shown().findings.open, 0);
  EXPECT_EQ(software(), rest);
  EXPECT_EQ(decide(&release_held_report).error().code, Errc::not_found);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'hosts.release'"), 1);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1) << "no set is left behind";
  EXPECT_EQ(fleet.report(of(rest))->held, 0);
}

TEST_F(Held, DiscardedItStaysAndTheHostIsAskedAgain) {
  fleet.report(of(rest)).value();
  ASSERT_TRUE(decide(&discard_held_report).ok());
  EXPECT_EQ(software(), all);
  EXPECT_TRUE(held().empty());
  EXPECT_TRUE(full_wanted());
  EXPECT_EQ(decide(&discard_held_report).error().code, Errc::not_found);
  EXPECT_EQ(fleet.report(of(rest))->held, 6) << "it is held again";
  EXPECT_FALSE(full_wanted()) << "the full report came";
  EXPECT_EQ(held_events(), 2);
}

TEST_F(Held, AnotherReporterIsBelieved) {
  fleet.report(of(rest)).value();
  const Enrolled agent = fleet.enrol({"web-1", "linux", "amd64", "1.0.0", "", "192.0.2.1"}).value();
  InventoryReport report = of({"other"});
  report.agent = {agent.agent, host};
  EXPECT_EQ(fleet.report(report)->held, 0);
  EXPECT_EQ(software(), (Names{"other"}));
  EXPECT_TRUE(held().empty());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1);
}

}  // namespace
}  // namespace muster::fleet
