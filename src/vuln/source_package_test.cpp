// SPDX-License-Identifier: Apache-2.0
#include "vuln/source_package.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;

/// An index that knows these source packages in one release.
std::shared_ptr<const Index> knowing(Ecosystem ecosystem, const std::string& distro,
                                     const std::vector<std::string>& names) {
  std::vector<Advisory> rows;
  for (const std::string& name : names) {
    Advisory& row = rows.emplace_back();
    row.feed = "feed";
    row.id = "CVE-2099-0001";
    row.ecosystem = ecosystem;
    row.distro = distro;
    row.package = name;
    row.ranges = {{"", "9", ""}};
  }
  return Index::build(rows);
}

Package binary(Ecosystem ecosystem, std::string name, std::string version, std::string source = "",
               std::string source_version = "") {
  Package package;
  package.ecosystem = ecosystem;
  package.name = std::move(name);
  package.version = std::move(version);
  package.source_name = std::move(source);
  package.source_version = std::move(source_version);
  return package;
}

/// "source version", or the reason. What is found must be among the names that may be looked up.
std::string source_of(const Index& index, const Package& package, std::string_view distro) {
  const auto found = find_source_package(index, package, distro);
  if (const Reason* reason = std::get_if<Reason>(&found)) return std::string(reason_name(*reason));
  const auto& [name, version] = std::get<SourcePackage>(found);
  const auto names = source_package_names(package);
  EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  return name + " " + std::string(version);
}

TEST(SourcePackage, OfASignedKernelIsTheKernel) {
  const auto debian = knowing(Ecosystem::deb, "debian:12", {"linux", "linux-6.12"});
  const auto in_debian = [&](const char* version, const char* source, const char* source_version) {
    return source_of(*debian,
                     binary(Ecosystem::deb, "linux-image-a", version, source, source_version),
                     "debian:12");
  };
  EXPECT_EQ(in_debian("6.1.69-1", "linux-signed-amd64", "6.1.69+1"), "linux 6.1.69-1");
  EXPECT_EQ(in_debian("6.1.69-1+b1", "linux-signed-arm64", "6.1.69+1"), "linux 6.1.69-1");
  EXPECT_EQ(in_debian("6.12.9-1", "linux-signed-6.12-amd64", "6.12.9+1"), "linux-6.12 6.12.9-1");
  EXPECT_EQ(in_debian("1", "linux-signedness", ""), "linux-signedness 1");
  const auto ubuntu = knowing(Ecosystem::deb, "ubuntu:22.04", {"linux", "linux-hwe-6.5"});
  const auto in_ubuntu = [&](const char* source) {
    return source_of(*ubuntu, binary(Ecosystem::deb, "linux-image-a", "6.5.0-14.14", source),
                     "ubuntu:22.04");
  };
  EXPECT_EQ(in_ubuntu("linux-signed"), "linux 6.5.0-14.14");
  EXPECT_EQ(in_ubuntu("linux-signed-hwe-6.5"), "linux-hwe-6.5 6.5.0-14.14");
}

TEST(SourcePackage, OfWhatAnotherSourceSignedIsNotKnown) {
  const auto index = knowing(Ecosystem::deb, "debian:12", {"grub2"});
  EXPECT_EQ(source_of(*index,
                      binary(Ecosystem::deb, "grub-efi-amd64-signed", "1+2.06+13",
                             "grub-efi-amd64-signed"),
                      "debian:12"),
            "source_unknown");
  EXPECT_EQ(
      source_of(*index, binary(Ecosystem::deb, "shim-signed", "1.39", "shim-signed"), "debian:12"),
      "shim-signed 1.39");
}

TEST(SourcePackage, OfAKernelCanBeToldByItsNumberInDebian) {
  const auto debian = knowing(Ecosystem::deb, "debian:12", {"linux", "linux-6.12"});
  const auto of = [&](const char* name, const char* version, const char* distro = "debian:12") {
    return source_of(*debian, binary(Ecosystem::deb, name, version), distro);
  };
  EXPECT_EQ(of("linux-image-6.1.0-18-amd64", "6.1.76-1"), "linux 6.1.76-1");
  EXPECT_EQ(of("linux-headers-6.12.9+deb12-amd64", "6.12.9-1"), "linux-6.12 6.12.9-1");
  EXPECT_EQ(of("linux-image-amd64", "6.1.76-1"), "linux-image-amd64 6.1.76-1") << "depends on one";
  EXPECT_EQ(of("linux-image-6.1.0-18-amd64", ""), "source_unknown");
  EXPECT_EQ(of("linux-image-5.15.0-91-generic", "5.15.0-91.101", "ubuntu:22.04"), "source_unknown");
}

TEST(SourcePackage, OfAnAlpinePackageIsNotToldByWhatMayBeAPart) {
  const auto alpine = knowing(Ecosystem::apk, "alpine:3.18", {"musl", "openssl", "libxml2"});
  const auto of = [&](const char* name, const char* source = "") {
    return source_of(*alpine, binary(Ecosystem::apk, name, "1.2-r0", source), "alpine:3.18");
  };
  EXPECT_EQ(of("libcrypto3"), "source_unknown");
  EXPECT_EQ(of("musl-utils"), "source_unknown");
  EXPECT_EQ(of("musl"), "musl 1.2-r0");
  EXPECT_EQ(of("libxml2"), "libxml2 1.2-r0");
  EXPECT_EQ(of("tzdata"), "tzdata 1.2-r0");
  EXPECT_EQ(of("libcrypto3", "openssl"), "openssl 1.2-r0");
}

TEST(SourcePackage, OfADebIsNotToldByWhatMayBeAPartWhereNoTableHasIt) {
  const auto ubuntu = knowing(Ecosystem::deb, "ubuntu:22.04", {"openssh", "curl"});
  const auto of = [&](const char* name, const char* source = "") {
    return source_of(*ubuntu, binary(Ecosystem::deb, name, "1:8.9p1-3", source), "ubuntu:22.04");
  };
  EXPECT_EQ(of("openssh-client"), "source_unknown");
  EXPECT_EQ(of("openssh-client:amd64"), "source_unknown");
  EXPECT_EQ(of("openssh-client", "openssh"), "openssh 1:8.9p1-3");
  EXPECT_EQ(of("curl"), "curl 1:8.9p1-3");
  EXPECT_EQ(of("tzdata"), "tzdata 1:8.9p1-3");
}

TEST(SourcePackage, OfAnRpmIsNotToldByItsNameWhereBulletinsNameSources) {
  for (const std::string distro : {"rocky:9", "sles:15.5", "opensuse-leap:15.5"}) {
    const auto index = knowing(Ecosystem::rpm, distro, {"openssl", "python3", "nodejs"});
    const auto of = [&](const char* name, const char* source = "") {
      return source_of(*index, binary(Ecosystem::rpm, name, "3.0-1", source), distro);
    };
    EXPECT_EQ(of("openssl"), "openssl 3.0-1") << distro;
    EXPECT_EQ(of("openssl-libs"), "source_unknown") << distro;
    EXPECT_EQ(of("tzdata"), "source_unknown") << distro;
    EXPECT_EQ(of("openssl-libs", "openssl"), "openssl 3.0-1") << distro;
    EXPECT_EQ(of("tzdata", "tzdata"), "tzdata 3.0-1") << distro;
    EXPECT_EQ(of("python3", "openssl"), "openssl 3.0-1") << "the reported source";
    EXPECT_EQ(of("nodejs", "nodejs-18"), "nodejs 3.0-1") << "no bulletin names the source";
  }
}

TEST(SourcePackage, OfAnRpmDoesNotMatterWhereBulletinsListWhatWasBuilt) {
  for (const std::string distro : {"almalinux:9", "rhel:9"}) {
    const auto index = knowing(Ecosystem::rpm, distro, {"openssl", "openssl-libs"});
    const auto of = [&](const char* name, const char* source = "") {
      return source_of(*index, binary(Ecosystem::rpm, name, "3.0-1", source), distro);
    };
    EXPECT_EQ(of("openssl-libs", "openssl"), "openssl-libs 3.0-1") << distro;
    EXPECT_EQ(of("openssl-perl", "openssl"), "openssl 3.0-1") << distro;
    EXPECT_EQ(of("tzdata"), "tzdata 3.0-1") << distro;
    EXPECT_EQ(of("openssl-libs.x86_64"), "openssl-libs 3.0-1") << "as dnf lists it";
  }
}

}  // namespace
}  // namespace muster::vuln
