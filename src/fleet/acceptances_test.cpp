// SPDX-License-Identifier: Apache-2.0
#include "fleet/acceptances.h"

#include <gtest/gtest.h>

#include "fleet/feed_import.h"
#include "fleet/finding_testing.h"
#include "fleet/hosts.h"
#include "fleet/images.h"

namespace muster::fleet {
namespace {

using model::FindingStatus;
using model::Severity;

constexpr const char* cve = "CVE-2099-0001";

std::string kev_of(const std::string& one) {
  return R"({"title": "t", "catalogVersion": "1", "dateReleased": "2026-03-21T00:00:00Z",)"
         R"( "count": 1, "vulnerabilities": [{"cveID": ")" +
         one +
         R"(", "vendorProject": "v", "product": "p", "vulnerabilityName": "n",)"
         R"( "dateAdded": "2026-03-20", "shortDescription": "s", "requiredAction": "a",)"
         R"( "dueDate": "2026-04-01", "knownRansomwareCampaignUse": "Known", "notes": ""}]})";
}

/// A debian feed with one advisory about package a, of an urgency.
std::string feed_of(const std::string& urgency) {
  return R"({"a": {"CVE-2099-0001": {"description": "d", "scope": "remote", "releases": {)"
         R"("bookworm": {"status": "resolved", "fixed_version": "9", "repositories": {"bookworm":)"
         R"( "1"}, "urgency": ")" +
         urgency + R"("}}}}})";
}

class Acceptances : public testing::Test {
 protected:
  Acceptances() {
    EXPECT_TRUE(fleet.import(feeds::FeedKind::debian, feed_of("medium")).ok());
    report("web-1", "1");
    report("web-2", "1");
  }

  void report(const std::string& host, const std::string& version) {
    fleet.report(TestFleet::report_of(host, {debian_package("a", version)})).value();
  }
  std::vector<FindingView> listed(FindingStatus status) {
    FindingQuery query;
    query.statuses = {status};
    query.count = 100;
    return list_finding_page(fleet->store, fleet->catalogue, query).value().findings;
  }
  FindingView of_host(const std::string& host) {
    for (const auto status : {FindingStatus::open, FindingStatus::accepted}) {
      for (FindingView& view : listed(status)) {
        if (view.stored.hostname == host) return view;
      }
    }
    ADD_FAILURE() << host << " has no finding";
    return {};
  }
  FindingStatus status_of(const std::string& host) { return of_host(host).stored.finding.status; }
  Result<AcceptanceOutcome> accept(const std::string& host, bool everywhere = false,
                                   std::optional<Instant> ends_at = {}) {
    return accept_finding(fleet->store, fleet->ids, fleet.actor,
                          {of_host(host).stored.finding.id, everywhere, "why", ends_at}, fleet.now);
  }
  void later(Duration time) { fleet.now = fleet.now + time; }
  std::int64_t events(const char* type) {
    return fleet->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query("SELECT count(*) FROM events WHERE type = $1", type);
      rows.next();
      return rows.integer(0);
    });
  }

  TestFleet fleet;
};

TEST_F(Acceptances, KeepTheFindingKnownAndOutOfWhatIsOpen) {
  const FindingView before = of_host("web-1");
  EXPECT_EQ(accept("web-1").value().findings, 1);
  ASSERT_EQ(listed(FindingStatus::open).size(), 1U);
  EXPECT_EQ(listed(FindingStatus::open)[0].stored.hostname, "web-2");
  const FindingView after = of_host("web-1");
  EXPECT_EQ(after.stored.finding.id, before.stored.finding.id);
  EXPECT_EQ(after.stored.finding.opened_at, before.stored.finding.opened_at);
  EXPECT_EQ(after.stored.acceptance.value().reason, "why");
  EXPECT_EQ(after.stored.acceptance.value().accepted_by, "operator:1");
  const HostPage page =
      list_host_page(fleet->store, fleet->presence, fleet.config, {}, "", 10, fleet.now).value();
  EXPECT_EQ(page.hosts[0].findings.open, 0);
  EXPECT_EQ(page.hosts[0].findings.accepted, 1);
  EXPECT_EQ(page.hosts[0].coverage.state, Coverage::State::accepted);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'findings.accept'"), 1);
  EXPECT_EQ(events("finding_accepted"), 1);
}

TEST_F(Acceptances, OutliveReportsImportsAndVersionsThatLeaveTheFlawIn) {
  accept("web-1").value();
  report("web-1", "1");
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted);
  report("web-1", "2");
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted) << "the new version has the flaw too";
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_of("medium")).ok());
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted);
  report("web-1", "9");
  EXPECT_TRUE(listed(FindingStatus::accepted).empty()) << "fixed";
  report("web-1", "3");
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted) << "and taken back";
  EXPECT_EQ(status_of("web-2"), FindingStatus::open);
}

TEST_F(Acceptances, OfAllHostsCoverThoseToCome) {
  EXPECT_EQ(accept("web-1", true).value().findings, 2);
  report("web-3", "1");
  EXPECT_EQ(status_of("web-3"), FindingStatus::accepted);
  reopen_finding(fleet->store, fleet->ids, fleet.actor, of_host("web-2").stored.finding.id,
                 fleet.now)
      .value();
  EXPECT_EQ(listed(FindingStatus::open).size(), 3U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM acceptances"), 0) << "nothing follows it any more";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'findings.reopen'"), 1);
}

TEST_F(Acceptances, OfAHostGoesBeforeThatOfAllAndLeavesItInForce) {
  accept("web-1").value();
  accept("web-2", true).value();
  EXPECT_EQ(of_host("web-1").stored.acceptance->scope, model::AcceptanceScope::host);
  reopen_finding(fleet->store, fleet->ids, fleet.actor, of_host("web-1").stored.finding.id,
                 fleet.now)
      .value();
  pass_acceptance_time(fleet->store, fleet->ids, fleet.now);
  EXPECT_EQ(of_host("web-1").stored.acceptance->scope, model::AcceptanceScope::hosts);
}

TEST_F(Acceptances, EndWhenTheirTimeIsUp) {
  accept("web-1", false, fleet.now + std::chrono::hours(24)).value();
  later(std::chrono::hours(24) - Duration(1));
  EXPECT_EQ(pass_acceptance_time(fleet->store, fleet->ids, fleet.now), 0U);
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted);
  later(Duration(1));
  EXPECT_EQ(pass_acceptance_time(fleet->store, fleet->ids, fleet.now), 1U);
  EXPECT_EQ(status_of("web-1"), FindingStatus::open);
  EXPECT_EQ(pass_acceptance_time(fleet->store, fleet->ids, fleet.now), 0U);
  EXPECT_EQ(events("acceptance_ended"), 1);
}

TEST_F(Acceptances, AreRenewedByAcceptingAgain) {
  accept("web-1", false, fleet.now + std::chrono::hours(1)).value();
  accept("web-1", false, fleet.now + std::chrono::hours(3)).value();
  later(std::chrono::hours(2));
  pass_acceptance_time(fleet->store, fleet->ids, fleet.now);
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM acceptances"), 1);
}

TEST_F(Acceptances, EndWhenTheFlawBecomesExploited) {
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev_of("CVE-2000-0001")).ok());
  accept("web-1", true).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev_of(cve)).ok());
  EXPECT_EQ(listed(FindingStatus::open).size(), 2U);
  EXPECT_TRUE(of_host("web-1").stored.finding.known_exploited);
  EXPECT_EQ(events("acceptance_ended"), 1);
  accept("web-1").value();
  report("web-1", "2");
  EXPECT_EQ(status_of("web-1"), FindingStatus::accepted) << "accepted with that known";
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, kev_of("CVE-2000-0001")).ok());
  EXPECT_FALSE(of_host("web-1").stored.finding.known_exploited);
}

TEST_F(Acceptances, EndWhenTheSeverityRisesAndNotWhenItFalls) {
  accept("web-1", true).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_of("low")).ok());
  EXPECT_EQ(listed(FindingStatus::accepted).size(), 2U);
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed_of("high")).ok());
  EXPECT_EQ(listed(FindingStatus::open).size(), 2U);
  EXPECT_EQ(events("acceptance_ended"), 1) << "one, not one for each host";
  pass_acceptance_time(fleet->store, fleet->ids, fleet.now);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM acceptances"), 0);
}

TEST_F(Acceptances, AreRefusedForWhatIsNotThere) {
  const auto refused = [&](FindingId id, std::optional<Instant> ends_at = {}) {
    return accept_finding(fleet->store, fleet->ids, fleet.actor, {id, false, "why", ends_at},
                          fleet.now)
        .error()
        .code;
  };
  const FindingId id = of_host("web-1").stored.finding.id;
  EXPECT_EQ(refused({7}), Errc::not_found);
  EXPECT_EQ(refused(id, fleet.now), Errc::invalid_field) << "its time is up already";
  EXPECT_EQ(reopen_finding(fleet->store, fleet->ids, fleet.actor, id, fleet.now).error().code,
            Errc::illegal_transition);
  report("web-1", "9");
  EXPECT_EQ(refused(id), Errc::illegal_transition) << "resolved";
}

TEST_F(Acceptances, OfAnImageOutliveItsScans) {
  const auto host = fleet->directory.find(TestFleet::org, "", "web-1").value().id;
  const auto scan = [&](Severity severity, const std::string& title) {
    model::ImageScan image;
    image.digest = "sha256:1";
    model::ImageVulnerability flaw;
    flaw.type = "debian";
    flaw.package = "a";
    flaw.id = cve;
    flaw.severity = severity;
    flaw.title = title;
    flaw.places = {{"t", "", "1", "2"}};
    image.vulnerabilities = {flaw};
    ContainerScan one;
    one.org = TestFleet::org;
    one.host = host;
    one.images = {{"app:1", image}};
    fleet->store.write([&](store::Tx& tx) {
      record_container_scan(tx, fleet->ids, *fleet->catalogue.current(), fleet->packages, one,
                            fleet.now)
          .value();
    });
  };
  scan(Severity::medium, "one");
  const auto finding = [&] {
    const auto images = list_image_page(fleet->store, {}, "", 10).value().images;
    return list_image_finding_page(fleet->store, fleet->catalogue, images.at(0).image.id, false, "",
                                   10)
        .value()
        .findings.at(0)
        .stored.finding;
  };
  accept_finding(fleet->store, fleet->ids, fleet.actor, {finding().id, false, "why", {}}, fleet.now)
      .value();
  EXPECT_EQ(finding().status, FindingStatus::accepted);
  later(std::chrono::hours(1));
  scan(Severity::medium, "another");
  EXPECT_EQ(finding().status, FindingStatus::accepted);
  EXPECT_EQ(status_of("web-1"), FindingStatus::open) << "the host's own is not the image's";
  later(std::chrono::hours(1));
  scan(Severity::critical, "graver");
  EXPECT_EQ(finding().status, FindingStatus::open);
  EXPECT_EQ(events("acceptance_ended"), 1);
}

}  // namespace
}  // namespace muster::fleet
