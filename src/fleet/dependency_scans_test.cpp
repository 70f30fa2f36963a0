// SPDX-License-Identifier: Apache-2.0
#include "fleet/dependency_scans.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

constexpr const char* advisory =
    R"({"id": "GHSA-aaaa-bbbb-cccc", "modified": "2024-01-01T00:00:00Z",
  "aliases": ["CVE-2099-0001"], "summary": "s", "database_specific": {"severity": "HIGH"},
  "affected": [{"package": {"ecosystem": "npm", "name": "lodash"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}]}]}]})";

class Scans : public testing::Test {
 protected:
  Scans() { fleet.import(feeds::FeedKind::osv, advisory).value(); }

  /// A file with lodash in these versions; the first is what the project asks for.
  static DependencyScan::File file(const std::string& path,
                                   const std::vector<std::string>& versions) {
    DependencyScan::File file;
    file.path = path;
    for (const std::string& version : versions) {
      PackageList::View view;
      view.name = "lodash";
      view.version = version;
      view.ecosystem = model::Ecosystem::npm;
      file.packages.add(view);
      file.direct.push_back(file.direct.empty());
    }
    return file;
  }
  Result<DependencyScanOutcome> scan(std::vector<DependencyScan::File> files, bool complete = true,
                                     const std::string& hostname = "shop") {
    DependencyScan scan;
    scan.org = TestFleet::org;
    scan.hostname = hostname;
    scan.files = std::move(files);
    scan.complete = complete;
    return fleet->store.write([&](store::Tx& tx) {
      return record_dependency_scan(tx, fleet.inventory(), scan, fleet.now);
    });
  }
  std::vector<std::string> stored(const std::string& hostname = "shop") {
    const HostView view = show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue,
                                    hostname, fleet.now)
                              .value();
    std::vector<std::string> rows;
    for (const store::HostLockfile& row : view.lockfiles) {
      rows.push_back(row.path + " " + std::to_string(row.package_count) + " " +
                     std::to_string(row.vulnerable));
    }
    return rows;
  }

  TestFleet fleet;
};

TEST_F(Scans, TellWhatIsVulnerableOnceOverAllFiles) {
  const auto outcome =
      scan({file("/a/yarn.lock", {"4.17.21", "4.17.20"}), file("/b/yarn.lock", {"4.17.20"})})
          .value();
  EXPECT_EQ(outcome.files, 2);
  EXPECT_EQ(outcome.packages, 2);
  EXPECT_EQ(outcome.direct, 2) << "4.17.20 is what the second project asks for";
  EXPECT_EQ(outcome.vulnerabilities, 1);
  ASSERT_EQ(outcome.vulnerable.size(), 1U);
  EXPECT_EQ(outcome.vulnerable[0].package.version, "4.17.20");
  EXPECT_TRUE(outcome.vulnerable[0].direct);
  EXPECT_EQ(outcome.vulnerable[0].hits[0].cve, "CVE-2099-0001");
  EXPECT_EQ(stored(), (std::vector<std::string>{"/a/yarn.lock 2 1", "/b/yarn.lock 1 1"}));
}

TEST_F(Scans, CompleteOnesReplaceAndOthersAdd) {
  scan({file("/a", {"1"}), file("/b", {"1"})}).value();
  scan({file("/a", {"2", "3"}), file("/c", {"1"})}, false).value();
  EXPECT_EQ(stored(), (std::vector<std::string>{"/a 2 2", "/b 1 1", "/c 1 1"}));
  scan({file("/c", {"1"})}).value();
  EXPECT_EQ(stored(), (std::vector<std::string>{"/c 1 1"}));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1) << "no set outlives its rows";
}

TEST_F(Scans, AreNoSoftwareAndNoFindingsOfTheHost) {
  const HostId host = fleet.report(TestFleet::report_of("web-1"))->host;
  EXPECT_EQ(scan({file("/a", {"4.17.20"})}, true, "web-1")->host, host);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM findings"), 0);
  EXPECT_EQ(fleet.count("SELECT package_count FROM hosts"), 0);
}

TEST_F(Scans, RegisterAnUnknownHostByItsNameAlone) {
  const HostId host = scan({file("/a", {"1"})})->host;
  EXPECT_EQ(scan({file("/a", {"1"})})->host, host);
  EXPECT_EQ(fleet->directory.find(TestFleet::org, "", "shop")->id, host);
  EXPECT_EQ(scan({file("/a", {"1"})}, true, "").error().code, Errc::missing_field);
}

TEST_F(Scans, KeepTheNewestFilesWithinTheLimit) {
  std::vector<DependencyScan::File> files;
  for (std::size_t i = 0; i < limits::host_lockfiles; ++i) {
    files.push_back(file("/old/" + std::to_string(i), {"1"}));
  }
  scan(std::move(files)).value();
  fleet.now = fleet.now + Duration(1);
  scan({file("/new", {"1"})}, false).value();
  const auto rows = stored();
  EXPECT_EQ(rows.size(), limits::host_lockfiles);
  EXPECT_EQ(rows.front(), "/new 1 1");
}

}  // namespace
}  // namespace muster::fleet
