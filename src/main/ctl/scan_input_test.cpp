// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/scan_input.h"

#include <gtest/gtest.h>

namespace muster::ctl {
namespace {

using model::Ecosystem;
using model::Package;

std::string told(const std::optional<Package>& package) {
  if (!package) return "none";
  return std::string(model::ecosystem_name(package->ecosystem)) + " " + package->name + " " +
         package->version + " " + package->distro + " " + package->source_name + " " +
         package->source_version + " " + package->arch;
}

TEST(Purl, NamesAPackageInTheWordsOfItsEcosystem) {
  EXPECT_EQ(told(package_of_purl("pkg:npm/%40angular/core@16.0.0")),
            "npm @angular/core 16.0.0    ");
  EXPECT_EQ(told(package_of_purl("pkg:npm/@angular/core")), "npm @angular/core     ");
  EXPECT_EQ(told(package_of_purl("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1")),
            "maven org.apache.logging.log4j:log4j-core 2.14.1    ");
  EXPECT_EQ(told(package_of_purl("pkg:golang/github.com/gin-gonic/gin@v1.9.0#internal")),
            "go github.com/gin-gonic/gin v1.9.0    ");
  EXPECT_EQ(told(package_of_purl("pkg:pypi/django@4.2")), "pypi django 4.2    ");
}

TEST(Purl, OfADistributionNamesReleaseAndSource) {
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&"
                                 "upstream=openssl%403.0.11-1&distro=debian-12")),
            "deb libssl3 3.0.11-1~deb12u2 debian:12 openssl 3.0.11-1 amd64");
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/tar@1.34?distro=bookworm")),
            "deb tar 1.34 debian:12   ");
  EXPECT_EQ(told(package_of_purl("pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.5")),
            "rpm openssl 1:1.1.1k-6.el8 rhel:8   ");
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/tar@1%3A1.34")), "deb tar 1:1.34    ");
}

TEST(Purl, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "pkg:", "pkg:npm", "npm/x@1", "pkg:npm/", "pkg:npm/@1"}) {
    EXPECT_EQ(package_of_purl(text).value_or(Package{}).version, "") << text;
  }
}

TEST(ScanPackage, HasTheEcosystemOfItsDistro) {
  JsonDocument document;
  const auto read = [&](const char* json) {
    return read_scan_package(document.parse(json).value());
  };
  EXPECT_EQ(told(*read(R"({"name": "tar", "version": "1.34", "distro": "Debian:12.5"})")),
            "deb tar 1.34 debian:12   ");
  EXPECT_EQ(told(*read(R"({"name": "x", "ecosystem": "PyPI"})")), "pypi x     ");
  EXPECT_EQ(read(R"({"version": "1"})").error().code, Errc::missing_field);
  EXPECT_EQ(read(R"({"name": 1})").error().code, Errc::invalid_field);
  EXPECT_FALSE(read("[]").ok());
}

TEST(ScanInput, TakesTheSystemFromItsReportForPackagesOfADistribution) {
  const auto input = read_scan_input(R"({"hostname": "h",
    "os": {"name": "Debian GNU/Linux", "version": "12"},
    "software": [{"name": "tar", "version": "1.34", "ecosystem": "deb"}],
    "products": [{"product": "bash", "version": "5", "distro_package_version": "5.2-1"}]
})");
  ASSERT_TRUE(input.ok()) << input.error().message;
  ASSERT_EQ(input->packages.size(), 2U);
  EXPECT_EQ(input->packages[0].distro, "debian:12");
  EXPECT_EQ(input->packages[1].name, "bash");
  EXPECT_EQ(input->packages[1].version, "5.2-1");
}

TEST(ScanInput, TakesNestedComponentsAndLeavesOutFiles) {
  const auto input = read_scan_input(R"({"bomFormat": "CycloneDX", "components": [
    {"type": "library", "name": "a", "version": "1", "components": [
      {"type": "library", "name": "b", "purl": "pkg:npm/b@2"}]},
    {"type": "file", "name": "/etc/passwd"}, {"type": "library"}]})");
  ASSERT_TRUE(input.ok());
  ASSERT_EQ(input->packages.size(), 2U);
  EXPECT_EQ(told(input->packages[1]), "npm b 2    ");
}

TEST(ScanInput, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "[]", "{}", "null", R"({"software": 1})", R"({"software": [{}]})"}) {
    EXPECT_FALSE(read_scan_input(text).ok()) << text;
  }
}

}  // namespace
}  // namespace muster::ctl
