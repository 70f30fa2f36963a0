// SPDX-License-Identifier: Apache-2.0
// Records as the databases publish them, and the matcher: what a package of each ecosystem is told.
#include <gtest/gtest.h>

#include "feeds/osv/osv.h"
#include "model/purl.h"
#include "vuln/index.h"
#include "vuln/match.h"

namespace muster::feeds {
namespace {

using model::Advisory;
using model::Package;

/// A record about one package with these events of one range; `more` are members of the record.
std::string record(std::string_view ecosystem, std::string_view name, std::string_view events,
                   std::string_view more = "") {
  return std::string(R"({"id": "X-2099-1", )")
      .append(more)
      .append(R"("affected": [{"package": {"ecosystem": ")")
      .append(ecosystem)
      .append(R"(", "name": ")")
      .append(name)
      .append(R"("}, "ranges": [{"type": "ECOSYSTEM", "events": [)")
      .append(events)
      .append("]}]}]}");
}

std::string fixed_in(std::string_view ecosystem, std::string_view name, std::string_view version) {
  return record(ecosystem, name,
                std::string(R"({"introduced": "0"}, {"fixed": ")").append(version).append(R"("})"));
}

vuln::Verdict verdict(std::string_view records, const Package& package) {
  std::vector<Advisory> rows;
  parse_osv(records, [&](Advisory&& row) { rows.push_back(std::move(row)); }).value();
  return vuln::match(*vuln::Index::build(rows), package);
}

/// The reason, for a package that a purl names.
std::string told(std::string_view records, std::string_view purl) {
  const auto package = model::package_of_purl(purl);
  if (!package) return "no package";
  return std::string(vuln::reason_name(verdict(records, *package).reason));
}

TEST(OsvMatch, DebianComparesEpochsTildesAndRebuilds) {
  const std::string feed = fixed_in("Debian:12", "widget", "1:2.0-3+deb12u1");
  const auto of = [&](std::string_view version, std::string_view more = "") {
    return told(feed, "pkg:deb/debian/widget@" + std::string(version) + "?distro=debian-12" +
                          std::string(more));
  };
  EXPECT_EQ(of("1:2.0-3"), "in_range");
  EXPECT_EQ(of("1%3A2.0-3+b1"), "in_range");
  EXPECT_EQ(of("1:2.0-3%2Bdeb12u1~pre1"), "in_range");
  EXPECT_EQ(of("1:2.0-3+deb12u1"), "outside_ranges");
  EXPECT_EQ(of("1:2.0-3%2Bdeb12u1%2Bb2"), "outside_ranges");
  EXPECT_EQ(of("3.0-1"), "in_range") << "no epoch is the epoch 0";
  EXPECT_EQ(of("2.0-3", "&epoch=1"), "in_range");
  EXPECT_EQ(told(feed, "pkg:deb/debian/libwidget2@1:2.0-3?distro=bookworm&upstream=widget"),
            "in_range");
  EXPECT_EQ(told(feed, "pkg:deb/debian/widget@1:2.0-3?distro=debian-11"), "distro_not_covered");
}

TEST(OsvMatch, UbuntuIsAskedInItsOwnRelease) {
  const std::string feed = fixed_in("Ubuntu:22.04:LTS", "curl", "7.81.0-1ubuntu1.15");
  EXPECT_EQ(told(feed, "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.14?distro=ubuntu-22.04"), "in_range");
  EXPECT_EQ(told(feed, "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.15?distro=jammy"), "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.15+esm1?distro=ubuntu-22.04"),
            "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:deb/ubuntu/curl@7.81.0-1?distro=ubuntu-20.04"), "distro_not_covered");
}

/// A record about curl in Ubuntu, and in Ubuntu Pro; `events` of each are after "introduced".
std::string ubuntu(std::string_view events, std::string_view pro_events) {
  const auto affected = [](std::string_view ecosystem, std::string_view more) {
    return std::string(R"({"package": {"ecosystem": ")")
        .append(ecosystem)
        .append(R"(", "name": "curl"}, "ecosystem_specific": {"ubuntu_priority": "low"},
           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"})")
        .append(more)
        .append("]}]}");
  };
  return R"({"id": "USN-2099-1", "upstream": ["CVE-2099-0001"], "affected": [)" +
         affected("Ubuntu:Pro:18.04:LTS", pro_events) + ", " +
         affected("Ubuntu:18.04:LTS", events) + "]}";
}

TEST(OsvMatch, AFixForSubscribersIsOneWhereTheReleaseHasNone) {
  const auto of = [](const std::string& feed, std::string_view version) {
    return told(feed, "pkg:deb/ubuntu/curl@" + std::string(version) + "?distro=ubuntu-18.04");
  };
  const std::string open = ubuntu("", R"(, {"fixed": "7.58.0-2ubuntu3.24+esm2"})");
  EXPECT_EQ(of(open, "7.58.0-2ubuntu3.24"), "in_range");
  EXPECT_EQ(of(open, "7.58.0-2ubuntu3.24+esm1"), "in_range");
  EXPECT_EQ(of(open, "7.58.0-2ubuntu3.24+esm2"), "outside_ranges");
  const std::string both =
      ubuntu(R"(, {"fixed": "7.58.0-2ubuntu3.20"})", R"(, {"fixed": "7.58.0-2ubuntu3.20+esm1"})");
  EXPECT_EQ(of(both, "7.58.0-2ubuntu3.19"), "in_range");
  EXPECT_EQ(of(both, "7.58.0-2ubuntu3.20"), "outside_ranges") << "the release's own fix";
  const std::string pro_only = fixed_in("Ubuntu:Pro:18.04:LTS", "curl", "7.58.0-2ubuntu3.24+esm2");
  EXPECT_EQ(of(pro_only, "7.58.0-2ubuntu3.24"), "in_range");
  EXPECT_EQ(of(pro_only, "7.58.0-2ubuntu3.24+esm2"), "outside_ranges");
}

TEST(OsvMatch, AlpineComparesRevisionsAndSources) {
  const std::string feed = fixed_in("Alpine:v3.18", "openssl", "3.1.4-r1");
  EXPECT_EQ(told(feed, "pkg:apk/alpine/openssl@3.1.4-r0?distro=3.18.4"), "in_range");
  EXPECT_EQ(told(feed, "pkg:apk/alpine/libcrypto3@3.1.4-r0?distro=alpine-3.18.4&upstream=openssl"),
            "in_range");
  EXPECT_EQ(told(feed, "pkg:apk/alpine/openssl@3.1.4-r1?distro=alpine-v3.18"), "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:apk/alpine/openssl@3.1.4_rc1-r5?distro=alpine-3.18"), "in_range");
  EXPECT_EQ(told(feed, "pkg:apk/alpine/openssl@3.1.4-r0?distro=alpine-edge"), "distro_not_covered");
}

TEST(OsvMatch, RpmDistributionsReadTheirOwnBulletins) {
  const std::string rocky = fixed_in("Rocky Linux:9", "openssl", "1:3.0.7-25.el9");
  EXPECT_EQ(told(rocky,
                 "pkg:rpm/rocky/openssl-libs@3.0.7-24.el9?epoch=1&distro=rocky-9.3"
                 "&upstream=openssl-3.0.7-24.el9.src.rpm"),
            "in_range");
  EXPECT_EQ(told(rocky, "pkg:rpm/rocky/openssl-libs@3.0.7-24.el9?epoch=1&distro=rocky-9.3"),
            "source_unknown");
  EXPECT_EQ(told(rocky, "pkg:rpm/rocky-linux/openssl@3.0.7-25.el9?epoch=1&distro=rocky-linux-9"),
            "outside_ranges");
  const std::string redhat =
      fixed_in("Red Hat:enterprise_linux:9::appstream", "podman", "2:4.4.1-21.el9_2");
  EXPECT_EQ(told(redhat, "pkg:rpm/redhat/podman@4.4.1-20.el9_2?epoch=2&distro=rhel-9.2"),
            "in_range");
  EXPECT_EQ(told(redhat, "pkg:rpm/redhat/podman@4.4.1-21.el9_2?distro=redhat-9.2"),
            "outside_ranges");
  const std::string leap = fixed_in("openSUSE:Leap 15.5", "curl", "8.0.1-150400.5.32.1");
  EXPECT_EQ(told(leap,
                 "pkg:rpm/opensuse/libcurl4@8.0.1-150400.5.29.1?distro=opensuse-leap-15.5"
                 "&upstream=curl-8.0.1-150400.5.29.1.src.rpm"),
            "in_range");
  EXPECT_EQ(told(leap, "pkg:rpm/opensuse/curl@8.0.1-150400.5.32.1?distro=opensuse-leap-15.5"),
            "outside_ranges");
}

TEST(OsvMatch, GoComparesPseudoVersions) {
  const std::string feed = record(
      "Go", "golang.org/x/text",
      R"({"introduced": "0"}, {"fixed": "0.3.3"}, {"introduced": "0.4.0-rc.1"}, {"fixed": "0.4.1"})");
  const auto of = [&](std::string_view version) {
    return told(feed, "pkg:golang/golang.org/x/text@" + std::string(version));
  };
  EXPECT_EQ(of("v0.3.2"), "in_range");
  EXPECT_EQ(of("0.3.2"), "in_range");
  EXPECT_EQ(of("v0.0.0-20170915032832-14c0d48ead0c"), "in_range");
  EXPECT_EQ(of("v0.3.3-0.20191204190536-9bdfabe68543"), "in_range") << "before v0.3.3";
  EXPECT_EQ(of("v0.3.4-0.20200101000000-9bdfabe68543"), "outside_ranges");
  EXPECT_EQ(of("v0.4.0"), "in_range");
  EXPECT_EQ(of("v0.4.1"), "outside_ranges");
  EXPECT_EQ(of("v0.3.2+incompatible"), "in_range");
  EXPECT_EQ(of("(devel)"), "version_invalid");
}

TEST(OsvMatch, GoNamesAreFoundAsPackageUrlsFoldThem) {
  const std::string feed = fixed_in("Go", "github.com/BurntSushi/toml", "1.0.0");
  EXPECT_EQ(told(feed, "pkg:golang/github.com/burntsushi/toml@v0.3.1"), "in_range");
  EXPECT_EQ(told(feed, "pkg:golang/github.com/BurntSushi/toml@v1.0.0"), "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:golang/github.com/burntsushi/toml/v2@v0.3.1"), "no_advisory");
}

TEST(OsvMatch, EveryCveThatARecordIsAboutIsAFindingOfItsOwn) {
  const std::string feed =
      record("Go", "etcd", R"({"introduced": "0"})",
             R"("aliases": ["CVE-2099-0001", "CVE-2099-0002", "GHSA-a", "GHSA-b"], )") +
      R"({"id": "GHSA-b", "aliases": ["CVE-2099-0002"], "affected": [{"package": {"ecosystem": "Go",
         "name": "etcd"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]})";
  const auto found = verdict(feed, *model::package_of_purl("pkg:golang/etcd@v1.0.0"));
  ASSERT_EQ(found.matches.size(), 2U);
  EXPECT_EQ(found.matches[0].cve, "CVE-2099-0001");
  EXPECT_EQ(found.matches[1].cve, "CVE-2099-0002");
  EXPECT_EQ(found.matches[1].aliases, (std::vector<std::string>{"GHSA-a", "GHSA-b", "X-2099-1"}));
}

TEST(OsvMatch, GosStandardLibraryAndTheToolchainAreNamedAsGoNamesThem) {
  const std::string feed = fixed_in("Go", "stdlib", "1.20.3");
  EXPECT_EQ(told(feed, "pkg:golang/stdlib@1.20.2"), "in_range");
  EXPECT_EQ(told(feed, "pkg:golang/stdlib@go1.20.2"), "in_range");
  EXPECT_EQ(told(feed, "pkg:golang/stdlib@go1.20rc1"), "in_range");
  EXPECT_EQ(told(feed, "pkg:golang/stdlib@v1.20.3"), "outside_ranges");
}

TEST(OsvMatch, NpmNamesAreExactAndScoped) {
  const std::string feed = fixed_in("npm", "@babel/traverse", "7.23.2");
  EXPECT_EQ(told(feed, "pkg:npm/%40babel/traverse@7.23.0"), "in_range");
  EXPECT_EQ(told(feed, "pkg:npm/@babel/traverse@7.23.2-beta.1"), "in_range");
  EXPECT_EQ(told(feed, "pkg:npm/%40babel%2Ftraverse@7.23.0"), "in_range");
  EXPECT_EQ(told(feed, "pkg:npm/%40babel/traverse@7.23.2+build.5"), "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:npm/traverse@0.6.6"), "no_advisory");
  EXPECT_EQ(told(feed, "pkg:npm/%40babel/traverse@%5E7.0.0"), "version_invalid");
  EXPECT_EQ(told(feed, "pkg:npm/%40babel/traverse@latest"), "version_invalid");
}

TEST(OsvMatch, MavenIgnoresClassifiersAndKnowsQualifiers) {
  const std::string feed = record(
      "Maven", "org.postgresql:postgresql",
      R"({"introduced": "42.2.0"}, {"fixed": "42.2.26"}, {"introduced": "42.4.0"}, {"fixed": "42.4.1"})");
  const auto of = [&](std::string_view version) {
    return told(feed, "pkg:maven/org.postgresql/postgresql@" + std::string(version) + "?type=jar");
  };
  EXPECT_EQ(of("42.2.25"), "in_range");
  EXPECT_EQ(of("42.2.25.jre7"), "in_range");
  EXPECT_EQ(of("42.2.26"), "outside_ranges");
  EXPECT_EQ(of("42.2.26.jre7"), "outside_ranges");
  EXPECT_EQ(of("42.4.0"), "in_range");
  EXPECT_EQ(of("42.4.1.jre6"), "outside_ranges");
  EXPECT_EQ(of("42.4.1-SNAPSHOT"), "in_range");
  Package jar;
  jar.ecosystem = model::Ecosystem::maven;
  jar.version = "42.2.25";
  for (const auto& [name, reason] : {std::pair{"org.postgresql:postgresql", "in_range"},
                                     {"org.postgresql/postgresql", "in_range"},
                                     {"org.other:postgresql", "no_advisory"},
                                     {"postgresql", "no_identity"}}) {
    jar.name = name;
    EXPECT_EQ(vuln::reason_name(verdict(feed, jar).reason), reason) << name;
  }
  const std::string netty = fixed_in("Maven", "io.netty:netty-codec", "4.1.100.Final");
  EXPECT_EQ(told(netty, "pkg:maven/io.netty/netty-codec@4.1.99.Final"), "in_range");
  EXPECT_EQ(told(netty, "pkg:maven/io.netty/netty-codec@4.1.100.Final"), "outside_ranges");
  const std::string guava = fixed_in("Maven", "com.google.guava:guava", "32.0.0-android");
  EXPECT_EQ(told(guava, "pkg:maven/com.google.guava/guava@31.1-jre"), "in_range");
  EXPECT_EQ(told(guava, "pkg:maven/com.google.guava/guava@32.0.0-jre"), "outside_ranges");
}

TEST(OsvMatch, PypiNamesAndVersionsAreNormalised) {
  const std::string feed = fixed_in("PyPI", "Jinja2", "3.1.3");
  EXPECT_EQ(told(feed, "pkg:pypi/jinja2@3.1.2"), "in_range");
  EXPECT_EQ(told(feed, "pkg:pypi/JINJA2@3.1.3rc1"), "in_range");
  EXPECT_EQ(told(feed, "pkg:pypi/jinja2@3.1.3.post1"), "outside_ranges");
  EXPECT_EQ(told(feed, "pkg:pypi/jinja2@3.1.3.dev0"), "in_range");
  EXPECT_EQ(told(feed, "pkg:pypi/jinja2@3.01.02"), "in_range");
  EXPECT_EQ(told(fixed_in("PyPI", "uvicorn", "0.11"), "pkg:pypi/uvicorn%5Bstandard%5D@0.10"),
            "in_range");
  EXPECT_EQ(told(fixed_in("PyPI", "ruamel.yaml", "0.18"), "pkg:pypi/ruamel-yaml@0.17"), "in_range");
}

TEST(OsvMatch, OtherRegistriesFoldTheirNamesAndOrderTheirVersions) {
  const std::string nuget = fixed_in("NuGet", "Newtonsoft.Json", "13.0.1");
  EXPECT_EQ(told(nuget, "pkg:nuget/newtonsoft.json@12.0.3"), "in_range");
  EXPECT_EQ(told(nuget, "pkg:nuget/Newtonsoft.Json@13.0.1.0"), "outside_ranges");
  EXPECT_EQ(told(nuget, "pkg:nuget/Newtonsoft.Json@13.0.1-beta2"), "in_range");
  const std::string gem = fixed_in("RubyGems", "rack", "2.2.8.1");
  EXPECT_EQ(told(gem, "pkg:gem/rack@2.2.8"), "in_range");
  EXPECT_EQ(told(gem, "pkg:gem/rack@2.2.8.1"), "outside_ranges");
  EXPECT_EQ(told(gem, "pkg:gem/nokogiri@1.6?platform=java"), "no_advisory");
  const std::string php = fixed_in("Packagist", "symfony/http-kernel", "v5.4.20");
  EXPECT_EQ(told(php, "pkg:composer/symfony/http-kernel@v5.4.19"), "in_range");
  EXPECT_EQ(told(php, "pkg:composer/Symfony/HTTP-Kernel@5.4.20"), "outside_ranges");
  EXPECT_EQ(told(php, "pkg:composer/symfony/http-kernel@5.4.20-RC1"), "in_range");
  const std::string hex = fixed_in("Hex", "plug", "1.10.4");
  EXPECT_EQ(told(hex, "pkg:hex/plug@1.10.3"), "in_range");
  EXPECT_EQ(told(hex, "pkg:hex/plug@1.10.4"), "outside_ranges");
  EXPECT_EQ(told(hex, "pkg:pub/plug@1.10.3"), "no_identity") << "no program of that name";
  const std::string crate = fixed_in("crates.io", "time", "0.2.23");
  EXPECT_EQ(told(crate, "pkg:cargo/time@0.1.43"), "in_range");
  EXPECT_EQ(told(crate, "pkg:cargo/time@0.2.23"), "outside_ranges");
}

TEST(OsvMatch, RangesEndAsTheSchemaSays) {
  const auto of = [](std::string_view events, std::string_view version) {
    return told(record("PyPI", "web", events), "pkg:pypi/web@" + std::string(version));
  };
  EXPECT_EQ(of(R"({"introduced": "0"}, {"last_affected": "1.5"})", "1.5.0"), "in_range");
  EXPECT_EQ(of(R"({"introduced": "0"}, {"last_affected": "1.5"})", "1.5.1"), "outside_ranges");
  EXPECT_EQ(of(R"({"last_affected": "1.5"}, {"introduced": "1.0"})", "0.9"), "outside_ranges");
  EXPECT_EQ(of(R"({"fixed": "3.1"}, {"fixed": "2.2"}, {"introduced": "3.0"}, {"introduced": "0"})",
               "2.5"),
            "outside_ranges");
  EXPECT_EQ(of(R"({"fixed": "3.1"}, {"fixed": "2.2"}, {"introduced": "3.0"}, {"introduced": "0"})",
               "3.0.5"),
            "in_range");
  EXPECT_EQ(of(R"({"introduced": "0"})", "99"), "in_range");
  EXPECT_EQ(of(R"({"introduced": "0.0.0"}, {"fixed": "1.0"})", "0.5"), "in_range");
}

TEST(OsvMatch, AWithdrawnRecordFindsNothing) {
  const std::string feed =
      record("PyPI", "web", R"({"introduced": "0"})", R"("withdrawn": "2099-01-02T00:00:00Z", )") +
      fixed_in("PyPI", "other", "1.0");
  EXPECT_EQ(told(feed, "pkg:pypi/web@1.0"), "no_advisory");
}

TEST(OsvMatch, RangesOfCommitsAloneFindNothing) {
  const std::string feed = fixed_in("PyPI", "other", "1.0") + R"({"id": "X-2", "affected": [{
      "package": {"ecosystem": "PyPI", "name": "web"}, "ranges": [{"type": "GIT", "repo": "https://x",
      "events": [{"introduced": "0"}, {"fixed": "4f1a"}]}], "versions": ["1.0", "1.1"]}]})";
  EXPECT_EQ(told(feed, "pkg:pypi/web@1.0"), "in_range") << "listed";
  EXPECT_EQ(told(feed, "pkg:pypi/web@1.2"), "outside_ranges");
}

model::Severity severity_of(std::string_view more) {
  const std::string feed = record("Ubuntu:22.04:LTS", "curl", R"({"introduced": "0"})", more);
  const auto found =
      verdict(feed, *model::package_of_purl("pkg:deb/ubuntu/curl@1?distro=ubuntu-22.04"));
  return found.matches.at(0).severity;
}

TEST(OsvMatch, SeverityIsThatOfWhateverTheRecordSays) {
  using model::Severity;
  EXPECT_EQ(severity_of(R"("severity": [{"type": "CVSS_V3",
      "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], )"),
            Severity::critical);
  EXPECT_EQ(severity_of(R"("severity": [{"type": "Ubuntu", "score": "medium"}], )"),
            Severity::medium);
  EXPECT_EQ(severity_of(R"("database_specific": {"severity": "MODERATE"}, )"), Severity::medium);
  EXPECT_EQ(severity_of(R"("severity": [], )"), Severity::unknown);
  const auto curl =
      verdict(ubuntu("", ""), *model::package_of_purl("pkg:deb/ubuntu/curl@1?distro=ubuntu-18.04"));
  EXPECT_EQ(curl.matches.at(0).severity, Severity::low) << "the release's own word";
}

}  // namespace
}  // namespace muster::feeds
