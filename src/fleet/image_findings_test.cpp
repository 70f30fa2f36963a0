// SPDX-License-Identifier: Apache-2.0
#include "fleet/image_findings.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"
#include "fleet/images.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using model::FixStatus;
using model::ImageScan;
using model::ImageVulnerability;
using model::Package;
using model::Severity;

std::string digest_of(char digit) {
  return "sha256:" + std::string(64, digit);
}

ImageVulnerability said(const std::string& type, const std::string& package, const std::string& id,
                        Severity severity = Severity::critical) {
  ImageVulnerability one;
  one.type = type;
  one.package = package;
  one.id = id;
  one.severity = severity;
  one.status = FixStatus::fixed;
  one.title = "as the scanner says";
  one.places = {{"target", "", "1.0.0", "9"}};
  return one;
}

Package npm_package(const std::string& name, const std::string& version) {
  Package package;
  package.name = name;
  package.version = version;
  package.ecosystem = model::Ecosystem::npm;
  return package;
}

/// A flaw of an npm package before 2.0.0 under two names.
std::string osv(const std::string& name, const std::string& id, const std::string& cve) {
  return R"({"id": ")" + id + R"(", "aliases": [")" + cve + R"("], "summary": "as OSV says",
    "database_specific": {"severity": "HIGH"}, "affected": [{"package": {"ecosystem": "npm",
    "name": ")" +
         name + R"("}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"},
    {"fixed": "2.0.0"}]}]}]})";
}

/// A host, and what is said of its images.
class ImageFindings : public testing::Test {
 protected:
  ImageFindings() { host = fleet.report(TestFleet::report_of("docker-1", {})).value().host; }

  static ImageScan scan(char digit, std::optional<std::vector<Package>> packages,
                        std::vector<ImageVulnerability> found = {}) {
    ImageScan made;
    made.kind = "container_image";
    made.digest = digest_of(digit);
    made.packages = std::move(packages);
    made.vulnerabilities = std::move(found);
    return made;
  }
  static ImageScan bill(char digit, std::vector<Package> packages) {
    ImageScan made = scan(digit, std::move(packages));
    made.judged = false;
    return made;
  }
  void record(const ImageScan& scan) {
    fleet.now = fleet.now + std::chrono::minutes(1);
    const ContainerScan whole{TestFleet::org, host, {{"app:" + scan.digest.substr(7, 1), scan}}};
    fleet->store.write([&](store::Tx& tx) {
      record_container_scan(tx, fleet->ids, *fleet->catalogue.current(), fleet->packages, whole,
                            fleet.now)
          .value();
    });
  }
  void import(feeds::FeedKind kind, const std::string& text) {
    fleet.now = fleet.now + std::chrono::minutes(1);
    ASSERT_TRUE(fleet.import(kind, text).ok());
  }

  static std::vector<store::ImageFinding> rows(TestFleet& of, bool open_only = true) {
    std::vector<store::ImageFinding> found;
    store::ImageFilter all;
    all.retired = true;
    const ImagePage page = list_image_page(of->store, all, "", 100).value();
    for (const store::ImageView& view : page.images) {
      ImageFindingPage findings =
          list_image_finding_page(of->store, of->catalogue, view.image.id, open_only, "", 1000)
              .value();
      for (auto& finding : findings.findings) found.push_back(std::move(finding.stored.finding));
    }
    return found;
  }
  std::vector<store::ImageFinding> rows(bool open_only = true) { return rows(fleet, open_only); }

  TestFleet fleet;
  HostId host;
};

TEST_F(ImageFindings, ANewAdvisoryIsFoundInAnImageWithoutAScan) {
  record(bill('1', {debian_package("tar", "1"), npm_package("a", "1.0.0")}));
  EXPECT_TRUE(rows().empty());
  import(feeds::FeedKind::debian, feed({{ "tar", "2" }}));
  ASSERT_EQ(rows().size(), 1U);
  const store::ImageFinding found = rows()[0];
  EXPECT_EQ(found.type, "deb");
  EXPECT_EQ(found.package, "tar");
  EXPECT_EQ(found.cve, "CVE-2099-0001");
  EXPECT_EQ(found.fix_status, FixStatus::fixed);
  EXPECT_EQ(found.fixed_version, "2");
  EXPECT_FALSE(found.reported);
  EXPECT_NE(found.matches.find("\"feed\": \"debian\""), std::string::npos) << found.matches;
  import(feeds::FeedKind::debian, feed({{ "tar", "1" }}));
  EXPECT_TRUE(rows().empty());
  ASSERT_EQ(rows(false).size(), 1U);
  EXPECT_EQ(rows(false)[0].resolution, "not_affected");
  import(feeds::FeedKind::debian, feed({{ "tar", "2" }}));
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].id, found.id) << "the same flaw, again";
}

TEST_F(ImageFindings, WhatBothSayOfOneFlawIsOneFinding) {
  import(feeds::FeedKind::debian, feed({{ "tar", "2" }}));
  record(scan('1', {{debian_package("tar", "1.0.0")}}, {said("debian", "tar", "CVE-2099-0001")}));
  ASSERT_EQ(rows().size(), 1U);
  const store::ImageFinding both = rows()[0];
  EXPECT_TRUE(both.reported);
  EXPECT_NE(both.matches, "[]");
  EXPECT_EQ(both.fixed_version, "9") << "the scanner's word is shown as it is";
  record(scan('1', {{debian_package("tar", "1.0.0")}},
              {said("debian", "tar", "CVE-2099-0002", Severity::low)}));
  for (const store::ImageFinding& row : rows()) {
    if (row.cve != "CVE-2099-0001") continue;
    EXPECT_EQ(row.id, both.id) << "our feeds still say so";
    EXPECT_FALSE(row.reported);
    EXPECT_EQ(row.fixed_version, "2");
  }
  EXPECT_EQ(rows().size(), 2U);
  import(feeds::FeedKind::debian, feed({{ "other", "1" }}));
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].cve, "CVE-2099-0002") << "the scanner still says so";
}

TEST_F(ImageFindings, AnAliasIsTheSameFlaw) {
  record(bill('1', {npm_package("a", "1.0.0")}));
  import(feeds::FeedKind::osv, osv("a", "GHSA-aaaa-bbbb-cccc", "CVE-2099-0005"));
  ASSERT_EQ(rows().size(), 1U);
  const store::ImageFinding own = rows()[0];
  EXPECT_EQ(own.advisory_id, "CVE-2099-0005");
  record(scan('1', std::nullopt, {said("node-pkg", "a", "GHSA-aaaa-bbbb-cccc")}));
  ASSERT_EQ(rows().size(), 1U) << "under its other name";
  EXPECT_EQ(rows()[0].id, own.id);
  EXPECT_EQ(rows()[0].type, "node-pkg");
  EXPECT_EQ(rows()[0].advisory_id, "GHSA-aaaa-bbbb-cccc");
  EXPECT_EQ(rows()[0].cve, "CVE-2099-0005") << "which only our feeds know";
  EXPECT_TRUE(rows()[0].reported);
  record(scan('1', std::nullopt, {said("node-pkg", "b", "CVE-2099-0009", Severity::low)}));
  ASSERT_EQ(rows().size(), 2U);
  const auto left = rows();
  EXPECT_TRUE(std::any_of(left.begin(), left.end(), [&](const auto& row) {
    return row.id == own.id && row.advisory_id == "CVE-2099-0005" && !row.reported;
  }));
}

TEST_F(ImageFindings, ABillOfMaterialsAloneResolvesNothingThatAScannerSaid) {
  record(scan('1', std::nullopt, {said("debian", "tar", "CVE-2099-0007", Severity::low)}));
  record(bill('1', {debian_package("tar", "1")}));
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_TRUE(rows()[0].reported);
}

TEST_F(ImageFindings, AScanThatListsNoPackagesLeavesThoseOfADigest) {
  record(bill('1', {debian_package("tar", "1")}));
  record(scan('1', std::nullopt));
  import(feeds::FeedKind::debian, feed({{ "tar", "2" }}));
  EXPECT_EQ(rows().size(), 1U);
  auto nameless = bill('2', {debian_package("tar", "1")});
  nameless.digest = "";
  const auto record_named = [&](const ImageScan& one) {
    const ContainerScan whole{TestFleet::org, host, {{"app:latest", one}}};
    fleet.now = fleet.now + std::chrono::minutes(1);
    fleet->store.write([&](store::Tx& tx) {
      record_container_scan(tx, fleet->ids, *fleet->catalogue.current(), fleet->packages, whole,
                            fleet.now)
          .value();
    });
  };
  record_named(nameless);
  EXPECT_EQ(rows().size(), 2U);
  nameless.packages.reset();
  nameless.judged = true;
  record_named(nameless);
  EXPECT_EQ(rows().size(), 1U) << "a name may mean another image by now";
}

TEST_F(ImageFindings, OnlyWhatDistributionsAndRegistriesKnowIsLookedUp) {
  Package program;
  program.name = "7zip";
  program.version = "22.01";
  program.cpe = "cpe:2.3:a:7-zip:7-zip:22.01:*:*:*:*:*:*:*";
  Package library = npm_package("a", "1.0.0");
  library.cpe = program.cpe;
  std::int64_t unidentified = 0;
  const auto identified = identified_packages({program, library}, unidentified);
  EXPECT_EQ(unidentified, 1);
  ASSERT_EQ(identified.size(), 1U);
  EXPECT_EQ(identified[0].cpe, "");
  record(bill('1', {program, library}));
  const auto image = list_image_page(fleet->store, {}, "", 1).value().images.at(0).image;
  EXPECT_EQ(image.package_count, 1);
  EXPECT_EQ(image.unidentified_count, 1);
}

TEST_F(ImageFindings, ImagesWithTheSamePackagesShareOneSet) {
  record(bill('1', {debian_package("tar", "1")}));
  record(bill('2', {debian_package("tar", "1")}));
  const auto sets = [&] {
    return fleet.count("SELECT count(*) FROM package_sets") - 1;  // and the host's, which is empty
  };
  EXPECT_EQ(sets(), 1);
  record(bill('1', {debian_package("tar", "2")}));
  record(bill('1', {debian_package("tar", "2")}));
  EXPECT_EQ(sets(), 2);
  record(bill('2', {debian_package("tar", "2")}));
  EXPECT_EQ(sets(), 1) << "nobody needs the first";
}

/// All of a finding but its id and its moments, which tell when it came.
std::set<std::string> told(const std::vector<store::ImageFinding>& rows) {
  std::set<std::string> all;
  for (const store::ImageFinding& row : rows) {
    all.insert(row.type + " " + row.package + " " + row.advisory_id + " " + row.cve.value_or("-") +
               " " + row.version + " " + row.fixed_version + " " +
               std::string(model::severity_name(row.severity)) + " " +
               std::string(model::fix_status_name(row.fix_status)) +
               (row.reported ? " reported " : " ") + row.details + row.matches);
  }
  return all;
}

std::uint64_t draw(Rng& rng, std::uint64_t count) {
  return rng.next_u64() % count;
}

/// What happens to images, by lot: scans of two, and imports of two feeds.
struct Happening {
  static std::vector<Package> packages(Rng& rng) {
    std::vector<Package> some;
    for (const char* name : {"tar", "bash", "curl"}) {
      if (draw(rng, 3) > 0) some.push_back(debian_package(name, std::to_string(draw(rng, 3))));
    }
    for (const char* name : {"a", "b"}) {
      if (draw(rng, 3) > 0)
        some.push_back(npm_package(name, std::to_string(draw(rng, 4)) + ".0.0"));
    }
    return some;
  }
  static std::vector<ImageVulnerability> words(Rng& rng) {
    // One that is not grave: the scanner was asked for all.
    std::vector<ImageVulnerability> some = {said("debian", "zlib", "CVE-2099-0009", Severity::low)};
    for (const char* name : {"bash", "tar"}) {
      if (draw(rng, 2) > 0) some.push_back(said("debian", name, "CVE-2099-0001"));
    }
    if (draw(rng, 2) > 0) some.push_back(said("jar", "a", "CVE-2099-0005"));
    if (draw(rng, 2) > 0) some.push_back(said("node-pkg", "a", "GHSA-aaaa-bbbb-cccc"));
    if (draw(rng, 2) > 0) some.push_back(said("npm", "b", "CVE-2099-0006"));
    for (ImageVulnerability& one : some) {
      if (draw(rng, 4) == 0) one.status = FixStatus::not_affected;
    }
    std::sort(some.begin(), some.end());
    return some;
  }
  static std::string debian(Rng& rng) {
    std::map<std::string, std::string> fixed = {{"other", "1"}};
    for (const char* name : {"tar", "bash", "curl"}) {
      if (draw(rng, 2) > 0) fixed[name] = draw(rng, 3) == 0 ? "" : std::to_string(draw(rng, 3));
    }
    return feed(fixed);
  }
  static std::string registry(Rng& rng) {
    std::string text;
    if (draw(rng, 2) > 0) text += osv("a", "GHSA-aaaa-bbbb-cccc", "CVE-2099-0005") + "\n";
    if (draw(rng, 2) > 0) text += osv("b", "GHSA-dddd-eeee-ffff", "CVE-2099-0006") + "\n";
    return text.empty() ? osv("z", "GHSA-zzzz-zzzz-zzzz", "CVE-2099-0008") : text;
  }
};

TEST_F(ImageFindings, WhatIsFoundLaterIsWhatAScanWouldHaveFound) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    TestFleet lived(seed);
    SeededRng rng(seed);
    const HostId here = lived.report(TestFleet::report_of("docker-1", {})).value().host;
    std::map<int, ImageScan> last_scans;
    std::map<feeds::FeedKind, std::string> last_feeds;
    const auto scan_in = [](TestFleet& of, HostId on, const ImageScan& one) {
      of.now = of.now + std::chrono::minutes(1);
      const ContainerScan whole{TestFleet::org, on, {{"app:" + one.digest.substr(7, 1), one}}};
      of->store.write([&](store::Tx& tx) {
        record_container_scan(tx, of->ids, *of->catalogue.current(), of->packages, whole, of.now)
            .value();
      });
    };
    for (int step = 0; step < 12; ++step) {
      const auto kind = static_cast<int>(draw(rng, 4));
      if (kind < 2) {
        ImageScan one =
            scan(kind == 0 ? '1' : '2', Happening::packages(rng), Happening::words(rng));
        scan_in(lived, here, one);
        last_scans[kind] = std::move(one);
      } else {
        const bool debian = kind == 2;
        const auto feed_kind = debian ? feeds::FeedKind::debian : feeds::FeedKind::osv;
        last_feeds[feed_kind] = debian ? Happening::debian(rng) : Happening::registry(rng);
        ASSERT_TRUE(lived.import(feed_kind, last_feeds[feed_kind]).ok());
      }
    }
    TestFleet fresh(seed);
    const HostId there = fresh.report(TestFleet::report_of("docker-1", {})).value().host;
    for (const auto& [kind, text] : last_feeds) ASSERT_TRUE(fresh.import(kind, text).ok());
    for (const auto& [kind, one] : last_scans) scan_in(fresh, there, one);
    EXPECT_EQ(told(rows(lived)), told(rows(fresh))) << "seed " << seed;
  }
}

}  // namespace
}  // namespace muster::fleet
