// SPDX-License-Identifier: Apache-2.0
#include "fleet/software.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"

namespace muster::fleet {
namespace {

constexpr const char* flaw_of_burner = R"({"id": "CVE-2099-1000", "configurations": [{"nodes": [
  {"operator": "OR", "cpeMatch": [{"vulnerable": true, "versionEndExcluding": "3",
    "criteria": "cpe:2.3:a:acme:burner:*:*:*:*:*:*:*:*"}]}]}]})";

model::Package program(const std::string& name, const std::string& vendor,
                       const std::string& version) {
  model::Package package;
  package.name = name;
  package.vendor = vendor;
  package.version = version;
  package.ecosystem = model::Ecosystem::windows;
  return package;
}

Result<RematchCount> say(TestFleet& fleet, const std::string& name, const std::string& vendor,
                         std::optional<model::IdentityOverride> identity) {
  fleet.now = fleet.now + Duration(1000);
  return change_identity(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, fleet.actor,
                         {TestFleet::org, name, vendor, std::move(identity)}, fleet.now);
}

SoftwarePage page_of(TestFleet& fleet, const SoftwareQuery& query) {
  return list_software_page(fleet->store, fleet->catalogue, query).value();
}

SoftwareQuery all() {
  SoftwareQuery query;
  query.count = 100;
  return query;
}

TEST(SoftwareIdentity, AnOperatorsWordOpensAndResolvesAtOnceAndIsInTheEvidence) {
  TestFleet fleet;
  for (const char* host : {"web-1", "web-2"}) {
    fleet.report(TestFleet::report_of(host, {program("House Burning", "In-house", "2")})).value();
  }
  fleet.report(TestFleet::report_of("web-3", {program("House Burning", "Others", "2")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, flaw_of_burner).ok());
  EXPECT_TRUE(findings(fleet).empty());
  const RematchCount mapped =
      say(fleet, "House Burning", "In-house", {{false, {{"acme", "burner"}}}}).value();
  EXPECT_EQ(mapped.hosts, 2U) << "those of that vendor";
  EXPECT_EQ(mapped.opened, 2U);
  ASSERT_EQ(findings(fleet).size(), 2U);
  EXPECT_NE(findings(fleet)[0].stored.finding.evidence.find("an operator said"), std::string::npos);
  // A report that comes later follows it too.
  fleet.report(TestFleet::report_of("web-4", {program("House Burning", "In-house", "1")})).value();
  EXPECT_EQ(findings(fleet).size(), 3U);

  EXPECT_EQ(say(fleet, "House Burning", "In-house", {{true, {}}})->resolved, 3U);
  const ListedSoftware skipped = page_of(fleet, all()).software.at(0);
  EXPECT_EQ(skipped.state, "not_assessed");
  EXPECT_EQ(skipped.reason, "skipped") << "which is not clean";
  ASSERT_TRUE(say(fleet, "House Burning", "In-house", {{false, {{"acme", "burner"}}}}).ok());
  EXPECT_EQ(say(fleet, "House Burning", "In-house", std::nullopt)->resolved, 3U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM identity_overrides"), 0);
  EXPECT_EQ(say(fleet, "House Burning", "In-house", std::nullopt).error().code, Errc::not_found);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action LIKE 'software.%'"), 4);
}

TEST(SoftwareIdentity, OverrulesWhatWasReportedOrFoundAndNoDistribution) {
  TestFleet fleet;
  model::Package reported = program("Burner", "Acme", "2");
  reported.cpe = "cpe:2.3:a:acme:burner:2:*:*:*:*:*:*:*";
  model::Package packaged = debian_package("Burner", "1");
  packaged.vendor = "Acme";
  fleet.report(TestFleet::report_of("web-1", {reported, packaged})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, flaw_of_burner).ok());
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"Burner", "2"}})).ok());
  EXPECT_EQ(findings(fleet).size(), 2U);
  EXPECT_EQ(say(fleet, "Burner", "Acme", {{true, {}}})->resolved, 1U);
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.finding.feed, "debian");
}

TEST(SoftwareIdentity, AnOrderThatWasCutShortIsFinishedLater) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {program("House Burning", "", "2")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, flaw_of_burner).ok());
  fleet.faults->refuse("INSERT INTO findings");
  EXPECT_THROW((void)say(fleet, "House Burning", "", {{false, {{"acme", "burner"}}}}),
               store::StoreError);
  fleet.faults->cancel();
  EXPECT_TRUE(findings(fleet).empty());
  fleet.reopen();
  const auto finish = [&] {
    return finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true,
                           fleet.now);
  };
  EXPECT_EQ(finish(), 1U);
  EXPECT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(finish(), 0U);
}

TEST(SoftwareIdentity, ProductsAreReadInCpesWordsOrPlain) {
  using Name = model::ProductName;
  EXPECT_EQ(parse_product_name("Mozilla:Firefox").value(), (Name{"mozilla", "firefox"}));
  EXPECT_EQ(parse_product_name("notepad-plus-plus:notepad++").value(),
            (Name{"notepad-plus-plus", "notepad\\+\\+"}));
  EXPECT_EQ(parse_product_name("notepad-plus-plus:notepad\\+\\+").value(),
            (Name{"notepad-plus-plus", "notepad\\+\\+"}));
  for (const char* bad : {"", "firefox", ":firefox", "mozilla:", "*:firefox", "-:a", "a:\x01"}) {
    EXPECT_FALSE(parse_product_name(bad).ok()) << bad;
  }
}

TEST(SoftwareList, CountsHostsAndFindingsOfEachDistinctPackage) {
  TestFleet fleet;
  const model::Package burner = program("Acme Burner", "Acme Inc.", "2");
  const model::Package tool = program("Some Tool", "Nobody", "1");
  fleet.report(TestFleet::report_of("web-1", {burner, tool})).value();
  fleet.report(TestFleet::report_of("web-2", {burner, tool})).value();
  fleet.report(TestFleet::report_of("web-3", {burner})).value();
  fleet.report(TestFleet::report_of("web-3", {burner, debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, flaw_of_burner).ok());
  const SoftwarePage page = page_of(fleet, all());
  ASSERT_EQ(page.software.size(), 3U);
  EXPECT_EQ(page.total.value, 3);
  EXPECT_TRUE(page.total.exact);
  std::map<std::string, ListedSoftware> by_name;
  for (const ListedSoftware& view : page.software) by_name[view.package.name] = view;
  const ListedSoftware& found = by_name["Acme Burner"];
  EXPECT_EQ(found.hosts, 3);
  EXPECT_EQ(found.open_findings, 3);
  EXPECT_EQ(found.identity, "cpe");
  EXPECT_EQ(found.method, "vocabulary");
  EXPECT_EQ(found.confidence, "medium");
  EXPECT_EQ(found.products, std::vector<std::string>{"acme:burner"});
  EXPECT_EQ(found.state, "vulnerable");
  EXPECT_EQ(by_name["Some Tool"].hosts, 2);
  EXPECT_EQ(by_name["Some Tool"].reason, "no_identity");
  EXPECT_EQ(by_name["a"].identity, "distribution");

  SoftwareQuery unmapped = all();
  unmapped.unmapped = true;
  ASSERT_EQ(page_of(fleet, unmapped).software.size(), 1U);
  EXPECT_EQ(page_of(fleet, unmapped).software[0].package.name, "Some Tool");
  ASSERT_TRUE(say(fleet, "Some Tool", "Nobody", {{true, {}}}).ok());
  EXPECT_TRUE(page_of(fleet, unmapped).software.empty()) << "somebody spoke of it";
  SoftwareQuery named = all();
  named.name = "a";
  EXPECT_EQ(page_of(fleet, named).software.size(), 1U);
}

TEST(SoftwareList, ShowsEveryPackageOnceOverItsPages) {
  TestFleet fleet;
  std::vector<model::Package> software;
  for (int i = 0; i < 23; ++i) software.push_back(program("tool " + std::to_string(i), "", "1"));
  fleet.report(TestFleet::report_of("web-1", software)).value();
  for (const bool unmapped : {false, true}) {
    SoftwareQuery query;
    query.count = 5;
    query.unmapped = unmapped;
    std::set<std::string> seen;
    std::size_t rows = 0;
    do {
      const SoftwarePage page = page_of(fleet, query);
      rows += page.software.size();
      for (const ListedSoftware& view : page.software) seen.insert(view.package.name);
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    EXPECT_EQ(rows, 23U);
    EXPECT_EQ(seen.size(), 23U);
  }
  SoftwareQuery bad = all();
  bad.cursor = "x";
  EXPECT_FALSE(list_software_page(fleet->store, fleet->catalogue, bad).ok());
}

}  // namespace
}  // namespace muster::fleet
