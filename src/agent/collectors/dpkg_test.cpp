// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/dpkg.h"
#include "base/testing.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "agent/bounds.h"
#include "agent/collectors/host.h"
#include "agent/files.h"

namespace muster::agent {
namespace {

std::string stanza(std::string_view package, std::string_view status, std::string_view version,
                   std::string_view rest = "") {
  std::string text = "Package: " + std::string(package) + "\nStatus: " + std::string(status) +
                     "\nArchitecture: amd64\nVersion: " + std::string(version) + "\n";
  return text + std::string(rest) + "Description: short\n long text: with a colon\n .\n\n";
}

DpkgStatus parse(std::string_view text, std::string_view distro) {
  return parse_dpkg_status(text, distro, DpkgFile::status);
}

TEST(DpkgStatus, InstalledPackagesCarryWhatMatchingNeeds) {
  const DpkgStatus status =
      parse(stanza("libssl3", "install ok installed", "3.0.11-1~deb12u2", "Source: openssl\n"),
            "debian:12");
  ASSERT_EQ(status.packages.size(), 1U);
  const model::Package& package = status.packages[0];
  EXPECT_EQ(package.name, "libssl3");
  EXPECT_EQ(package.version, "3.0.11-1~deb12u2");
  EXPECT_EQ(package.source_name, "openssl");
  EXPECT_EQ(package.source_version, "3.0.11-1~deb12u2");
  EXPECT_EQ(package.arch, "amd64");
  EXPECT_EQ(package.distro, "debian:12");
  EXPECT_EQ(package.ecosystem, model::Ecosystem::deb);
  EXPECT_EQ(package.vendor, "");
}

TEST(DpkgStatus, SourceOfABinaryRebuildHasItsOwnVersion) {
  const DpkgStatus status =
      parse(stanza("bash", "install ok installed", "5.2.15-2+b8", "Source: bash (5.2.15-2)\n"), "");
  ASSERT_EQ(status.packages.size(), 1U);
  EXPECT_EQ(status.packages[0].source_name, "bash");
  EXPECT_EQ(status.packages[0].source_version, "5.2.15-2");
}

TEST(DpkgStatus, SourceDefaultsToThePackageItself) {
  const DpkgStatus status = parse(stanza("adduser", "install ok installed", "3.134"), "");
  ASSERT_EQ(status.packages.size(), 1U);
  EXPECT_EQ(status.packages[0].source_name, "adduser");
  EXPECT_EQ(status.packages[0].source_version, "3.134");
}

TEST(DpkgStatus, RemovedPackagesAreNotSoftwareButHeldOnesAre) {
  const DpkgStatus status = parse(stanza("gone", "deinstall ok config-files", "1") +
                                      stanza("half", "install reinstreq half-installed", "1") +
                                      stanza("kept", "hold ok installed", "2"),
                                  "");
  ASSERT_EQ(status.packages.size(), 1U);
  EXPECT_EQ(status.packages[0].name, "kept");
  EXPECT_EQ(status.not_installed, 2U);
  EXPECT_EQ(status.malformed, 0U);
}

TEST(DpkgStatus, WhatIsUnpackedIsOnTheDisk) {
  for (const char* state :
       {"unpacked", "half-configured", "triggers-awaited", "triggers-pending"}) {
    const DpkgStatus status = parse(stanza("bash", "install ok " + std::string(state), "5.2"), "");
    EXPECT_EQ(status.packages.size(), 1U) << state;
  }
  EXPECT_TRUE(parse(stanza("bash", "unknown ok not-installed", "5.2"), "").packages.empty());
}

// As gcr.io/distroless/static-debian12 has it: what `dpkg-deb --field` printed of the package.
constexpr std::string_view distroless_netbase =
    "Package: netbase\nVersion: 6.4\nArchitecture: all\nMaintainer: Marco d'Itri <md@linux.it>\n"
    "Installed-Size: 44\nBreaks: ifupdown (<< 0.7)\nSection: admin\nPriority: important\n"
    "Multi-Arch: foreign\nDescription: Basic TCP/IP networking system\n"
    " This package provides the necessary infrastructure for basic TCP/IP based\n networking.\n";

TEST(DpkgStatus, AFileOfStatusDHasNoStateAndIsInstalled) {
  const DpkgStatus status = parse_dpkg_status(distroless_netbase, "debian:12", DpkgFile::status_d);
  ASSERT_EQ(status.packages.size(), 1U);
  EXPECT_EQ(status.packages[0].name, "netbase");
  EXPECT_EQ(status.packages[0].version, "6.4");
  EXPECT_EQ(status.malformed, 0U);
  EXPECT_EQ(parse(distroless_netbase, "debian:12").malformed, 1U) << "elsewhere it is damaged";
  EXPECT_TRUE(
      parse_dpkg_status(stanza("gone", "deinstall ok config-files", "1"), "", DpkgFile::status_d)
          .packages.empty());
}

TEST(DpkgStatus, MalformedStanzasAreCountedAndCostNoOther) {
  const std::string text =
      "Status: install ok installed\nVersion: 1\n\n"  // no name
      "Package: a\nStatus: install ok installed\n\n"  // no version
      "Package: b\nnot a field\nStatus: install ok installed\nVersion: 1\n\n"
      "Package: c\nStatus: install ok installed\nVersion: 1\x01\n\n"  // control character
      "Package: d\xff\nStatus: install ok installed\nVersion: 1\n\n"  // not UTF-8
      "\n\n" +
      stanza(std::string(300, 'n'), "install ok installed", "1") +
      stanza("good", "install ok installed", "1");
  const DpkgStatus status = parse(text, "");
  EXPECT_EQ(status.malformed, 6U);
  ASSERT_EQ(status.packages.size(), 1U);
  EXPECT_EQ(status.packages[0].name, "good");
}

TEST(DpkgStatus, MissingLastLineEndAndCarriageReturnsAreTolerated) {
  const DpkgStatus status = parse(
      "package: x\r\nstatus: install ok installed\r\nversion: 2\r\n\r\nPackage: y\n"
      "Status: install ok installed\nVersion: 3",
      "");
  ASSERT_EQ(status.packages.size(), 2U);
  EXPECT_EQ(status.packages[0].version, "2");
  EXPECT_EQ(status.packages[1].version, "3");
}

TEST(DpkgStatus, StopsAtTheLimitOfAReportAndSaysSo) {
  std::string text;
  for (std::size_t i = 0; i < limits::software_items + 3; ++i) {
    text += stanza("p" + std::to_string(i), "install ok installed", "1");
  }
  const DpkgStatus status = parse(text, "");
  EXPECT_EQ(status.packages.size(), limits::software_items);
  EXPECT_EQ(status.beyond_limit, 3U);
}

TEST(DpkgStatus, AgreesWithDpkgQueryOnThisHost) {
  std::FILE* query = popen(
      "dpkg-query -W -f '${db:Status-Status}\\t${Package}\\t${Version}\\t${source:Package}\\t"
      "${source:Version}\\t${Architecture}\\n' 2>/dev/null",
      "r");
  ASSERT_NE(query, nullptr);
  std::multiset<std::string> expected;
  std::string output;
  char block[4096];
  while (const std::size_t got = fread(block, 1, sizeof block, query)) output.append(block, got);
  if (pclose(query) != 0) GTEST_SKIP() << "no dpkg-query here";
  const std::set<std::string> absent = {"not-installed", "config-files", "half-installed"};
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = output.find('\n', at);
    const std::string line = output.substr(at, end - at);
    const std::size_t tab = line.find('\t');
    if (!absent.contains(line.substr(0, tab))) expected.insert(line.substr(tab + 1));
    at = end + 1;
  }
  const auto text = read_small_file("/var/lib/dpkg/status", bounds::dpkg_status_bytes);
  ASSERT_TRUE(text.has_value());
  const DpkgStatus status = parse(*text, "debian:12");
  std::multiset<std::string> found;
  for (const model::Package& p : status.packages) {
    found.insert(p.name + "\t" + p.version + "\t" + p.source_name + "\t" + p.source_version + "\t" +
                 p.arch);
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(status.malformed, 0U);
}

TEST(DpkgStatus, ReadsACapturedUbuntuFile) {
  const auto path = shared_data("inventory/ubuntu-dpkg-status.txtar");
  if (!path) GTEST_SKIP() << "inventory/ubuntu-dpkg-status.txtar is not there: set MUSTER_DATA";
  const auto text = read_small_file(*path, bounds::dpkg_status_bytes);
  ASSERT_TRUE(text);
  const std::string mark = "-- var/lib/dpkg/status --\n";
  const std::size_t start = text->find(mark);
  ASSERT_NE(start, std::string::npos);
  std::string_view file = std::string_view(*text).substr(start + mark.size());
  file = file.substr(0, file.find("\n-- "));
  const DpkgStatus status = parse(file, "ubuntu:18.04");
  ASSERT_EQ(status.packages.size(), 90U);
  EXPECT_EQ(status.not_installed, 1U);
  EXPECT_EQ(status.malformed, 0U);
  EXPECT_EQ(status.packages[0].name, "fdisk");
  EXPECT_EQ(status.packages[0].version, "2.31.1-0.4ubuntu3.1");
  EXPECT_EQ(status.packages[0].source_name, "util-linux");
}

}  // namespace
}  // namespace muster::agent
