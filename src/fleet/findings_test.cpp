// SPDX-License-Identifier: Apache-2.0
#include "fleet/findings.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "fleet/finding_groups.h"
#include "fleet/finding_testing.h"
#include "fleet/hosts.h"

namespace muster::fleet {
namespace {

std::string kev(const std::string& cve) {
  return R"({"title": "t", "catalogVersion": "2026.03.21", "dateReleased": "2026-03-21T00:00:00Z",)"
         R"( "count": 1, "vulnerabilities": [{"cveID": ")" +
         cve +
         R"(", "vendorProject": "v", "product": "p", "vulnerabilityName": "n",)"
         R"( "dateAdded": "2026-03-20", "shortDescription": "s", "requiredAction": "a",)"
         R"( "dueDate": "2026-04-01", "knownRansomwareCampaignUse": "Known", "notes": ""}]})";
}

TEST(Findings, DoNotDependOnWhetherTheFeedOrTheReportCameFirst) {
  const std::string content = feed({{"a", "2"}, {"b", ""}, {"c", "1"}});
  const std::vector<model::Package> software = {debian_package("a", "1"), debian_package("b", "9"),
                                                debian_package("c", "1"), debian_package("d", "1")};
  TestFleet feed_first;
  ASSERT_TRUE(feed_first.import(feeds::FeedKind::debian, content).ok());
  feed_first.report(TestFleet::report_of("web-1", software)).value();
  TestFleet report_first;
  report_first.report(TestFleet::report_of("web-1", software)).value();
  const ImportOutcome outcome = report_first.import(feeds::FeedKind::debian, content).value();
  EXPECT_EQ(outcome.hosts_matched, 1U);
  EXPECT_EQ(outcome.findings_opened, 2U);
  EXPECT_EQ(described(feed_first).size(), 2U);
  EXPECT_EQ(described(feed_first), described(report_first));
}

TEST(Findings, ANewEditionOpensAndResolvesWithoutAReport) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1"), debian_package("b", "1")}))
      .value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const FindingId first = findings(fleet).at(0).stored.finding.id;
  fleet.now = fleet.now + std::chrono::hours(1);
  const ImportOutcome outcome = fleet.import(feeds::FeedKind::debian, feed({{"b", "2"}})).value();
  EXPECT_EQ(outcome.findings_opened, 1U);
  EXPECT_EQ(outcome.findings_resolved, 1U);
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.package.name, "b");
  const auto resolved = show_finding(fleet->store, fleet->catalogue, first).value();
  EXPECT_EQ(resolved.stored.finding.status, model::FindingStatus::resolved);
  EXPECT_EQ(resolved.stored.finding.resolution, "not_affected");
  EXPECT_EQ(resolved.stored.finding.resolved_at, fleet.now);
}

/// NVD's record of a flaw in Apache 2.4.37 where OpenSSL 1.1.1 is beside it.
constexpr const char* conditional_flaw = R"({"id": "CVE-2019-0190", "configurations": [
  {"operator": "AND", "nodes": [
    {"operator": "OR", "cpeMatch": [{"vulnerable": true,
      "criteria": "cpe:2.3:a:apache:http_server:2.4.37:*:*:*:*:*:*:*"}]},
    {"operator": "OR", "cpeMatch": [{"vulnerable": false, "versionStartIncluding": "1.1.1",
      "criteria": "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*"}]}]}]})";

model::Package own_build(const std::string& name, const std::string& version,
                         const std::string& product) {
  model::Package package;
  package.name = name;
  package.version = version;
  package.cpe = "cpe:2.3:a:" + product + ":" + version + ":*:*:*:*:*:*:*";
  return package;
}

TEST(ConditionalFindings, FollowTheOtherSoftwareOfTheHost) {
  const model::Package apache = own_build("httpd", "2.4.37", "apache:http_server");
  const model::Package old_openssl = own_build("openssl", "1.0.2k", "openssl:openssl");
  const model::Package new_openssl = own_build("openssl", "1.1.1a", "openssl:openssl");
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {apache, old_openssl})).value();
  fleet.report(TestFleet::report_of("web-2", {apache, new_openssl})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, conditional_flaw).ok());
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.hostname, "web-2");
  EXPECT_EQ(findings(fleet)[0].stored.package.name, "httpd");

  fleet.report(TestFleet::report_of("web-1", {apache, new_openssl})).value();
  EXPECT_EQ(findings(fleet).size(), 2U);
  const ReportOutcome outcome =
      fleet.report(TestFleet::report_of("web-2", {apache, old_openssl})).value();
  EXPECT_EQ(outcome.findings_resolved, 1);
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.hostname, "web-1");
}

TEST(ConditionalFindings, FollowAPackageThatADeltaAdds) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, conditional_flaw).ok());
  fleet.report(TestFleet::report_of("web-1", {own_build("httpd", "2.4.37", "apache:http_server")}))
      .value();
  EXPECT_TRUE(findings(fleet).empty());
  InventoryReport delta =
      TestFleet::report_of("web-1", {own_build("openssl", "1.1.1a", "openssl:openssl")});
  delta.delta = true;
  fleet.report(delta).value();
  EXPECT_EQ(findings(fleet).size(), 1U);
}

TEST(Findings, ARepeatedImportChangesNothing) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const auto before = findings(fleet).at(0).stored.finding;
  fleet.now = fleet.now + std::chrono::hours(1);
  const ImportOutcome outcome = fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).value();
  EXPECT_EQ(outcome.findings_opened + outcome.findings_resolved, 0U);
  const auto after = findings(fleet).at(0).stored.finding;
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.opened_at, before.opened_at);
}

TEST(Findings, GoWithThePackageAndComeBackUnderTheSameId) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const InventoryReport with = TestFleet::report_of("web-1", {debian_package("a", "1")});
  const InventoryReport without = TestFleet::report_of("web-1", {debian_package("b", "1")});
  EXPECT_EQ(fleet.report(with)->vulnerabilities, 1);
  const FindingId id = findings(fleet).at(0).stored.finding.id;
  fleet.now = fleet.now + Duration(10);
  EXPECT_EQ(fleet.report(without)->findings_resolved, 1);
  EXPECT_TRUE(findings(fleet).empty());
  const auto gone = show_finding(fleet->store, fleet->catalogue, id)->stored.finding;
  EXPECT_EQ(gone.resolution, "package_removed");
  fleet.now = fleet.now + Duration(10);
  fleet.report(with).value();
  ASSERT_EQ(findings(fleet).size(), 1U);
  const auto back = findings(fleet)[0].stored.finding;
  EXPECT_EQ(back.id, id);
  EXPECT_EQ(back.opened_at, fleet.now);
  EXPECT_FALSE(back.resolved_at.has_value());
  EXPECT_EQ(back.resolution, "");
}

TEST(Findings, OfOneHostAreNotThoseOfAnother) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  fleet.report(TestFleet::report_of("web-2", {debian_package("a", "1")})).value();
  fleet.report(TestFleet::report_of("web-1")).value();
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.hostname, "web-2");
}

TEST(KnownExploited, JoinsFindingsByCveAndMakesNone) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev("CVE-2099-0001")).ok());
  EXPECT_TRUE(findings(fleet).empty());
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].kev->due_date, "2026-04-01");
  EXPECT_TRUE(fleet->catalogue.current()->kev.contains("CVE-2099-0001"));
  fleet.reopen();
  EXPECT_TRUE(fleet->catalogue.current()->kev.contains("CVE-2099-0001"));
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev("CVE-2099-0009")).ok());
  EXPECT_FALSE(findings(fleet)[0].kev.has_value()) << "withdrawn";
}

TEST(KnownExploited, ATransitionIsOneEventForAllHostsAndTheFirstCatalogueIsNone) {
  TestFleet fleet;
  for (const char* host : {"web-1", "web-2"}) {
    fleet.report(TestFleet::report_of(host, {debian_package("a", "1")})).value();
  }
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const auto told = [&] {
    EventQuestion question;
    question.type = model::EventType::became_exploited;
    return list_event_page(fleet->store, question, "", 10)->rows;
  };
  const std::string cve = *findings(fleet)[0].stored.finding.cve;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev("CVE-2099-0009")).ok());
  EXPECT_TRUE(told().empty());
  const ImportOutcome outcome = fleet.import(feeds::FeedKind::kev, kev(cve)).value();
  EXPECT_EQ(outcome.hosts_matched, 0U) << "a join touches no host";
  ASSERT_EQ(told().size(), 1U);
  EXPECT_NE(told()[0].find("\"hosts\": 2"), std::string::npos) << told()[0];
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev(cve)).ok());
  EXPECT_EQ(told().size(), 1U) << "it was known";
}

TEST(Epss, ScoresJoinFindingsAndGiveWayWholeToTheNextDays) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  EXPECT_FALSE(findings(fleet)[0].stored.epss.has_value());
  const std::string cve = *findings(fleet)[0].stored.finding.cve;
  const auto scores = [](const std::string& line) { return "cve,epss,percentile\n" + line + "\n"; };
  ASSERT_TRUE(fleet.import(feeds::FeedKind::epss, scores(cve + ",0.5,0.75")).ok());
  EXPECT_EQ(findings(fleet)[0].stored.epss, (model::EpssScore{cve, 50'000, 75'000}));
  EXPECT_FALSE(fleet.import(feeds::FeedKind::epss, "cve,epss\n").ok());
  EXPECT_TRUE(findings(fleet)[0].stored.epss.has_value()) << "a failed import changes nothing";
  ASSERT_TRUE(fleet.import(feeds::FeedKind::epss, scores("CVE-2099-9999,0.5,0.75")).ok());
  EXPECT_FALSE(findings(fleet)[0].stored.epss.has_value());
}

TEST(FindingPages, ShowEveryFindingOnceInTheirOrder) {
  TestFleet fleet;
  std::map<std::string, std::string> packages;
  std::vector<model::Package> software;
  for (int i = 0; i < 23; ++i) {
    packages["p" + std::to_string(i)] = "2";
    software.push_back(debian_package("p" + std::to_string(i), "1"));
  }
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed(packages)).ok());
  fleet.report(TestFleet::report_of("web-1", software)).value();
  FindingQuery query;
  query.count = 5;
  std::set<FindingId> seen;
  std::size_t rows = 0;
  do {
    const FindingPage page = list_finding_page(fleet->store, fleet->catalogue, query).value();
    for (const FindingView& view : page.findings) seen.insert(view.stored.finding.id);
    rows += page.findings.size();
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  EXPECT_EQ(rows, 23U);
  EXPECT_EQ(seen.size(), 23U);
  for (const std::string bad : {"x", "1", "1:2", "1:2:x", ":", "::", "a:b:c"}) {
    query.cursor = bad;
    EXPECT_FALSE(list_finding_page(fleet->store, fleet->catalogue, query).ok()) << bad;
  }
}

/// A debian feed in which package "a" has flaws of these severities.
std::string flaws(const std::map<std::string, std::string>& urgencies) {
  std::string json;
  for (const auto& [cve, urgency] : urgencies) {
    json += (json.empty() ? "\"" : ", \"") + cve +
            R"(": {"description": "d", "scope": "remote", "releases": {"bookworm": )" +
            R"({"status": "open", "repositories": {"bookworm": "1"}, "urgency": ")" + urgency +
            R"("}}})";
  }
  return R"({"a": {)" + json + "}}";
}

TEST(FindingPages, OfASeverityKeepWhatIsExploitedAndCountTheUnknown) {
  TestFleet fleet;
  ASSERT_TRUE(fleet
                  .import(feeds::FeedKind::debian, flaws({{"CVE-2099-0001", "high"},
                                                          {"CVE-2099-0002", "not yet assigned"},
                                                          {"CVE-2099-0003", "not yet assigned"},
                                                          {"CVE-2099-0004", "low"}}))
                  .ok());
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  fleet.report(TestFleet::report_of("db-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev("CVE-2099-0002")).ok());
  FindingQuery query;
  query.count = 10;
  query.severity_min = model::Severity::high;
  const auto listed = [&] {
    std::multiset<std::string> cves;
    const FindingPage page = list_finding_page(fleet->store, fleet->catalogue, query).value();
    for (const FindingView& view : page.findings) cves.insert(*view.stored.finding.cve);
    EXPECT_EQ(page.total.value, static_cast<std::int64_t>(cves.size()));
    return std::pair(cves, page.unknown_not_shown.value);
  };
  using Cves = std::multiset<std::string>;
  EXPECT_EQ(listed(),
            std::pair(Cves({"CVE-2099-0001", "CVE-2099-0001", "CVE-2099-0002", "CVE-2099-0002"}),
                      std::int64_t{2}));
  query.among = list_meant_hosts(fleet->store, fleet->presence, fleet.config,
                                 model::parse_host_query("web").value(), TestFleet::org, fleet.now)
                    .value();
  EXPECT_EQ(listed(), std::pair(Cves({"CVE-2099-0001", "CVE-2099-0002"}), std::int64_t{1}));
  query.include_unknown = true;
  EXPECT_EQ(listed(),
            std::pair(Cves({"CVE-2099-0001", "CVE-2099-0002", "CVE-2099-0003"}), std::int64_t{0}));
  query.include_unknown = false;
  query.severity_min = model::Severity::unknown;
  EXPECT_EQ(listed().second, 0) << "nothing is hidden";
  query.severity_min = model::Severity::high;
  query.known_exploited = true;
  EXPECT_EQ(listed(), std::pair(Cves{"CVE-2099-0002"}, std::int64_t{0}));

  GroupQuery groups;
  groups.count = 10;
  groups.severity_min = model::Severity::high;
  EXPECT_EQ(group_findings(fleet->store, groups).groups.size(), 2U);
  EXPECT_EQ(group_findings(fleet->store, groups).unknown_not_shown.value, 2);
  groups.include_unknown = true;
  EXPECT_EQ(group_findings(fleet->store, groups).groups.size(), 3U);
  EXPECT_EQ(group_findings(fleet->store, groups).unknown_not_shown.value, 0);
}

TEST(FindingPages, OfAnEpssKeepWhatIsExploitedAndCountWhatHasNoScore) {
  TestFleet fleet;
  ASSERT_TRUE(fleet
                  .import(feeds::FeedKind::debian, flaws({{"CVE-2099-0001", "low"},
                                                          {"CVE-2099-0002", "high"},
                                                          {"CVE-2099-0003", "medium"},
                                                          {"CVE-2099-0004", "not yet assigned"},
                                                          {"CVE-2099-0005", "not yet assigned"},
                                                          {"CVE-2099-0006", "low"}}))
                  .ok());
  for (const char* host : {"web-1", "db-1"}) {
    fleet.report(TestFleet::report_of(host, {debian_package("a", "1")})).value();
  }
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev("CVE-2099-0006")).ok());
  // 3 has no score, nor has 6.
  ASSERT_TRUE(fleet
                  .import(feeds::FeedKind::epss,
                          "cve,epss,percentile\nCVE-2099-0001,0.1,0.9\nCVE-2099-0002,0.09999,0.8\n"
                          "CVE-2099-0004,0.5,0.95\nCVE-2099-0005,0.01,0.1\n")
                  .ok());
  FindingQuery query;
  query.epss_min = 10'000;
  using Cves = std::multiset<std::string>;
  const auto listed = [&] {
    std::pair<Cves, std::int64_t> answer;
    query.cursor.clear();
    // Small pages: the cursor holds where the last finding stood, shown or not.
    for (query.count = 2;;) {
      const FindingPage page = list_finding_page(fleet->store, fleet->catalogue, query).value();
      for (const FindingView& view : page.findings) {
        // Of one host, to be short: the other has the same.
        if (view.stored.hostname == "web-1") answer.first.insert(*view.stored.finding.cve);
      }
      EXPECT_TRUE(page.total.exact);
      EXPECT_TRUE(page.unknown_not_shown.exact);
      answer.second = page.unknown_not_shown.value;
      query.cursor = page.next_cursor;
      if (query.cursor.empty()) {
        const auto shown = static_cast<std::int64_t>(answer.first.size());
        EXPECT_EQ(page.total.value, query.among ? shown : 2 * shown);
        return answer;
      }
    }
  };
  const auto expected = [](Cves cves, std::int64_t unknown) { return std::pair(cves, unknown); };
  EXPECT_EQ(listed(), expected({"CVE-2099-0001", "CVE-2099-0004", "CVE-2099-0006"}, 2));
  query.among = list_meant_hosts(fleet->store, fleet->presence, fleet.config,
                                 model::parse_host_query("web").value(), TestFleet::org, fleet.now)
                    .value();
  EXPECT_EQ(listed(), expected({"CVE-2099-0001", "CVE-2099-0004", "CVE-2099-0006"}, 1));
  query.among.reset();
  query.include_unknown = true;
  EXPECT_EQ(listed(),
            expected({"CVE-2099-0001", "CVE-2099-0003", "CVE-2099-0004", "CVE-2099-0006"}, 0));
  query.include_unknown = false;
  query.severity_min = model::Severity::medium;
  EXPECT_EQ(listed(), expected({"CVE-2099-0006"}, 4)) << "3 and 4; a score of 0.01 is judged";
  query.include_unknown = true;
  EXPECT_EQ(listed(), expected({"CVE-2099-0003", "CVE-2099-0004", "CVE-2099-0006"}, 0));
  query.include_unknown = false;
  query.severity_min = model::Severity::unknown;
  query.known_exploited = true;
  EXPECT_EQ(listed(), expected({"CVE-2099-0006"}, 0)) << "changes nothing";
  query.known_exploited = false;
  query.cve = "CVE-2099-0002";
  EXPECT_EQ(listed(), expected({}, 0));

  GroupQuery groups;
  groups.count = 10;
  groups.epss_min = 10'000;
  const auto keys = [&] {
    std::pair<Cves, std::int64_t> answer;
    const FindingGroups found = group_findings(fleet->store, groups);
    for (const FindingGroup& group : found.groups) answer.first.insert(group.key);
    answer.second = found.unknown_not_shown.value;
    return answer;
  };
  EXPECT_EQ(keys(), expected({"CVE-2099-0001", "CVE-2099-0004", "CVE-2099-0006"}, 2));
  groups.include_unknown = true;
  EXPECT_EQ(keys(),
            expected({"CVE-2099-0001", "CVE-2099-0003", "CVE-2099-0004", "CVE-2099-0006"}, 0));
}

TEST(FindingPages, OfSomeHostsShowTheirFindingsAlone) {
  TestFleet fleet;
  std::map<std::string, std::string> packages;
  std::vector<model::Package> software;
  for (int i = 0; i < 7; ++i) {
    packages["p" + std::to_string(i)] = "2";
    software.push_back(debian_package("p" + std::to_string(i), "1"));
  }
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed(packages)).ok());
  std::vector<HostId> hosts;
  for (const char* name : {"web-1", "db-1", "web-2"}) {
    hosts.push_back(fleet.report(TestFleet::report_of(name, software)).value().host);
  }
  const auto meant = [&](std::string_view text) {
    return list_meant_hosts(fleet->store, fleet->presence, fleet.config,
                            model::parse_host_query(text).value(), TestFleet::org, fleet.now)
        .value();
  };
  FindingQuery query;
  query.count = 4;
  query.among = meant("web");
  std::map<HostId, int> seen;
  std::size_t pages = 0;
  do {
    const FindingPage page = list_finding_page(fleet->store, fleet->catalogue, query).value();
    EXPECT_EQ(page.total.value, 14);
    EXPECT_TRUE(page.total.exact);
    for (const FindingView& view : page.findings) ++seen[view.stored.finding.host];
    query.cursor = page.next_cursor;
    ++pages;
  } while (!query.cursor.empty());
  EXPECT_EQ(pages, 4U);
  EXPECT_EQ(seen, (std::map<HostId, int>{{hosts[0], 7}, {hosts[2], 7}}));
  query.among = meant("hostname:nobody");
  EXPECT_EQ(list_finding_page(fleet->store, fleet->catalogue, query).value().total.value, 0);
  GroupQuery groups;
  groups.by = GroupBy::host;
  groups.count = 10;
  groups.among = meant("db");
  const FindingGroups answer = group_findings(fleet->store, groups);
  ASSERT_EQ(answer.groups.size(), 1U);
  EXPECT_EQ(answer.groups[0].key, "db-1");
  EXPECT_EQ(answer.groups[0].findings, 7);
}

}  // namespace
}  // namespace muster::fleet
