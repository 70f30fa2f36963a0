// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/trivy.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

using model::FixStatus;
using model::ImageScan;
using model::ImageVulnerability;
using model::Severity;
using version::test::read_file;
using version::test::shared_data;

std::vector<ImageScan> scans_of(std::string_view text) {
  JsonDocument document;
  return read_trivy(document.parse(text).value()).value();
}

ImageScan scan_of(std::string_view text) {
  auto scans = scans_of(text);
  EXPECT_EQ(scans.size(), 1U);
  return scans.at(0);
}

std::string fixture(const std::string& name) {
  return read_file(std::filesystem::path(MUSTER_SOURCE_DIR) / "src/feeds/trivy/fixtures" / name);
}

TEST(Trivy, ASchema2ReportIsOneImage) {
  const ImageScan scan = scan_of(fixture("image.json"));
  EXPECT_EQ(scan.kind, "container_image");
  EXPECT_EQ(scan.name, "registry.example:5000/team/app:2.0");
  EXPECT_EQ(scan.digest, "sha256:" + std::string(64, '1'));
  EXPECT_EQ(scan.tags, std::vector<std::string>{"registry.example:5000/team/app:2.0"});
  EXPECT_EQ(scan.repo_digests, std::vector<std::string>{"registry.example:5000/team/app@sha256:" +
                                                        std::string(64, '2')});
  EXPECT_EQ(scan.os, "debian 12.5");
  EXPECT_EQ(scan.arch, "amd64");
  EXPECT_EQ(scan.scanned_at, *parse_rfc3339("2099-01-02T03:04:05Z"));
  ASSERT_EQ(scan.vulnerabilities.size(), 3U);
  const ImageVulnerability& first = scan.vulnerabilities[0];
  EXPECT_EQ(first.type, "debian");
  EXPECT_EQ(first.package, "libexample1");
  EXPECT_EQ(first.id, "CVE-2099-0001");
  EXPECT_EQ(first.cve(), "CVE-2099-0001");
  EXPECT_EQ(first.severity, Severity::critical);
  EXPECT_EQ(first.status, FixStatus::fixed);
  EXPECT_EQ(first.title, "example: flaw");
  EXPECT_EQ(first.url, "https://example.org/CVE-2099-0001");
  EXPECT_EQ(first.source, "debian");
  ASSERT_EQ(first.places.size(), 1U);
  EXPECT_EQ(first.places[0].version, "1.0-1");
  EXPECT_EQ(first.places[0].fixed_version, "1.0-2");
}

TEST(Trivy, OneVulnerabilityInSeveralPlacesIsOne) {
  const ImageScan scan = scan_of(fixture("image.json"));
  const ImageVulnerability& jar = scan.vulnerabilities.at(2);
  EXPECT_EQ(jar.id, "GHSA-aaaa-bbbb-cccc");
  EXPECT_EQ(jar.cve(), std::nullopt);
  EXPECT_EQ(jar.severity, Severity::high) << "the worst of its places";
  ASSERT_EQ(jar.places.size(), 2U) << "the third is in another layer and otherwise the same";
  EXPECT_EQ(jar.places[0].path, "app/a.jar");
  EXPECT_EQ(jar.places[1].version, "1.1");
}

TEST(Trivy, EveryStatusIsKeptAndOldReportsSayItByTheVersion) {
  const auto status_of = [](const std::string& members) {
    const ImageScan scan = scan_of(R"([{"Target": "a", "Vulnerabilities": [{"PkgName": "a",
        "VulnerabilityID": "CVE-2099-0001")" +
                                   members + "}]}]");
    return scan.vulnerabilities.at(0).status;
  };
  EXPECT_EQ(status_of(R"(, "Status": "will_not_fix")"), FixStatus::will_not_fix);
  EXPECT_EQ(status_of(R"(, "Status": "not_affected", "FixedVersion": "1")"),
            FixStatus::not_affected);
  EXPECT_EQ(status_of(R"(, "Status": "of tomorrow")"), FixStatus::unknown);
  EXPECT_EQ(status_of(R"(, "FixedVersion": "1")"), FixStatus::fixed);
  EXPECT_EQ(status_of(""), FixStatus::affected);
}

TEST(Trivy, NullAndAbsentPartsAreEmpty) {
  for (const char* text :
       {"null", "[]", "[null]", R"([{"Target": "a", "Vulnerabilities": null}])",
        R"({"Results": null})", R"({"Results": []})", R"({"SchemaVersion": 2})",
        R"({"SchemaVersion": 2, "ArtifactName": null, "Metadata": null, "Results": [null, 1,
            {"Target": null, "Vulnerabilities": null}, {"Vulnerabilities": 1}]})"}) {
    const ImageScan scan = scan_of(text);
    EXPECT_TRUE(scan.vulnerabilities.empty()) << text;
    EXPECT_EQ(scan.skipped, 0) << text;
    EXPECT_EQ(scan.name, "") << text;
  }
}

TEST(Trivy, WhatDoesNotSayWhatItIsIsSkippedAndCounted) {
  const ImageScan scan = scan_of(R"([{"Target": "a", "Vulnerabilities": [
      {"PkgName": "a"}, {"VulnerabilityID": "CVE-2099-0001"}, null, 7,
      {"PkgName": 1, "VulnerabilityID": "CVE-2099-0001"},
      {"PkgName": "a", "VulnerabilityID": "CVE-2099-0001", "Title": 7, "Severity": "NEW",
       "DataSource": "x", "InstalledVersion": null}]}])");
  EXPECT_EQ(scan.skipped, 5);
  ASSERT_EQ(scan.vulnerabilities.size(), 1U);
  EXPECT_EQ(scan.vulnerabilities[0].severity, Severity::unknown);
  EXPECT_EQ(scan.vulnerabilities[0].title, "");
}

TEST(Trivy, AListIsNamedByItsSystemsTarget) {
  const ImageScan scan = scan_of(R"json([{"Target": "app/go.mod"},
      {"Target": "app:1 (beta) (debian 10.8)"}])json");
  EXPECT_EQ(scan.name, "app:1 (beta)");
  EXPECT_EQ(scan.os, "debian 10.8");
}

TEST(Trivy, AClusterHasAnImageForEachOfAResource) {
  const auto scans = scans_of(fixture("cluster.json"));
  ASSERT_EQ(scans.size(), 3U) << "and none for the service that has none";
  EXPECT_EQ(scans[0].name, "docker.io/redis:6.0.5");
  EXPECT_EQ(scans[0].os, "debian 10.4");
  EXPECT_EQ(scans[0].vulnerabilities.size(), 2U) << "with the files of the same image";
  EXPECT_EQ(scans[1].name, "ghcr.io/team/sidecar:1");
  EXPECT_EQ(scans[1].vulnerabilities.size(), 1U);
  EXPECT_EQ(scans[2].name, "ghcr.io/team/api:3");
  EXPECT_EQ(scans[2].digest, "sha256:" + std::string(64, '3'));
  EXPECT_EQ(scans[2].vulnerabilities.size(), 1U);
}

TEST(Trivy, JsonThatIsNoReportIsRefused) {
  JsonDocument document;
  for (const char* text : {"1", "\"a\"", "true", "{}", R"({"Results": {}})", R"({"bomFormat": 1})",
                           R"({"apiVersion": "v1", "kind": "List"})"}) {
    EXPECT_EQ(read_trivy(document.parse(text).value()).error().code, Errc::invalid_field) << text;
  }
}

TEST(Trivy, TextOfTheReportIsPrintableAndBounded) {
  const ImageScan scan = scan_of(R"([{"Vulnerabilities": [{"PkgName": "a\u0000b",
      "VulnerabilityID": "CVE-2099-0001", "Title": ")" +
                                 std::string(5000, 'x') + R"(\n"}]}])");
  EXPECT_EQ(scan.vulnerabilities.at(0).package, "a b");
  EXPECT_EQ(scan.vulnerabilities.at(0).title.size(), 300U);
}

struct Census {
  std::size_t reports = 0;
  std::size_t scans = 0;
  std::size_t vulnerabilities = 0;
  std::size_t places = 0;
  std::int64_t skipped = 0;
  std::size_t unnamed = 0;
};

Census census_of(const std::filesystem::path& folder) {
  Census census;
  JsonDocument document;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string text = read_file(file.path());
    const auto scans = read_trivy(document.parse(text).value());
    EXPECT_TRUE(scans.ok()) << file.path();
    if (!scans.ok()) continue;
    ++census.reports;
    for (const ImageScan& scan : *scans) {
      ++census.scans;
      census.vulnerabilities += scan.vulnerabilities.size();
      census.skipped += scan.skipped;
      census.unnamed += scan.name.empty() ? 1U : 0U;
      for (const auto& one : scan.vulnerabilities) census.places += one.places.size();
    }
  }
  return census;
}

// The figures were counted by another program.
TEST(Trivy, ReadsEveryReportOfTheScannersOwnTests) {
  const auto folder = shared_data(MUSTER_SOURCE_DIR, "trivy/reports");
  if (!folder) GTEST_SKIP() << "set MUSTER_DATA to a folder with real reports";
  const Census census = census_of(*folder);
  EXPECT_EQ(census.reports, 81U);
  EXPECT_EQ(census.scans, 81U);
  EXPECT_EQ(census.skipped, 0);
  EXPECT_EQ(census.unnamed, 0U);
  EXPECT_EQ(census.vulnerabilities, 120U);
  EXPECT_EQ(census.places, 125U);
}

TEST(Trivy, ReadsTheOddReportsThatUsersSent) {
  const auto folder = shared_data(MUSTER_SOURCE_DIR, "defectdojo/trivy");
  if (!folder) GTEST_SKIP() << "set MUSTER_DATA to a folder with real reports";
  const Census census = census_of(*folder);
  EXPECT_EQ(census.reports, 21U);
  EXPECT_EQ(census.skipped, 1) << "a package without a vulnerability";
}

TEST(Trivy, NoOtherReportPassesForOne) {
  const auto folder = shared_data(MUSTER_SOURCE_DIR, "trivy/reports-other");
  if (!folder) GTEST_SKIP() << "set MUSTER_DATA to a folder with real reports";
  JsonDocument document;
  for (const auto& file : std::filesystem::directory_iterator(*folder)) {
    const std::string text = read_file(file.path());
    EXPECT_FALSE(read_trivy(document.parse(text).value()).ok()) << file.path();
  }
}

}  // namespace
}  // namespace muster::feeds
