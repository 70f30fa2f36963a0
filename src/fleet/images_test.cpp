// SPDX-License-Identifier: Apache-2.0
#include "fleet/images.h"

#include <gtest/gtest.h>

#include "fleet/host_removal.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using model::FixStatus;
using model::ImageScan;
using model::ImageVulnerability;
using model::Severity;

const std::string first_digest = "sha256:" + std::string(64, '1');
const std::string second_digest = "sha256:" + std::string(64, '2');

ImageVulnerability flaw(const std::string& id, Severity severity = Severity::critical,
                        FixStatus status = FixStatus::fixed) {
  ImageVulnerability one;
  one.type = "debian";
  one.package = "libexample1";
  one.id = id;
  one.severity = severity;
  one.status = status;
  one.places = {{"app (debian 12.5)", "", "1.0-1", "1.0-2"}};
  return one;
}

/// Two hosts, and what they say of their images.
class Images : public testing::Test {
 protected:
  Images() {
    web = fleet.report(TestFleet::report_of("web-1", {})).value().host;
    db = fleet.report(TestFleet::report_of("db-1", {})).value().host;
  }

  static ContainerScan::Image image(const std::string& reference, const std::string& digest,
                                    std::vector<ImageVulnerability> found = {}) {
    ImageScan scan;
    scan.kind = "container_image";
    scan.digest = digest;
    scan.vulnerabilities = std::move(found);
    return {reference, std::move(scan)};
  }

  Result<ContainerScanOutcome> try_record(HostId host, std::vector<ContainerScan::Image> images,
                                          bool complete = true) {
    fleet.now = fleet.now + std::chrono::minutes(1);
    const ContainerScan scan{TestFleet::org, host, std::move(images), complete};
    return fleet->store.write([&](store::Tx& tx) {
      return record_container_scan(tx, fleet->ids, *fleet->catalogue.current(), fleet->packages,
                                   scan, fleet.now);
    });
  }
  ContainerScanOutcome record(HostId host, std::vector<ContainerScan::Image> images,
                              bool complete = true) {
    return try_record(host, std::move(images), complete).value();
  }

  std::vector<store::ImageView> images(bool retired = false) {
    store::ImageFilter filter;
    filter.retired = retired;
    return list_image_page(fleet->store, filter, "", 100).value().images;
  }

  std::vector<ImageFindingView> findings(ImageId of, bool open_only = true) {
    return list_image_finding_page(fleet->store, fleet->catalogue, of, open_only, "", 100)
        .value()
        .findings;
  }

  TestFleet fleet;
  HostId web;
  HostId db;
};

TEST_F(Images, HostsShareAnImageByItsDigestWhateverTheyCallIt) {
  const auto first = record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001")})});
  EXPECT_EQ(first.created, 1);
  EXPECT_EQ(first.vulnerabilities, 1);
  const auto second =
      record(db, {image("registry.example/app:1", first_digest, {flaw("CVE-2099-0001")})});
  EXPECT_EQ(second.created, 1) << "this host did not have it";
  ASSERT_EQ(images().size(), 1U);
  EXPECT_EQ(images()[0].hosts, 2);
  EXPECT_EQ(images()[0].references, (std::vector<std::string>{"app:1", "registry.example/app:1"}));
  EXPECT_EQ(findings(images()[0].image.id).size(), 1U);
}

TEST_F(Images, AFindingKeepsItsIdOverScans) {
  record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001"), flaw("CVE-2099-0002")})});
  const ImageId id = images()[0].image.id;
  const auto before = findings(id);
  record(web, {image("app:1", first_digest,
                     {flaw("CVE-2099-0001", Severity::high), flaw("CVE-2099-0002")})});
  record(db, {image("app:1", first_digest,
                    {flaw("CVE-2099-0001", Severity::critical, FixStatus::will_not_fix),
                     flaw("CVE-2099-0002")})});
  auto after = findings(id);
  ASSERT_EQ(after.size(), 2U);
  std::sort(after.begin(), after.end(),
            [](const auto& a, const auto& b) { return a.stored.finding.id < b.stored.finding.id; });
  const auto find_before = [&](FindingId wanted) {
    return std::any_of(before.begin(), before.end(),
                       [&](const auto& view) { return view.stored.finding.id == wanted; });
  };
  for (const auto& view : after) {
    EXPECT_TRUE(find_before(view.stored.finding.id));
    EXPECT_EQ(view.stored.finding.opened_at, before[0].stored.finding.opened_at);
    if (view.stored.finding.advisory_id != "CVE-2099-0001") continue;
    EXPECT_EQ(view.stored.finding.fix_status, FixStatus::will_not_fix);
  }
}

TEST_F(Images, WhatAScanNoLongerReportsIsResolved) {
  record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001"), flaw("CVE-2099-0002")})});
  const ImageId id = images()[0].image.id;
  const auto outcome = record(web, {image("app:1", first_digest, {flaw("CVE-2099-0002")})});
  EXPECT_EQ(outcome.vulnerabilities, 1);
  const auto all = findings(id, false);
  ASSERT_EQ(all.size(), 2U);
  for (const auto& view : all) {
    if (view.stored.finding.status == model::FindingStatus::open) continue;
    EXPECT_EQ(view.stored.finding.advisory_id, "CVE-2099-0001");
    EXPECT_EQ(view.stored.finding.resolution, "not_reported");
    EXPECT_EQ(view.stored.finding.resolved_at, fleet.now);
  }
}

TEST_F(Images, WhatDoesNotAffectIsNoOpenFinding) {
  const auto outcome =
      record(web, {image("app:1", first_digest,
                         {flaw("CVE-2099-0001", Severity::critical, FixStatus::not_affected)})});
  EXPECT_EQ(outcome.vulnerabilities, 0);
  const ImageId id = images()[0].image.id;
  EXPECT_TRUE(findings(id).empty());
  ASSERT_EQ(findings(id, false).size(), 1U);
  EXPECT_EQ(findings(id, false)[0].stored.finding.resolution, "not_affected");
}

TEST_F(Images, AScanThatAsksForGraveOnesOnlyLeavesTheOthers) {
  record(web, {image("app:1", first_digest,
                     {flaw("CVE-2099-0001"), flaw("CVE-2099-0002", Severity::low)})});
  record(db, {image("app:1", first_digest, {flaw("CVE-2099-0001")})});
  EXPECT_EQ(findings(images()[0].image.id).size(), 2U);
  record(web, {image("app:1", first_digest,
                     {flaw("CVE-2099-0001"), flaw("CVE-2099-0003", Severity::medium)})});
  EXPECT_EQ(findings(images()[0].image.id).size(), 2U) << "that one looked for all";
}

TEST_F(Images, AnImageWithoutADigestMayHaveChangedAltogether) {
  record(web, {image("app:1", "", {flaw("CVE-2099-0001"), flaw("CVE-2099-0002", Severity::low)})});
  record(web, {image("app:1", "", {flaw("CVE-2099-0003")})});
  const auto left = findings(images()[0].image.id);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].stored.finding.advisory_id, "CVE-2099-0003");
}

TEST_F(Images, AnOlderScanChangesNoFinding) {
  auto recent = image("app:1", first_digest, {flaw("CVE-2099-0001")});
  recent.scan->scanned_at = fleet.now;
  record(web, {recent});
  auto older = image("app:1", first_digest, {});
  older.scan->scanned_at = fleet.now + Duration(-60'000 * 60);
  record(db, {older});
  EXPECT_EQ(findings(images()[0].image.id).size(), 1U);
  EXPECT_EQ(images()[0].hosts, 2) << "that it has the image is true all the same";
}

TEST_F(Images, AScannersClockThatIsAheadSilencesNobody) {
  auto ahead = image("app:1", first_digest, {flaw("CVE-2099-0001")});
  ahead.scan->scanned_at = fleet.now + std::chrono::hours(1000);
  record(web, {ahead});
  record(web, {image("app:1", first_digest, {})});
  EXPECT_TRUE(findings(images()[0].image.id).empty());
}

TEST_F(Images, WhatACompleteScanDoesNotNameIsRetiredAndComesBack) {
  record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001")}),
               image("old:1", second_digest, {flaw("CVE-2099-0002")})});
  record(db, {image("old:1", second_digest, {flaw("CVE-2099-0002")})});
  const auto outcome = record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001")})});
  EXPECT_EQ(outcome.retired, 1);
  EXPECT_EQ(images().size(), 2U) << "another host has it";
  EXPECT_EQ(record(db, {}).retired, 1);
  ASSERT_EQ(images().size(), 1U);
  EXPECT_EQ(images()[0].references, std::vector<std::string>{"app:1"});
  ASSERT_EQ(images(true).size(), 2U);
  const auto gone = images(true)[0].hosts == 0 ? images(true)[0] : images(true)[1];
  EXPECT_EQ(gone.references, std::vector<std::string>{"old:1"}) << "by its last name";
  const auto finding = findings(gone.image.id).at(0).stored.finding;
  record(web, {image("old:1", second_digest, {flaw("CVE-2099-0002")})}, false);
  EXPECT_EQ(images().size(), 2U);
  EXPECT_EQ(findings(gone.image.id).at(0).stored.finding.id, finding.id);
}

TEST_F(Images, OneReportRetiresNothingButWhatItsNameMeantBefore) {
  record(web, {image("app:1", first_digest), image("other:1", "")});
  const auto outcome = record(web, {image("app:1", second_digest)}, false);
  EXPECT_EQ(outcome.retired, 1);
  ASSERT_EQ(images().size(), 2U);
  for (const auto& view : images()) EXPECT_NE(view.image.digest, first_digest);
}

TEST_F(Images, AnImageThatWasNotScannedKeepsWhatIsKnown) {
  record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001")})});
  const auto outcome = record(web, {{"app:1", std::nullopt}, {"new:1", std::nullopt}});
  EXPECT_EQ(outcome.processed, 2);
  EXPECT_EQ(outcome.updated, 1);
  EXPECT_EQ(outcome.created, 1);
  EXPECT_EQ(outcome.retired, 0);
  EXPECT_EQ(outcome.vulnerabilities, 1);
  ASSERT_EQ(images().size(), 2U);
  EXPECT_EQ(images()[0].image.scanned_at, std::nullopt) << "the new one says that it was not";
}

TEST_F(Images, WhatHasNeitherNameNorDigestIsSkipped) {
  const auto outcome = record(web, {{"", std::nullopt}, image("", ""), image("", first_digest)});
  EXPECT_EQ(outcome.skipped, 2);
  EXPECT_EQ(outcome.processed, 1);
}

TEST_F(Images, AHostThatWasDeletedMeanwhileGetsNone) {
  fleet->store
      .write([&](store::Tx& tx) {
        return delete_host(tx, fleet.inventory(), fleet->credentials, fleet.actor, TestFleet::org,
                           web, fleet.now);
      })
      .value();
  const auto outcome = try_record(web, {image("app:1", first_digest, {flaw("CVE-2099-0001")})});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::unknown_host);
  EXPECT_TRUE(images(true).empty());
}

TEST_F(Images, PagesGoOnWhereTheyEnded) {
  record(web, {image("app:1", first_digest,
                     {flaw("CVE-2099-0001"), flaw("CVE-2099-0002"), flaw("CVE-2099-0003")}),
               image("app:2", second_digest)});
  const auto first = list_image_page(fleet->store, {}, "", 1).value();
  ASSERT_EQ(first.images.size(), 1U);
  EXPECT_EQ(first.total.value, 2);
  const auto second = list_image_page(fleet->store, {}, first.next_cursor, 1).value();
  ASSERT_EQ(second.images.size(), 1U);
  EXPECT_LT(second.images[0].image.id, first.images[0].image.id);
  EXPECT_TRUE(second.next_cursor.empty());
  const ImageId id = second.images[0].image.id;
  const auto page_of = [&](const std::string& cursor) {
    return list_image_finding_page(fleet->store, fleet->catalogue, id, true, cursor, 2);
  };
  const auto some = page_of("").value();
  EXPECT_EQ(some.findings.size(), 2U);
  EXPECT_EQ(page_of(some.next_cursor).value().findings.size(), 1U);
  EXPECT_EQ(page_of("x").error().code, Errc::invalid_field);
  EXPECT_EQ(list_image_page(fleet->store, {}, "x", 1).error().code, Errc::invalid_field);
  EXPECT_EQ(show_image(fleet->store, ImageId{1}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace muster::fleet
