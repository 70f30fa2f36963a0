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

TEST(ScanPackage, HasTheEcosystemOfItsDistro) {
  JsonDocument document;
  const auto read = [&](const char* json) {
    return read_scan_package(document.parse(json).value());
  };
  EXPECT_EQ(told(*read(R"({"name": "tar", "version": "1.34", "distro": "Debian:12.5"})")),
            "deb tar 1.34 debian:12   ");
  EXPECT_EQ(told(*read(R"({"name": "tar", "version": "1-r0", "distro": "wolfi"})")),
            "apk tar 1-r0 wolfi   ");
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

TEST(ScanInput, TakesWhatAReportOfTrivyListsElseWhatItFinds) {
  const std::string found = R"("Vulnerabilities": [{"VulnerabilityID": "CVE-2099-0001",
    "PkgName": "libssl3", "InstalledVersion": "3.0"}])";
  const std::string head = R"({"Metadata": {"OS": {"Family": "debian", "Name": "12.5"}},
    "Results": [{"Class": "os-pkgs", "Type": "debian", )";
  const auto listed =
      read_scan_input(head + R"("Packages": [{"Name": "tar", "Version": "1"}], )" + found + "}]}");
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_TRUE(listed->judged);
  EXPECT_EQ(listed->os_name + "/" + listed->os_version, "debian/12.5");
  ASSERT_EQ(listed->packages.size(), 1U);
  EXPECT_EQ(told(listed->packages[0]), "deb tar 1 debian:12   ");
  const auto bare = read_scan_input(head + found + "}]}");
  ASSERT_EQ(bare->packages.size(), 1U);
  EXPECT_EQ(told(bare->packages[0]), "deb libssl3 3.0 debian:12   ");
}

TEST(ScanInput, TakesNestedComponentsAndLeavesOutFiles) {
  const auto input = read_scan_input(R"({"bomFormat": "CycloneDX", "components": [
    {"type": "library", "name": "a", "version": "1", "components": [
      {"type": "library", "name": "b", "purl": "pkg:npm/b@2"}]},
    {"type": "file", "name": "/etc/passwd"}, {"type": "library"}]})");
  ASSERT_TRUE(input.ok());
  ASSERT_EQ(input->packages.size(), 2U);
  EXPECT_EQ(told(input->packages[1]), "npm b 2    ");
  EXPECT_FALSE(input->judged);
}

TEST(ScanInput, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "1", "{}", R"({"software": 1})", R"({"software": [{}]})"}) {
    EXPECT_FALSE(read_scan_input(text).ok()) << text;
  }
}

}  // namespace
}  // namespace muster::ctl
