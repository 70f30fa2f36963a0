// SPDX-License-Identifier: Apache-2.0
#include "fleet/coverage.h"

#include <numeric>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"
#include "fleet/health.h"
#include "fleet/hosts.h"

namespace muster::fleet {
namespace {

using vuln::Reason;

model::Package of(const std::string& name, const std::string& distro) {
  model::Package package = debian_package(name, "1");
  package.distro = distro;
  return package;
}

HostView shown(TestFleet& fleet, const std::string& host) {
  return show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue, host, fleet.now)
      .value();
}

std::int64_t count_of(const Coverage& coverage, Reason reason) {
  return coverage.reasons.at(static_cast<std::size_t>(reason));
}

/// What a host's numbers must be: one verdict for each package, and what is listed for each.
void expect_adds_up(const HostView& view) {
  const Coverage& coverage = view.coverage;
  EXPECT_EQ(std::accumulate(coverage.reasons.begin(), coverage.reasons.end(), std::int64_t{0}),
            coverage.packages);
  EXPECT_EQ(coverage.packages, static_cast<std::int64_t>(view.software.size()));
  ReasonCounts listed = {};
  for (const HostPackageView& each : view.software)
    ++listed.at(static_cast<std::size_t>(each.reason));
  EXPECT_EQ(listed, coverage.reasons);
}

TEST(Coverage, SaysOfEachPackageWhatIsKnownAndNeverCleanWithoutAFeed) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1"), debian_package("b", "1")}))
      .value();
  HostView view = shown(fleet, "web-1");
  expect_adds_up(view);
  EXPECT_EQ(view.coverage.state, Coverage::State::not_assessed);
  EXPECT_EQ(count_of(view.coverage, Reason::distro_not_covered), 2);

  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  view = shown(fleet, "web-1");
  expect_adds_up(view);
  EXPECT_EQ(view.coverage.state, Coverage::State::vulnerable);
  EXPECT_EQ(view.coverage.vulnerable, 1);
  EXPECT_EQ(view.coverage.not_assessed, 0);

  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "2"), debian_package("b", "1")}))
      .value();
  view = shown(fleet, "web-1");
  expect_adds_up(view);
  EXPECT_EQ(view.coverage.state, Coverage::State::clean);
}

TEST(Coverage, AHostWithoutFindingsIsNotCleanWhereMuchWasNotAssessed) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  std::vector<model::Package> software;
  for (int i = 0; i < 19; ++i) software.push_back(debian_package("p" + std::to_string(i), "1"));
  model::Package unknown;
  unknown.name = "something";
  unknown.version = "1";
  software.push_back(unknown);
  fleet.report(TestFleet::report_of("web-1", software)).value();
  EXPECT_EQ(shown(fleet, "web-1").coverage.state, Coverage::State::clean) << "one of twenty";
  unknown.name = "something else";
  software.push_back(unknown);
  fleet.report(TestFleet::report_of("web-1", software)).value();
  const HostView view = shown(fleet, "web-1");
  expect_adds_up(view);
  EXPECT_EQ(view.coverage.not_assessed, 2);
  EXPECT_EQ(view.coverage.state, Coverage::State::not_assessed);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM findings"), 0);
}

TEST(Coverage, EqualHostsShareOneCount) {
  TestFleet fleet;
  for (const char* host : {"web-1", "web-2"}) {
    fleet.report(TestFleet::report_of(host, {debian_package("a", "1")})).value();
  }
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets WHERE not_assessed = 1"), 1);
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets WHERE not_assessed = 0"), 1);
}

TEST(Coverage, PastItsEndAReleaseWithoutAdvisoriesSaysNothing) {
  TestFleet fleet;
  const auto report = [&](const std::string& host, const std::string& distro) {
    InventoryReport sent = TestFleet::report_of(host, {of("a", distro), of("b", distro)});
    sent.distro = distro;
    fleet.report(sent).value();
  };
  std::string text = feed({{"a", "1"}});
  text.replace(text.find("bookworm"), 8, "stretch");
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, text).ok());
  report("old", "debian:9");
  const HostView view = shown(fleet, "old");
  expect_adds_up(view);
  EXPECT_EQ(view.os_support.state, model::OsSupport::State::end_of_life);
  EXPECT_EQ(view.os_support.until, "2022-06-30");
  EXPECT_EQ(count_of(view.coverage, Reason::distro_end_of_life), 1) << "b";
  EXPECT_EQ(count_of(view.coverage, Reason::outside_ranges), 1) << "a, which was fixed in time";
  EXPECT_EQ(view.coverage.state, Coverage::State::not_assessed);
  FleetHealth health(fleet->store, fleet->presence, fleet.config);
  const FleetNumbers numbers = health.show(std::nullopt, fleet.now);
  EXPECT_EQ(numbers.reporting_hosts, 1);
  EXPECT_EQ(numbers.packages, 2);
  EXPECT_EQ(numbers.packages_not_assessed, 1);
  EXPECT_EQ(numbers.hosts_past_support, 1);
}

TEST(Coverage, WhatDependsOnTheHostIsDecidedInIt) {
  store::SetCoverage stored{0, 0, R"({"in_range": 2, "depends_on_host": 3, "outside_ranges": 5})"};
  const Coverage coverage = coverage_of(stored, 10, {4, 0, 4}, {});
  EXPECT_EQ(coverage.vulnerable, 4);
  EXPECT_EQ(count_of(coverage, Reason::in_range), 4);
  EXPECT_EQ(count_of(coverage, Reason::platform_absent), 1);
  EXPECT_EQ(count_of(coverage, Reason::depends_on_host), 0);
  EXPECT_EQ(coverage.not_assessed, 0);
}

}  // namespace
}  // namespace muster::fleet
