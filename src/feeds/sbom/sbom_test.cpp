// SPDX-License-Identifier: Apache-2.0
#include "feeds/sbom/sbom.h"

#include <gtest/gtest.h>

namespace muster::feeds {
namespace {

using model::Ecosystem;
using model::ImageScan;

ImageScan read(std::string_view text) {
  auto scan = read_sbom(text);
  EXPECT_TRUE(scan.ok()) << scan.error().message;
  return std::move(scan).value();
}

TEST(CycloneDx, IsAScanThatListsPackagesAndJudgesNone) {
  const ImageScan scan = read(R"({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {
      "timestamp": "2099-01-02T03:04:05Z", "component": {"type": "container", "name": "app:1",
      "properties": [{"name": "aquasecurity:trivy:ImageID", "value":
      "sha256:1111111111111111111111111111111111111111111111111111111111111111"},
      {"name": "aquasecurity:trivy:RepoTag", "value": "app:1"}]}}, "components": [
      {"type": "operating-system", "name": "debian", "version": "12.5"},
      {"type": "library", "name": "libssl3", "version": "3.0.11-1~deb12u2",
       "purl": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64", "properties": [
       {"name": "aquasecurity:trivy:SrcName", "value": "openssl"},
       {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.11"},
       {"name": "aquasecurity:trivy:SrcRelease", "value": "1~deb12u2"},
       {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"}]},
      {"type": "application", "name": "Gemfile.lock", "components": [
       {"type": "library", "name": "a", "version": "1", "purl": "pkg:gem/a@1"}]},
      {"type": "file", "name": "/etc/passwd"}, {"type": "library"}, 7], "vulnerabilities": []})");
  EXPECT_EQ(scan.kind, "container_image");
  EXPECT_EQ(scan.name, "app:1");
  EXPECT_EQ(scan.digest, "sha256:" + std::string(64, '1'));
  EXPECT_EQ(scan.os, "debian 12.5");
  EXPECT_EQ(scan.scanned_at, *parse_rfc3339("2099-01-02T03:04:05Z"));
  EXPECT_FALSE(scan.judged);
  ASSERT_EQ(scan.packages->size(), 2U);
  EXPECT_EQ(scan.packages->at(0).ecosystem, Ecosystem::gem);
  const model::Package& ssl = scan.packages->at(1);
  EXPECT_EQ(ssl.distro, "debian:12") << "of the system, as its URL does not say it";
  EXPECT_EQ(ssl.source_name, "openssl");
  EXPECT_EQ(ssl.source_version, "1:3.0.11-1~deb12u2");
}

TEST(CycloneDx, WhatItSaysIsVulnerableIsAJudgement) {
  const ImageScan scan = read(R"({"bomFormat": "CycloneDX", "vulnerabilities": [
      {"id": "CVE-2099-0001", "source": {"name": "ghsa"}, "description": "flaw", "ratings": [
       {"source": {"name": "nvd"}, "severity": "critical"},
       {"source": {"name": "ghsa"}, "severity": "medium"}],
       "recommendation": "Upgrade b to version 9; Upgrade g:a to version 2.0",
       "advisories": [{"url": "https://a"}], "affects": [{"ref": "r1"}, {"ref": "r2"}]},
      {"id": "CVE-2099-0002", "analysis": {"state": "not_affected"}, "ratings": [
       {"severity": "low"}, {"severity": "high"}], "affects": [{"ref": "r1"}]},
      {"id": "CVE-2099-0003", "affects": [{"ref": "unknown"}]}, 7],
      "components": [{"bom-ref": "r1", "type": "library", "name": "a", "version": "1",
       "purl": "pkg:maven/g/a@1", "properties": [
        {"name": "aquasecurity:trivy:PkgType", "value": "jar"},
        {"name": "aquasecurity:trivy:FilePath", "value": "a.jar"}]}]})");
  EXPECT_TRUE(scan.judged);
  EXPECT_EQ(scan.skipped, 2) << "those that are of nothing in the bill";
  ASSERT_EQ(scan.vulnerabilities.size(), 2U);
  const auto& first = scan.vulnerabilities[0];
  EXPECT_EQ(first.type, "jar");
  EXPECT_EQ(first.package, "g:a");
  EXPECT_EQ(first.severity, model::Severity::medium) << "as the source says";
  EXPECT_EQ(first.status, model::FixStatus::fixed);
  EXPECT_EQ(first.url, "https://a");
  EXPECT_EQ(first.places.at(0).version, "1");
  EXPECT_EQ(first.places.at(0).fixed_version, "2.0");
  EXPECT_EQ(first.places.at(0).path, "a.jar");
  EXPECT_EQ(scan.vulnerabilities[1].status, model::FixStatus::not_affected);
  EXPECT_EQ(scan.vulnerabilities[1].severity, model::Severity::high) << "the gravest";
}

TEST(Spdx, ListsPackagesWithTheirSources) {
  const ImageScan scan = read(R"({"spdxVersion": "SPDX-2.3", "name": "app:1",
      "creationInfo": {"created": "2099-01-02T03:04:05Z"}, "packages": [
      {"name": "app:1", "primaryPackagePurpose": "CONTAINER", "annotations": [{"comment":
       "ImageID: sha256:1111111111111111111111111111111111111111111111111111111111111111"}],
       "attributionTexts": ["RepoTag: app:1"]},
      {"name": "debian", "versionInfo": "12.5", "primaryPackagePurpose": "OPERATING-SYSTEM"},
      {"name": "Gemfile.lock", "primaryPackagePurpose": "APPLICATION"},
      {"name": "libssl3", "versionInfo": "3.0.11-1", "sourceInfo":
       "built package from: openssl 3.0.11-1", "externalRefs": [{"referenceType": "purl",
       "referenceLocator": "pkg:deb/debian/libssl3@3.0.11-1"}]},
      {"name": "7zip", "versionInfo": "22.01", "supplier": "Organization: Igor Pavlov",
       "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": "cpe:/a:7-zip:7-zip"}]},
      7]})");
  EXPECT_EQ(scan.kind, "container_image");
  EXPECT_EQ(scan.digest, "sha256:" + std::string(64, '1'));
  EXPECT_EQ(scan.tags, std::vector<std::string>{"app:1"});
  EXPECT_EQ(scan.os, "debian 12.5");
  EXPECT_FALSE(scan.judged);
  ASSERT_EQ(scan.packages->size(), 2U);
  EXPECT_EQ(scan.packages->at(0).vendor, "Igor Pavlov");
  EXPECT_EQ(scan.packages->at(0).cpe, "cpe:/a:7-zip:7-zip");
  EXPECT_EQ(scan.packages->at(1).distro, "debian:12");
  EXPECT_EQ(scan.packages->at(1).source_name, "openssl");
  EXPECT_EQ(scan.packages->at(1).source_version, "3.0.11-1");
}

TEST(Sbom, HiddenControlCharactersAreSpaces) {
  const ImageScan scan = read(R"({"bomFormat": "CycloneDX", "components": [{"type": "library",
      "purl": "pkg:deb/debian/a%1Fb@1%0A?arch=%1F&distro=a%1F"}]})");
  const model::Package& package = scan.packages->at(0);
  EXPECT_EQ(package.name + package.version + package.arch, "a b1  ") << "and end no column";
}

TEST(Sbom, WhatIsNoneIsRefused) {
  for (const char* text : {"", "[]", "null", "{}", R"({"bomFormat": "x"})",
                           R"({"bomFormat": "CycloneDX", "components": [tru]})",
                           R"({"spdxVersion": 2, "packages": [{]})"}) {
    EXPECT_FALSE(read_sbom(text).ok()) << text;
    EXPECT_EQ(is_sbom(text), std::string_view(text).find("CycloneDX") != std::string_view::npos)
        << text;
  }
}

}  // namespace
}  // namespace muster::feeds
