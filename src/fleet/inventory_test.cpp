// SPDX-License-Identifier: Apache-2.0
#include "fleet/inventory.h"

#include <deque>
#include <set>

#include <gtest/gtest.h>

#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using Software = std::set<model::Package>;

Software software_of(TestFleet& fleet, HostId host) {
  const HostView view = show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue,
                                  std::to_string(host.value), fleet.now)
                            .value();
  Software software;
  for (const HostPackageView& row : view.software) software.insert(row.package);
  EXPECT_EQ(software.size(), view.software.size()) << "no package twice";
  EXPECT_EQ(view.host.package_count, static_cast<std::int64_t>(software.size()));
  return software;
}

/// Every set is counted as often as it is kept, and none that is kept is missing.
void expect_sets_are_counted(TestFleet& fleet) {
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets s WHERE s.hosts <> (SELECT count(*)"
                        " FROM (SELECT org_id, package_set FROM hosts"
                        " UNION ALL SELECT org_id, package_set FROM host_sources"
                        " UNION ALL SELECT org_id, package_set FROM held_reports"
                        " UNION ALL SELECT org_id, package_set FROM host_lockfiles) AS kept"
                        " WHERE kept.org_id = s.org_id AND kept.package_set = s.set_hash)"),
            0);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM (SELECT package_set FROM hosts"
                        " UNION SELECT package_set FROM host_sources"
                        " UNION SELECT package_set FROM held_reports"
                        " UNION SELECT package_set FROM host_lockfiles) AS kept"
                        " WHERE package_set NOT IN (SELECT set_hash FROM package_sets)"),
            0);
}

/// What a debian feed says of the packages p0 to p5, in several editions.
std::string feed_edition(std::size_t edition) {
  std::string json = "{";
  for (std::size_t name = 0; name < 6; ++name) {
    // Each edition fixes another version, and leaves one package out.
    if (name == edition % 6) continue;
    const std::string fixed = std::to_string(1 + (name + edition) % 3);
    const std::string id = "CVE-2099-000" + std::to_string(name);
    json += json.size() > 1 ? ", " : "";
    json += "\"p" + std::to_string(name) + "\": {\"" + id +
            "\": {\"description\": \"d\", \"scope\": \"remote\", \"releases\": {\"bookworm\": "
            "{\"status\": \"resolved\", \"repositories\": {\"bookworm\": \"1\"}, "
            "\"fixed_version\": \"" +
            fixed + "\", \"urgency\": \"high\"}}}}";
  }
  return json + "}";
}

/// (package, advisory) of every open finding of a host.
using Hits = std::set<std::pair<model::Package, std::string>>;

Hits open_hits(TestFleet& fleet, HostId host) {
  FindingQuery query;
  query.host = host;
  query.count = 1000;
  Hits hits;
  const FindingPage page = list_finding_page(fleet->store, fleet->catalogue, query).value();
  for (const FindingView& view : page.findings) {
    hits.emplace(view.stored.package, view.stored.finding.advisory_id);
  }
  return hits;
}

Hits hits_from_scratch(TestFleet& fleet, const Software& software) {
  const auto knowledge = fleet->catalogue.current();
  Hits hits;
  for (const model::Package& package : software) {
    for (const Verdict::Hit& hit : assess(*knowledge, package).hits) {
      hits.emplace(package, hit.advisory_id);
    }
  }
  return hits;
}

/// Reports at random, and what a host must have after them.
class Sequence {
 public:
  Sequence(TestFleet& fleet, std::size_t number)
      : fleet_(fleet), rng_(1000 + number), hostname_("host-" + std::to_string(number)) {}

  void step() {
    const bool delta = !expected_.empty() && rng_.below(3) != 0;
    InventoryReport report = TestFleet::report_of(hostname_);
    report.delta = delta;
    if (delta) remove_some(report);
    if (!delta) expected_.clear();
    const Software left = expected_;
    Software added;
    for (std::size_t i = rng_.below(5); i > 0; --i) {
      const model::Package package = any_package();
      TestFleet::add(report, package);
      expected_.insert(package);
      if (!left.contains(package)) added.insert(package);
    }
    const ReportOutcome outcome = fleet_.report(report).value();
    host = outcome.host;
    EXPECT_TRUE(!delta || outcome.added == static_cast<std::int64_t>(added.size()));
  }

  const Software& expected() const { return expected_; }
  HostId host;

 private:
  model::Package any_package() {
    model::Package package =
        debian_package("p" + std::to_string(rng_.below(6)), std::to_string(1 + rng_.below(3)));
    if (rng_.below(2) == 0) package.vendor = "v";
    return package;
  }

  void remove_some(InventoryReport& report) {
    for (std::size_t i = rng_.below(3); i > 0; --i) {
      const model::Package like = any_package();
      InventoryReport::Removal removal{like.name, std::nullopt, std::nullopt};
      if (rng_.below(2) == 0) removal.version = like.version;
      if (rng_.below(2) == 0) removal.vendor = like.vendor;
      std::erase_if(expected_, [&](const model::Package& package) {
        return package.name == removal.name &&
               (!removal.version || package.version == *removal.version) &&
               (!removal.vendor || package.vendor == *removal.vendor);
      });
      report.removals.push_back(std::move(removal));
    }
  }

  TestFleet& fleet_;
  SeededRng rng_;
  std::string hostname_;
  Software expected_;
};

TEST(InventoryProperty, FullAndDeltaReportsEndInTheStateOfASimpleModel) {
  TestFleet fleet;
  fleet.config.hosts_unique_hostnames = "org";
  fleet.config.inventory_hold_removal_percent = 100;
  std::deque<Sequence> hosts;
  for (std::size_t number = 0; number < 200; ++number) {
    if (number % 50 == 0) {
      ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_edition(number / 50)).ok());
      if (number == 100) fleet.reopen();
    }
    Sequence& sequence = hosts.emplace_back(fleet, number);
    for (int i = 0; i < 6; ++i) {
      sequence.step();
      fleet.now = fleet.now + Duration(10);
      ASSERT_EQ(software_of(fleet, sequence.host), sequence.expected()) << number << " step " << i;
      ASSERT_EQ(open_hits(fleet, sequence.host), hits_from_scratch(fleet, sequence.expected()))
          << number << " step " << i;
    }
  }
  // A later edition: every host's findings follow without a report.
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_edition(5)).ok());
  std::size_t findings = 0;
  for (const Sequence& sequence : hosts) {
    const Hits hits = open_hits(fleet, sequence.host);
    ASSERT_EQ(hits, hits_from_scratch(fleet, sequence.expected()));
    findings += hits.size();
  }
  EXPECT_GT(findings, 100U) << "the property held over nothing";
}

TEST(InventoryProperty, EverySetIsReferencedByItsHostsExactly) {
  TestFleet fleet;
  for (std::size_t number = 0; number < 60; ++number) {
    Sequence sequence(fleet, number);
    for (int i = 0; i < 4; ++i) sequence.step();
  }
  expect_sets_are_counted(fleet);
}

TEST(PackageSets, EqualHostsShareOneRow) {
  TestFleet fleet;
  const std::vector<model::Package> software = {debian_package("a", "1"), debian_package("b", "1")};
  for (const char* name : {"web-1", "web-2", "web-3"}) {
    fleet.report(TestFleet::report_of(name, software)).value();
  }
  fleet.report(TestFleet::report_of("web-2", {software[1], software[0]})).value();
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1);
  EXPECT_EQ(fleet.count("SELECT hosts FROM package_sets"), 3);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM packages"), 2);
  for (const char* name : {"web-1", "web-2", "web-3"}) {
    fleet.report(TestFleet::report_of(name, {software[0]})).value();
  }
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1) << "the former row is released";
  EXPECT_EQ(fleet.count("SELECT hosts FROM package_sets"), 3);
}

TEST(PackageSets, ARepeatedReportWritesNoNewSet) {
  TestFleet fleet;
  const InventoryReport report = TestFleet::report_of("web-1", {debian_package("a", "1")});
  EXPECT_TRUE(fleet.report(report)->host_created);
  const ReportOutcome again = fleet.report(report).value();
  EXPECT_FALSE(again.host_created);
  EXPECT_EQ(again.created + again.added + again.removed + again.updated, 0);
  EXPECT_EQ(fleet.count("SELECT hosts FROM package_sets"), 1);
}

TEST(Reports, CountWhatTheyChanged) {
  TestFleet fleet;
  fleet
      .report(TestFleet::report_of(
          "web-1", {debian_package("a", "1"), debian_package("b", "1"), debian_package("c", "1")}))
      .value();
  const ReportOutcome outcome =
      fleet
          .report(TestFleet::report_of("web-1", {debian_package("a", "2"), debian_package("c", "1"),
                                                 debian_package("d", "1")}))
          .value();
  EXPECT_EQ(outcome.processed, 3);
  EXPECT_EQ(outcome.created, 2);
  EXPECT_EQ(outcome.added, 2);
  EXPECT_EQ(outcome.removed, 2);
  EXPECT_EQ(outcome.updated, 1) << "a, in another version";
}

TEST(Reports, ADeltaOfAHostWithoutAFullReportIsRefused) {
  TestFleet fleet;
  InventoryReport delta = TestFleet::report_of("web-1", {debian_package("a", "1")});
  delta.delta = true;
  EXPECT_EQ(fleet.report(delta).error().code, Errc::unknown_host);
  fleet.enrol("web-1");
  EXPECT_EQ(fleet.report(delta).error().code, Errc::unknown_host) << "enrolled, never reported";
}

TEST(Reports, ADeltasPackagesAreOfTheHostsDistribution) {
  TestFleet fleet;
  InventoryReport full = TestFleet::report_of("web-1", {debian_package("a", "1")});
  full.distro = "debian:12";
  fleet.report(full).value();
  model::Package bare = debian_package("b", "1");
  bare.distro.clear();
  InventoryReport delta = TestFleet::report_of("web-1", {bare});
  delta.delta = true;
  const HostId host = fleet.report(delta)->host;
  EXPECT_EQ(software_of(fleet, host),
            (Software{debian_package("a", "1"), debian_package("b", "1")}));
}

TEST(Reports, AreFoundByMachineBeforeHostname) {
  TestFleet fleet;
  InventoryReport report = TestFleet::report_of("web-1", {debian_package("a", "1")});
  report.machine_id = "machine-a";
  const HostId host = fleet.report(report)->host;
  report.hostname = "renamed";
  EXPECT_EQ(fleet.report(report)->host, host);
  EXPECT_FALSE(fleet->directory.find(TestFleet::org, "", "web-1").has_value());
  EXPECT_EQ(fleet->directory.find(TestFleet::org, "", "RENAMED")->id, host);
  EXPECT_NE(fleet.report(TestFleet::report_of("web-1"))->host, host) << "the name is free again";
  EXPECT_EQ(fleet->directory.find(TestFleet::org, "machine-a", "web-1")->id, host);
}

// --- Second sources --------------------------------------------------------------------------

/// web-1 with an agent that reported a and b, and a site that reports of it as well.
class TwoSources : public testing::Test {
 protected:
  TwoSources() : enrolled(fleet.enrol("web-1")) {
    fleet.report(of_agent({debian_package("a", "1"), debian_package("b", "1")})).value();
    fleet.now = fleet.now + Duration(10);
  }

  InventoryReport of_agent(const std::vector<model::Package>& packages) const {
    InventoryReport report = TestFleet::report_of("web-1", packages);
    report.agent = {enrolled.agent, enrolled.host};
    return report;
  }
  static InventoryReport of_site(const std::vector<model::Package>& packages, bool delta = false) {
    InventoryReport report = TestFleet::report_of("WEB-1", packages);
    report.key = KeyId{7};
    report.delta = delta;
    return report;
  }
  HostView shown() {
    return show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue, "web-1",
                     fleet.now)
        .value();
  }
  void end_agent() {
    fleet->store.write([&](store::Tx& tx) {
      decommission_agent(tx, fleet->ids, fleet->credentials, fleet->presence, fleet.actor,
                         TestFleet::org, enrolled.agent, fleet.now)
          .value();
    });
  }

  TestFleet fleet;
  Enrolled enrolled;
  const Software agents_software = {debian_package("a", "1"), debian_package("b", "1")};
};

TEST_F(TwoSources, ASitesReportChangesNothingOfAHostWhoseAgentReports) {
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_edition(5)).ok());
  InventoryReport report = of_site({debian_package("p1", "0"), debian_package("c", "1")});
  report.os_name = "Another";
  report.tags = {"another"};
  const model::Host before = shown().host;
  const ReportOutcome outcome = fleet.report(report).value();
  EXPECT_TRUE(outcome.second_source);
  EXPECT_EQ(outcome.host, enrolled.host);
  EXPECT_EQ(outcome.hostname, "web-1");
  EXPECT_EQ(outcome.processed, 2);
  EXPECT_EQ(outcome.vulnerabilities, 1) << "of what it sent";
  EXPECT_EQ(software_of(fleet, enrolled.host), agents_software);
  EXPECT_TRUE(open_hits(fleet, enrolled.host).empty());
  const HostView after = shown();
  EXPECT_EQ(after.host.os_name, before.os_name);
  EXPECT_EQ(after.host.tags, before.tags);
  EXPECT_EQ(after.host.hostname, "web-1");
  EXPECT_EQ(after.host.last_report_at, before.last_report_at);
  EXPECT_EQ(after.host.package_set, before.package_set);
  ASSERT_EQ(after.sources.size(), 1U);
  const store::HostSource& source = after.sources[0].source;
  EXPECT_EQ(source.key, KeyId{7});
  EXPECT_EQ(source.hostname, "WEB-1");
  EXPECT_EQ(source.package_count, 2);
  EXPECT_EQ(source.vulnerabilities, 1);
  EXPECT_EQ(source.reported_at, fleet.now);
  expect_sets_are_counted(fleet);
}

TEST_F(TwoSources, ASitesDeltaIsLaidOverItsOwnSetAndNeverOverTheAgents) {
  EXPECT_EQ(fleet.report(of_site({debian_package("c", "1")}, true)).error().code,
            Errc::unknown_host);
  fleet.report(of_site({debian_package("c", "1"), debian_package("d", "1")})).value();
  InventoryReport delta = of_site({debian_package("e", "1")}, true);
  delta.removals = {{"a", std::nullopt, std::nullopt}, {"c", std::nullopt, std::nullopt}};
  const ReportOutcome outcome = fleet.report(delta).value();
  EXPECT_EQ(outcome.added, 1);
  EXPECT_EQ(outcome.removed, 1) << "c; a is the agent's";
  EXPECT_EQ(shown().sources.at(0).source.package_count, 2);
  EXPECT_EQ(software_of(fleet, enrolled.host), agents_software);
  expect_sets_are_counted(fleet);
}

TEST_F(TwoSources, EachKeyIsASourceOfItsOwn) {
  fleet.report(of_site({debian_package("c", "1")})).value();
  InventoryReport other = of_site({debian_package("d", "1"), debian_package("e", "1")});
  other.key = KeyId{8};
  fleet.report(other).value();
  fleet.report(other).value();
  const auto sources = shown().sources;
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].source.package_count, 1);
  EXPECT_EQ(sources[1].source.package_count, 2);
  expect_sets_are_counted(fleet);
}

TEST_F(TwoSources, SitesCountAgainOnceTheAgentHasEnded) {
  fleet.report(of_site({debian_package("c", "1")})).value();
  end_agent();
  EXPECT_EQ(software_of(fleet, enrolled.host), agents_software) << "until somebody reports";
  EXPECT_EQ(fleet.report(of_site({debian_package("d", "1")}, true)).error().code,
            Errc::unknown_host)
      << "a delta is not laid over what the agent told of";
  EXPECT_EQ(software_of(fleet, enrolled.host), agents_software);
  const ReportOutcome outcome = fleet.report(of_site({debian_package("c", "1")})).value();
  EXPECT_FALSE(outcome.second_source);
  EXPECT_EQ(software_of(fleet, enrolled.host), (Software{debian_package("c", "1")}));
  EXPECT_TRUE(shown().sources.empty());
  fleet.report(of_site({debian_package("d", "1")}, true)).value();
  EXPECT_EQ(software_of(fleet, enrolled.host),
            (Software{debian_package("c", "1"), debian_package("d", "1")}));
  expect_sets_are_counted(fleet);
}

TEST_F(TwoSources, AnAgentThatNeverReportsSoftwareSilencesNoSite) {
  const Enrolled mute = fleet.enrol("web-2");
  const auto report = TestFleet::report_of("web-2", {debian_package("c", "1")});
  EXPECT_FALSE(fleet.report(report)->second_source);
  EXPECT_EQ(software_of(fleet, mute.host), (Software{debian_package("c", "1")}));
  InventoryReport own = TestFleet::report_of("web-2", {debian_package("d", "1")});
  own.agent = {mute.agent, mute.host};
  fleet.report(own).value();
  EXPECT_TRUE(fleet.report(report)->second_source) << "now that it does";
  EXPECT_EQ(software_of(fleet, mute.host), (Software{debian_package("d", "1")}));
}

TEST_F(TwoSources, AnAgentsDeltaIsNotLaidOverASitesSet) {
  fleet.report(TestFleet::report_of("web-2", {debian_package("c", "1")})).value();
  const Enrolled late = fleet.enrol("web-2");
  InventoryReport report = TestFleet::report_of("web-2", {debian_package("d", "1")});
  report.agent = {late.agent, late.host};
  report.delta = true;
  EXPECT_EQ(fleet.report(report).error().code, Errc::unknown_host);
  report.delta = false;
  fleet.report(report).value();
  EXPECT_EQ(software_of(fleet, late.host), (Software{debian_package("d", "1")}));
  expect_sets_are_counted(fleet);
}

// --- Undone reports leave no trace -----------------------------------------------------------

/// Stores a report and undoes it, the way a later failure of the same request would.
void undo(TestFleet& fleet, const InventoryReport& report) {
  const auto undone = fleet->store.write([&](store::Tx& tx) -> Result<ReportOutcome> {
    EXPECT_TRUE(record_report(tx, fleet.inventory(), report, fleet.now).ok());
    return Error{Errc::unavailable, "undone"};
  });
  EXPECT_FALSE(undone.ok());
}

TEST(UndoneReport, LeavesNoPackageInTheDictionary) {
  TestFleet fleet;
  undo(fleet, TestFleet::report_of("web-1", {debian_package("a", "1"), debian_package("b", "1")}));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM packages"), 0);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM hosts"), 0);
  EXPECT_FALSE(fleet->directory.find(TestFleet::org, "", "web-1").has_value());
  const ReportOutcome first =
      fleet.report(TestFleet::report_of("web-1", {debian_package("c", "1")})).value();
  EXPECT_EQ(first.created, 1);
  const ReportOutcome second =
      fleet
          .report(TestFleet::report_of("web-1", {debian_package("a", "1"), debian_package("b", "1"),
                                                 debian_package("c", "1")}))
          .value();
  EXPECT_EQ(second.created, 2) << "a and b are not known from the undone report";
  EXPECT_EQ(
      software_of(fleet, second.host),
      (Software{debian_package("a", "1"), debian_package("b", "1"), debian_package("c", "1")}));
}

TEST(UndoneReport, ItsVerdictsAreNotTakenForThoseOfTheNextPackage) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_edition(5)).ok());
  // p1 in version 0 is vulnerable; what comes next under its id is not.
  undo(fleet, TestFleet::report_of("web-1", {debian_package("p1", "0")}));
  const ReportOutcome harmless =
      fleet.report(TestFleet::report_of("web-1", {debian_package("harmless", "0")})).value();
  EXPECT_EQ(harmless.vulnerabilities, 0);
  undo(fleet, TestFleet::report_of("web-1", {debian_package("other", "0")}));
  const ReportOutcome harmful =
      fleet.report(TestFleet::report_of("web-1", {debian_package("p1", "0")})).value();
  EXPECT_EQ(harmful.vulnerabilities, 1);
  EXPECT_EQ(open_hits(fleet, harmful.host).size(), 1U);
}

TEST(UndoneReport, InTheSameCommitAsAKeptOneTakesNothingFromIt) {
  TestFleet fleet;
  const InventoryReport kept = TestFleet::report_of("web-1", {debian_package("a", "1")});
  const InventoryReport undone =
      TestFleet::report_of("web-2", {debian_package("a", "1"), debian_package("b", "1")});
  const InventoryReport later =
      TestFleet::report_of("web-3", {debian_package("b", "1"), debian_package("c", "1")});
  fleet->store.start_writer();
  int finished = 0;
  for (const InventoryReport* report : {&undone, &kept, &undone, &later}) {
    store::Work work = [&, report](store::Tx& tx) {
      EXPECT_TRUE(record_report(tx, fleet.inventory(), *report, fleet.now).ok());
      return report != &undone;
    };
    store::Done done = [&](std::exception_ptr failure) { finished += failure ? 0 : 1; };
    ASSERT_TRUE(fleet->store.submit(work, done));
  }
  fleet->store.stop_writer();
  EXPECT_EQ(finished, 4);
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto host = [&](const char* name) {
      return fleet->directory.find(TestFleet::org, "", name)->id;
    };
    EXPECT_EQ(software_of(fleet, host("web-1")), (Software{debian_package("a", "1")}));
    EXPECT_EQ(software_of(fleet, host("web-3")),
              (Software{debian_package("b", "1"), debian_package("c", "1")}));
    EXPECT_FALSE(fleet->directory.find(TestFleet::org, "", "web-2").has_value());
    fleet.reopen();
  }
}

TEST(PackageList, TheCanonicalTextIsReadBackAndLeavesOutWhatIsSoAnyway) {
  model::Package package = debian_package("openssl", "3.0");
  package.vendor = "v";
  package.source_name = "openssl-src";
  package.source_version = "3.0-0";
  package.arch = "amd64";
  package.cpe = "cpe:2.3:a:b";
  InventoryReport report = TestFleet::report_of("h", {package});
  EXPECT_EQ(parse_canonical(report.packages.canonical(0)), package);
  model::Package verbose = debian_package("openssl", "3.0");
  model::Package terse = verbose;
  verbose.source_name = "openssl";
  verbose.source_version = "3.0";
  const InventoryReport both = TestFleet::report_of("h", {verbose, terse});
  EXPECT_EQ(both.packages.canonical(0), both.packages.canonical(1));
}

}  // namespace
}  // namespace muster::fleet
