// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/trivy.h"
#include "base/testing.h"

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

std::vector<ImageScan> scans_of(std::string_view text) {
  auto scans = read_trivy(text);
  EXPECT_TRUE(scans.ok()) << scans.error().message;
  return std::move(scans).value();
}

ImageScan scan_of(std::string_view text) {
  auto scans = scans_of(text);
  EXPECT_EQ(scans.size(), 1U);
  return scans.at(0);
}

std::string refusal_of(std::string_view text) {
  const auto scans = read_trivy(text);
  if (scans.ok()) return "none";
  EXPECT_EQ(scans.error().code, Errc::invalid_field) << text;
  return scans.error().message;
}

std::string fixture(const std::string& name) {
  return read_file(source_directory() / "src/feeds/trivy/fixtures" / name);
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

TEST(Trivy, AResourcesImagesAreToldApartByTheirMetadata) {
  const auto scans = scans_of(R"json({"ClusterName": "c", "Findings": [{"Namespace": "default",
      "Kind": "Deployment", "Name": "web", "Metadata": [
        {"ImageID": "sha256:bad", "RepoTags": ["web:1"], "OS": {"Family": "debian", "Name": "12.5"}},
        {"RepoTags": ["side:2"]}, {"RepoTags": ["clean:3"]}, {}], "Results": [
      {"Target": "web:1 (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2099-0001", "PkgName": "a"}]},
      {"Target": "app/a.jar", "Class": "lang-pkgs", "Type": "jar", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2099-0002", "PkgName": "g:b"}]},
      {"Target": "side:2 (alpine 3.19)", "Class": "os-pkgs", "Type": "alpine"}]}]})json");
  ASSERT_EQ(scans.size(), 3U);
  EXPECT_EQ(scans[0].name, "web:1");
  EXPECT_EQ(scans[0].vulnerabilities.size(), 2U);
  EXPECT_EQ(scans[1].name, "side:2");
  EXPECT_EQ(scans[2].name, "clean:3") << "nothing was found in it, and that is known";
}

TEST(Trivy, WhatAResourceHasOfNoImageIsKeptUnderItsName) {
  const auto scans = scans_of(R"({"ClusterName": "c", "Resources": [{"Namespace": "kube-system",
      "Kind": "ControlPlaneComponents", "Name": "k8s.io/apiserver", "Results": [{"Target": "x",
      "Class": "lang-pkgs", "Type": "kubernetes", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2099-0001", "PkgName": "k8s.io/apiserver"}]}]}]})");
  ASSERT_EQ(scans.size(), 1U);
  EXPECT_EQ(scans[0].kind, "kubernetes");
  EXPECT_EQ(scans[0].name, "kube-system/ControlPlaneComponents/k8s.io/apiserver");
}

constexpr const char* vulnerability_report = R"({"apiVersion": "aquasecurity.github.io/v1alpha1",
    "kind": "VulnerabilityReport", "metadata": {}, "report": {"updateTimestamp":
    "2099-01-02T03:04:05Z", "registry": {"server": "index.docker.io"}, "artifact": {
    "repository": "library/app", "tag": "1", "digest":
    "sha256:1111111111111111111111111111111111111111111111111111111111111111"},
    "os": {"family": "debian", "name": "12.5"}, "vulnerabilities": [
    {"vulnerabilityID": "CVE-2099-0001", "resource": "libexample1", "installedVersion": "1",
     "fixedVersion": "2", "severity": "HIGH", "class": "os-pkgs", "primaryLink": "https://a"},
    {"vulnerabilityID": "CVE-2099-0002", "resource": "g:a", "packageType": "jar",
     "pkgPath": "a.jar"}, {"resource": "x"}, 7]}})";

TEST(Trivy, WhatItsOperatorWritesIsAScanOfOneImage) {
  const ImageScan scan = scan_of(vulnerability_report);
  EXPECT_EQ(scan.name, "index.docker.io/library/app:1");
  EXPECT_EQ(scan.digest, "sha256:" + std::string(64, '1')) << "of the image, as it has a tag";
  EXPECT_EQ(scan.os, "debian 12.5");
  EXPECT_EQ(scan.scanned_at, *parse_rfc3339("2099-01-02T03:04:05Z"));
  EXPECT_EQ(scan.skipped, 2);
  ASSERT_EQ(scan.vulnerabilities.size(), 2U);
  EXPECT_EQ(scan.vulnerabilities[0].type, "debian");
  EXPECT_EQ(scan.vulnerabilities[0].status, FixStatus::fixed);
  EXPECT_EQ(scan.vulnerabilities[1].type, "jar");
  EXPECT_EQ(scan.vulnerabilities[1].places.at(0).path, "a.jar");
}

TEST(Trivy, AListOfResourcesHasTheScansOfThoseThatTell) {
  const std::string report = vulnerability_report;
  const std::string other = R"({"apiVersion": "a", "kind": "ConfigAuditReport", "report": {}})";
  for (const std::string& text :
       {"[" + other + ", " + report + "]",
        R"({"apiVersion": "v1", "kind": "List", "items": [)" + report + ", " + other + "]}",
        R"({"configauditreports.aquasecurity.github.io": [)" + other +
            R"(], "vulnerabilityreports.aquasecurity.github.io": [)" + report + "]}"}) {
    EXPECT_EQ(scan_of(text).vulnerabilities.size(), 2U) << text;
  }
  EXPECT_NE(refusal_of("[" + other + "]").find("ConfigAuditReport"), std::string::npos);
}

TEST(Trivy, ASbomReportListsWhatAnImageHas) {
  const ImageScan scan = scan_of(R"({"apiVersion": "a", "kind": "SbomReport", "report": {
      "artifact": {"repository": "app", "tag": "1"}, "components": {"bomFormat": "CycloneDX",
      "components": [{"type": "library", "name": "a", "purl": "pkg:npm/a@1"}]}}})");
  EXPECT_EQ(scan.name, "app:1");
  EXPECT_FALSE(scan.judged);
  ASSERT_EQ(scan.packages->size(), 1U);
}

TEST(Trivy, PackagesHaveTheirSourceAndTheReleaseOfTheirSystem) {
  const ImageScan scan = scan_of(R"({"SchemaVersion": 2, "Metadata": {"OS": {"Family": "debian",
      "Name": "12.5"}}, "Results": [{"Class": "os-pkgs", "Type": "debian", "Packages": [
      {"Name": "libssl3", "Version": "3.0.11", "Release": "1~deb12u2", "Epoch": 1, "Arch": "amd64",
       "SrcName": "openssl", "SrcVersion": "3.0.11", "SrcRelease": "1~deb12u2", "SrcEpoch": 2},
      {"Version": "1"}, null]}, {"Class": "lang-pkgs", "Type": "node-pkg", "Packages": [
      {"Name": "@a/b", "Version": "1.0.0"}]}, {"Type": "of tomorrow", "Packages": [
      {"Name": "x", "Version": "1", "Identifier": {"PURL": "pkg:npm/x@1"}},
      {"Name": "y", "Version": "1"}]}]})");
  ASSERT_TRUE(scan.packages);
  ASSERT_EQ(scan.packages->size(), 4U);
  const model::Package& npm = scan.packages->at(0);
  EXPECT_EQ(npm.name, "@a/b");
  EXPECT_EQ(npm.ecosystem, model::Ecosystem::npm);
  EXPECT_EQ(npm.distro, "");
  const model::Package& ssl = scan.packages->at(1);
  EXPECT_EQ(ssl.version, "1:3.0.11-1~deb12u2");
  EXPECT_EQ(ssl.distro, "debian:12");
  EXPECT_EQ(ssl.source_name, "openssl");
  EXPECT_EQ(ssl.source_version, "2:3.0.11-1~deb12u2");
  EXPECT_EQ(scan.packages->at(2).ecosystem, model::Ecosystem::npm) << "by its package URL";
  EXPECT_EQ(scan.packages->at(3).ecosystem, model::Ecosystem::unknown);
  EXPECT_FALSE(scan_of(R"({"Results": [{"Target": "a", "Packages": null}]})").packages);
}

TEST(Trivy, JsonThatIsNoReportIsRefused) {
  for (const char* text : {"1", "\"a\"", "true", "{}", R"({"Results": {}})", R"({"bomFormat": 1})",
                           R"({"apiVersion": "v1", "kind": "List", "items": []})"}) {
    EXPECT_NE(refusal_of(text), "none") << text;
  }
}

TEST(Trivy, ARefusalSaysWhatItIsInstead) {
  EXPECT_NE(refusal_of(R"({"apiVersion": "x/v1", "kind": "ConfigAuditReport", "report": {}})")
                .find("it is a resource of kind ConfigAuditReport"),
            std::string::npos);
  EXPECT_NE(refusal_of(R"({"matches": [], "source": {}, "descriptor": {}})").find("Grype"),
            std::string::npos);
  EXPECT_NE(refusal_of(R"({"results": [], "experimental_config": {}})").find("OSV-Scanner"),
            std::string::npos);
}

TEST(Trivy, WhatIsNoJsonIsRefusedWhereverItStands) {
  for (const char* text :
       {"", "{", "[", "{]", R"({"Results": [}]})", R"({"Results": [{"Vulnerabilities": [{]}]})",
        R"({"Results": [], "SchemaVersion": two})", R"({"Results": [{"Vulnerabilities": [nul]}]})",
        R"({"ClusterName": x})", R"([{"Target": "a"}, tru])", R"({"Results": [{"Class": x}]})"}) {
    const auto scans = read_trivy(text);
    ASSERT_FALSE(scans.ok()) << text;
    EXPECT_EQ(scans.error().code, Errc::invalid_json) << text;
  }
}

TEST(Trivy, TextOfTheReportIsPrintableAndBounded) {
  const ImageScan scan = scan_of(R"([{"Vulnerabilities": [{"PkgName": "a\u0000b",
      "VulnerabilityID": "CVE-2099-0001", "Title": ")" +
                                 std::string(5000, 'x') + R"(\n"}]}])");
  EXPECT_EQ(scan.vulnerabilities.at(0).package, "a b");
  EXPECT_EQ(scan.vulnerabilities.at(0).title.size(), 300U);
}

}  // namespace
}  // namespace muster::feeds
