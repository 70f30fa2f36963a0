// SPDX-License-Identifier: Apache-2.0
#include "vuln/origin.h"

#include <gtest/gtest.h>

#include "vuln/match.h"

namespace muster::vuln {
namespace {

using model::Ecosystem;

model::Package package(Ecosystem ecosystem, const std::string& distro, const std::string& version,
                       const std::string& vendor = "") {
  model::Package made;
  made.name = "a";
  made.version = version;
  made.ecosystem = ecosystem;
  made.distro = distro;
  made.vendor = vendor;
  return made;
}

Origin of_deb(const std::string& version, const std::string& vendor = "") {
  return origin_of(package(Ecosystem::deb, "debian:12", version, vendor));
}

Origin of_rpm(const std::string& distro, const std::string& version, const std::string& vendor) {
  return origin_of(package(Ecosystem::rpm, distro, version, vendor));
}

TEST(Origin, OfADebIsTheDistributionWhateverAddressItsMaintainerHas) {
  EXPECT_EQ(of_deb("1.1.1n-0+deb11u5"), Origin::distribution);
  EXPECT_EQ(
      of_deb("3.0.11-1~deb12u2", "Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>"),
      Origin::distribution);
  EXPECT_EQ(of_deb("1.2-3", "Somebody <somebody@example.net>"), Origin::distribution);
  EXPECT_EQ(of_deb("6.1.1-1~bpo12+1"), Origin::distribution);
  EXPECT_EQ(of_deb("2.39-0ubuntu8.3", "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>"),
            Origin::distribution);
}

TEST(Origin, OfADebIsAThirdPartyWhereItsBuilderOrVersionSaysSo) {
  EXPECT_EQ(of_deb("5:24.0.7-1~debian.12~bookworm"), Origin::third_party);
  EXPECT_EQ(of_deb("1.6.26-1", "Containerd team <support@docker.com>"), Origin::third_party);
  EXPECT_EQ(of_deb("18.19.0-1nodesource1"), Origin::third_party);
  EXPECT_EQ(of_deb("15.5-1.pgdg120+1",
                   "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>"),
            Origin::third_party);
  EXPECT_EQ(of_deb("8.2.14-1+0~20231221.52+debian12~1.gbp4c4c2e"), Origin::third_party);
  EXPECT_EQ(of_deb("1.24.0-1~bookworm", "NGINX Packaging <nginx-packaging@f5.com>"),
            Origin::third_party);
  EXPECT_EQ(of_deb("1:10.11.6+maria~deb12"), Origin::third_party);
}

TEST(Origin, OfAnRpmIsItsVendor) {
  EXPECT_EQ(
      of_rpm("rhel:8", "8.0.30-1.el8.remi", "Remi's RPM repository <https://rpms.remirepo.net/>"),
      Origin::third_party);
  EXPECT_EQ(of_rpm("rhel:8", "1.0-1.el8", "Fedora Project"), Origin::third_party) << "EPEL";
  EXPECT_EQ(of_rpm("fedora:40", "1.0-1.fc40", "Fedora Project"), Origin::distribution);
  EXPECT_EQ(of_rpm("rhel:8", "1.0-1.el8", "Red Hat, Inc."), Origin::distribution);
  EXPECT_EQ(of_rpm("rocky:9", "1.0-1.el9", "Rocky Enterprise Software Foundation"),
            Origin::distribution);
  EXPECT_EQ(of_rpm("sles:15.5", "1.0-1", "SUSE LLC <https://www.suse.com/>"), Origin::distribution);
  EXPECT_EQ(of_rpm("rhel:8", "1.0-1.el8", ""), Origin::distribution) << "not told";
  EXPECT_EQ(of_rpm("mageia:9", "1.0-1", "Mageia.Org"), Origin::distribution)
      << "nobody listed its vendors";
  EXPECT_EQ(of_rpm("rhel:8", "8.0.30-1.el8.remi", ""), Origin::third_party);
  EXPECT_EQ(of_rpm("rhel:9", "15.5-1PGDG.rhel9", ""), Origin::third_party);
}

TEST(Origin, IsNoQuestionOutsideDistributions) {
  EXPECT_EQ(origin_of(package(Ecosystem::pypi, "", "1.0", "nodesource")), Origin::elsewhere);
  EXPECT_EQ(origin_of(package(Ecosystem::windows, "", "1.0", "Docker Inc.")), Origin::elsewhere);
}

model::Advisory debians(const std::string& fixed) {
  model::Advisory row;
  row.feed = "debian";
  row.id = "CVE-2099-0001";
  row.ecosystem = Ecosystem::deb;
  row.distro = "debian:12";
  row.package = "nginx";
  row.ranges = {{"", fixed, ""}};
  return row;
}

model::Advisory nvds(const std::string& fixed) {
  model::Advisory row;
  row.feed = "nvd";
  row.id = "CVE-2099-0001";
  row.configurations = {
      {false,
       false,
       {{false, false, {{"cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*", true, {"", fixed, ""}}}}}}};
  return row;
}

TEST(ThirdParty, IsNeitherAccusedNorClearedByTheDistribution) {
  const auto verdict = [](const model::Package& nginx, const std::string& fixed) {
    return match(*Index::build({debians(fixed)}), nginx);
  };
  model::Package nginx = package(Ecosystem::deb, "debian:12", "1.24.0-1~bookworm");
  nginx.name = "nginx";
  EXPECT_EQ(verdict(nginx, "1.30-1").reason, Reason::third_party_origin);
  EXPECT_EQ(verdict(nginx, "1.20-1").reason, Reason::third_party_origin);
  nginx.version = "1.24.0-1";
  EXPECT_EQ(verdict(nginx, "1.30-1").reason, Reason::in_range) << "Debian's own";
}

TEST(ThirdParty, IsComparedByItsProductAndThePublishersVersion) {
  model::Package nginx = package(Ecosystem::deb, "debian:12", "1.24.0-1~bookworm");
  nginx.name = "nginx";
  const auto verdict = [&](const std::string& fixed) {
    return match(*Index::build({debians("1.20-1"), nvds(fixed)}), nginx);
  };
  const Verdict found = verdict("1.24.1");
  ASSERT_EQ(found.reason, Reason::in_range);
  EXPECT_EQ(found.matches.at(0).evidence.installed, "1.24.0");
  EXPECT_FALSE(found.matches.at(0).evidence.caveats.empty()) << "it is less than certain";
  EXPECT_EQ(verdict("1.24.0").reason, Reason::outside_ranges);
}

TEST(UpstreamVersion, IsWhatThePublisherCallsIt) {
  EXPECT_EQ(upstream_version("5:24.0.7-1~debian.12~bookworm"), "24.0.7");
  EXPECT_EQ(upstream_version("18.19.0-1nodesource1"), "18.19.0");
  EXPECT_EQ(upstream_version("8.0.30-1.el8.remi"), "8.0.30");
  EXPECT_EQ(upstream_version("1:10.11.6+maria~deb12"), "10.11.6");
  EXPECT_EQ(upstream_version("4.16.0-2+really2.41-5"), "2.41");
  EXPECT_EQ(upstream_version("1.0"), "1.0");
  EXPECT_EQ(upstream_version(""), "");
}

}  // namespace
}  // namespace muster::vuln
