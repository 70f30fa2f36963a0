// SPDX-License-Identifier: Apache-2.0
#include "model/package.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

TEST(Ecosystem, NamesAreReadBack) {
#define ECOSYSTEM(name, scheme)                                                 \
  EXPECT_EQ(parse_ecosystem(ecosystem_name(Ecosystem::name)), Ecosystem::name); \
  EXPECT_FALSE(ecosystem_scheme(Ecosystem::name).empty());
#include "model/ecosystems.def"
#undef ECOSYSTEM
  EXPECT_EQ(ecosystem_name(Ecosystem::unknown), "");
  EXPECT_EQ(ecosystem_scheme(Ecosystem::unknown), "");
}

TEST(Ecosystem, DeclaresItsScheme) {
  EXPECT_EQ(ecosystem_scheme(Ecosystem::deb), "deb");
  EXPECT_EQ(ecosystem_scheme(Ecosystem::npm), "semver");
  EXPECT_EQ(ecosystem_scheme(Ecosystem::pypi), "pep440");
  EXPECT_EQ(ecosystem_scheme(Ecosystem::macos), "generic");
}

TEST(Ecosystem, ReadsTheSynonymsOfFieldedAgents) {
  EXPECT_EQ(parse_ecosystem("apt"), Ecosystem::deb);
  EXPECT_EQ(parse_ecosystem(" DPKG "), Ecosystem::deb);
  EXPECT_EQ(parse_ecosystem("python"), Ecosystem::pypi);
  EXPECT_EQ(parse_ecosystem("composer"), Ecosystem::composer);
  EXPECT_EQ(parse_ecosystem("golang"), Ecosystem::go);
  EXPECT_EQ(parse_ecosystem("brew"), Ecosystem::macos);
  EXPECT_EQ(parse_ecosystem("winget"), Ecosystem::windows);
}

TEST(Ecosystem, IsUnknownForAnythingElse) {
  EXPECT_EQ(parse_ecosystem(""), Ecosystem::unknown);
  EXPECT_EQ(parse_ecosystem("vscode "), Ecosystem::other) << "an extension, and known to be one";
  EXPECT_EQ(parse_ecosystem("visual"), Ecosystem::unknown);
  EXPECT_EQ(parse_ecosystem("debb"), Ecosystem::unknown);
}

TEST(Distro, IsReadFromTheTextOfAnAgent) {
  EXPECT_EQ(distro_of_os("Debian GNU/Linux 12 (bookworm)", ""), "debian:12");
  EXPECT_EQ(distro_of_os("Debian GNU/Linux", "12 (bookworm)"), "debian:12");
  EXPECT_EQ(distro_of_os("Debian GNU/Linux", "12.11"), "debian:12");
  EXPECT_EQ(distro_of_os("debian", "10.13"), "debian:10");
  EXPECT_EQ(distro_of_os("Debian GNU/Linux bookworm", ""), "debian:12");
  EXPECT_EQ(distro_of_os("Linux Debian 11", ""), "debian:11");
  EXPECT_EQ(distro_of_os("Ubuntu 22.04.4 LTS", ""), "ubuntu:22.04");
  EXPECT_EQ(distro_of_os("Ubuntu", "24.04.1 LTS (Noble Numbat)"), "ubuntu:24.04");
  EXPECT_EQ(distro_of_os("Alpine Linux v3.18", ""), "alpine:3.18");
  EXPECT_EQ(distro_of_os("Alpine Linux", "3.19.1"), "alpine:3.19");
  EXPECT_EQ(distro_of_os("Red Hat Enterprise Linux 9.3 (Plow)", ""), "rhel:9");
  EXPECT_EQ(distro_of_os("CentOS Linux 7 (Core)", ""), "centos:7");
  EXPECT_EQ(distro_of_os("AlmaLinux 9.4 (Seafoam Ocelot)", ""), "almalinux:9");
  EXPECT_EQ(distro_of_os("Rocky Linux 8.9 (Green Obsidian)", ""), "rocky:8");
  EXPECT_EQ(distro_of_os("Oracle Linux Server 8.9", ""), "oracle:8");
  EXPECT_EQ(distro_of_os("Amazon Linux 2023", ""), "amazon:2023");
  EXPECT_EQ(distro_of_os("SUSE Linux Enterprise Server 15 SP5", ""), "sles:15.5");
  EXPECT_EQ(distro_of_os("openSUSE Leap 15.5", ""), "opensuse-leap:15.5");
  EXPECT_EQ(distro_of_os("openSUSE Tumbleweed", "20260101"), "opensuse-tumbleweed");
  EXPECT_EQ(distro_of_os("Arch Linux", ""), "arch");
}

TEST(Distro, OfUbuntuIsToldByItsCodename) {
  EXPECT_EQ(canonical_distro("ubuntu:mantic"), "ubuntu:23.10");
  EXPECT_EQ(canonical_distro("ubuntu:resolute"), "ubuntu:26.04");
}

TEST(Distro, OfTestingAndUnstableIsSid) {
  EXPECT_EQ(distro_of_os("Debian GNU/Linux forky/sid", ""), "debian:sid");
  EXPECT_EQ(canonical_distro("debian:testing"), "debian:sid");
  EXPECT_EQ(canonical_distro("debian:unstable"), "debian:sid");
  EXPECT_EQ(canonical_distro("debian:forky"), "debian:14");
}

TEST(Distro, IsEmptyWhereNoDistributionIsNamed) {
  EXPECT_EQ(distro_of_os("Windows 11 23H2", ""), "");
  EXPECT_EQ(distro_of_os("macOS 14.4", ""), "");
  EXPECT_EQ(distro_of_os("Unknown", ""), "");
  EXPECT_EQ(distro_of_os("", ""), "");
  EXPECT_EQ(distro_of_os("Debian GNU/Linux", ""), "");
}

TEST(Distro, OfADerivativeIsNotItsParents) {
  EXPECT_EQ(distro_of_os("Linux Mint 21 (Ubuntu 22.04)", ""), "");
  EXPECT_EQ(distro_of_os("Raspbian GNU/Linux 11 (bullseye)", ""), "");
  EXPECT_EQ(distro_of_os("Kali GNU/Linux Rolling (Debian 12)", ""), "");
  EXPECT_EQ(distro_of_os("LMDE 6 (Debian 12)", ""), "");
}

TEST(Distro, HasOneFormForCodenamesNumbersAndCases) {
  for (const auto& [codename, number] : {std::pair{"buster", "10"},
                                         {"bullseye", "11"},
                                         {"bookworm", "12"},
                                         {"trixie", "13"},
                                         {"forky", "14"}}) {
    EXPECT_EQ(canonical_distro(std::string("debian:") + codename), std::string("debian:") + number);
    EXPECT_EQ(canonical_distro(std::string("Debian:") + number + ".5"),
              std::string("debian:") + number);
  }
  EXPECT_EQ(canonical_distro("debian:10.13"), "debian:10");
  EXPECT_EQ(canonical_distro("DEBIAN:BookWorm"), "debian:12");
  EXPECT_EQ(canonical_distro("debian:woody"), "debian:3.0");
  EXPECT_EQ(canonical_distro("debian:3.1"), "debian:3.1");
  EXPECT_EQ(canonical_distro("ubuntu:jammy"), "ubuntu:22.04");
  EXPECT_EQ(canonical_distro("alpine:v3.18.4"), "alpine:3.18");
  EXPECT_EQ(canonical_distro("redhat:9.3"), "rhel:9");
  EXPECT_EQ(canonical_distro("RHEL:8"), "rhel:8");
  EXPECT_EQ(canonical_distro("rocky-linux:9"), "rocky:9");
  EXPECT_EQ(canonical_distro("centos-stream:9"), "centos:9");
  EXPECT_EQ(canonical_distro("suse linux enterprise server:15.5"), "sles:15.5");
}

TEST(Distro, ThatIsUnknownComesBackFolded) {
  EXPECT_EQ(canonical_distro("NixOS:23.11"), "nixos:23.11");
  EXPECT_EQ(canonical_distro("debian"), "debian");
  EXPECT_EQ(canonical_distro("debian:banana"), "debian:banana");
  EXPECT_EQ(canonical_distro("debian:12x"), "debian:12x");
  EXPECT_EQ(canonical_distro(""), "");
}

TEST(Distro, CanonicalFormIsStable) {
  for (const char* text : {"debian:12", "debian:sid", "ubuntu:22.04", "rhel:9", "alpine:3.18",
                           "arch", "debian:3.1", "sles:15.5", "nixos:23.11"}) {
    EXPECT_EQ(canonical_distro(text), text);
  }
}

}  // namespace
}  // namespace muster::model
