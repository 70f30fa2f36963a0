// SPDX-License-Identifier: Apache-2.0
// Packages of languages' registries, and of distributions that publish bulletins.
#include <gtest/gtest.h>

#include "vuln/match.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;

Advisory record(std::string id, std::string package, std::string fixed,
                std::vector<std::string> aliases = {}) {
  Advisory row;
  row.feed = "osv";
  row.id = std::move(id);
  row.aliases = std::move(aliases);
  row.ecosystem = Ecosystem::pypi;
  row.package = std::move(package);
  row.ranges = {{"", std::move(fixed), ""}};
  return row;
}

Package python(std::string name, std::string version) {
  Package package;
  package.name = std::move(name);
  package.version = std::move(version);
  package.ecosystem = Ecosystem::pypi;
  return package;
}

Advisory bulletin(std::string package, std::string fixed, std::vector<std::string> flaws) {
  Advisory row = record("ALSA-2099:1", std::move(package), std::move(fixed));
  row.ecosystem = Ecosystem::rpm;
  row.distro = "almalinux:9";
  row.flaws = std::move(flaws);
  return row;
}

Package rpm(std::string name, std::string version, std::string source = "") {
  Package package = python(std::move(name), std::move(version));
  package.ecosystem = Ecosystem::rpm;
  package.distro = "almalinux:9";
  package.source_name = std::move(source);
  return package;
}

std::vector<std::string> ids(const Verdict& verdict) {
  std::vector<std::string> all;
  for (const Match& match : verdict.matches) all.push_back(match.id);
  return all;
}

TEST(RegistryMatch, FindsAPackageHoweverItsNameIsSpelled) {
  const auto index = Index::build({record("PYSEC-1", "zope-interface", "5.0")});
  for (const std::string name : {"zope-interface", "Zope.Interface", "zope_interface"}) {
    EXPECT_EQ(match(*index, python(name, "4.9")).state, State::vulnerable) << name;
    EXPECT_EQ(match(*index, python(name, "5.0.0")).reason, Reason::outside_ranges) << name;
  }
  EXPECT_EQ(match(*index, python("zope", "1")).reason, Reason::no_advisory);
}

TEST(RegistryMatch, WithoutAFeedOfItsOwnAPackageIsNotAssessed) {
  const auto index = Index::build({record("PYSEC-1", "requests", "5.0")});
  Package package = python("requests", "1.0.0");
  package.ecosystem = Ecosystem::npm;
  EXPECT_EQ(match(*index, package).reason, Reason::unsupported_ecosystem);
  package.ecosystem = Ecosystem::pypi;
  package.version.clear();
  EXPECT_EQ(match(*index, package).reason, Reason::version_missing);
  package.version = "(devel)";
  EXPECT_EQ(match(*index, package).reason, Reason::version_invalid);
}

TEST(RegistryMatch, WhatSeveralDatabasesSayOfOneFlawIsOneMatch) {
  const auto index = Index::build({record("GHSA-1", "web", "2.0", {"CVE-2099-0001"}),
                                   record("PYSEC-1", "web", "2.0", {"GHSA-1"}),
                                   record("PYSEC-2", "web", "2.0", {"CVE-2099-0002"}),
                                   record("PYSEC-3", "web", "2.0")});
  const Verdict verdict = match(*index, python("web", "1.0"));
  EXPECT_EQ(ids(verdict), (std::vector<std::string>{"GHSA-1", "PYSEC-2", "PYSEC-3"}));
  EXPECT_EQ(verdict.matches[0].cve, "CVE-2099-0001");
  EXPECT_EQ(verdict.matches[0].aliases, (std::vector<std::string>{"CVE-2099-0001", "PYSEC-1"}));
}

TEST(RegistryMatch, NamesOfOneFlawMeetByWayOfAThirdRecordInAnyOrder) {
  std::vector<Advisory> rows = {record("A-1", "web", "2.0"), record("B-1", "web", "2.0"),
                                record("Z-1", "web", "2.0", {"B-1", "A-1", "CVE-2099-0001"})};
  const Verdict verdict = match(*Index::build(rows), python("web", "1.0"));
  ASSERT_EQ(ids(verdict), std::vector<std::string>{"Z-1"}) << "it names the CVE";
  EXPECT_EQ(verdict.matches[0].aliases, (std::vector<std::string>{"A-1", "B-1", "CVE-2099-0001"}));
}

TEST(RegistryMatch, TwoCvesAreNeverOneFlaw) {
  const Verdict verdict =
      match(*Index::build({record("A-1", "web", "2.0", {"CVE-2099-0001", "X"}),
                           record("B-1", "web", "2.0", {"CVE-2099-0002", "X"})}),
            python("web", "1.0"));
  EXPECT_EQ(ids(verdict), (std::vector<std::string>{"A-1", "B-1"}));
}

TEST(Bulletin, IsOneMatchForEachOfItsFlaws) {
  const auto index = Index::build(
      {bulletin("openssl-libs", "1:3.0.7-25.el9", {"CVE-2099-0001", "CVE-2099-0002"})});
  const Verdict verdict = match(*index, rpm("openssl-libs", "1:3.0.7-24.el9", "openssl"));
  EXPECT_EQ(ids(verdict), (std::vector<std::string>{"CVE-2099-0001", "CVE-2099-0002"}));
  EXPECT_EQ(verdict.matches[0].aliases, std::vector<std::string>{"ALSA-2099:1"});
  EXPECT_EQ(match(*index, rpm("openssl-libs", "1:3.0.7-25.el9")).reason, Reason::outside_ranges);
}

TEST(Bulletin, OfASourcePackageFindsWhatWasBuiltFromIt) {
  const auto index = Index::build({bulletin("openssl", "1:3.0.7-25.el9", {"CVE-2099-0001"})});
  EXPECT_EQ(match(*index, rpm("openssl-libs", "1:3.0.7-24.el9", "openssl")).state,
            State::vulnerable);
  EXPECT_EQ(match(*index, rpm("openssl-libs", "1:3.0.7-24.el9")).reason, Reason::no_advisory);
}

TEST(Bulletin, TheSameFlawInTwoBulletinsIsToldOnce) {
  Advisory again = bulletin("bash", "5.1-9.el9", {"CVE-2099-0001"});
  again.id = "ALSA-2099:2";
  const auto index = Index::build({bulletin("bash", "5.1-6.el9", {"CVE-2099-0001"}), again});
  EXPECT_EQ(ids(match(*index, rpm("bash", "5.1-5.el9"))),
            std::vector<std::string>{"CVE-2099-0001"});
  EXPECT_EQ(ids(match(*index, rpm("bash", "5.1-7.el9"))), std::vector<std::string>{"CVE-2099-0001"})
      << "the first fix was none";
}

TEST(Bulletin, OfAModulesStreamSaysNothingOfOtherStreams) {
  const std::string fixed = "1:18.20.4-1.module_el9+1+abc";
  const auto index = Index::build({bulletin("nodejs", fixed, {"CVE-2099-0001"})});
  EXPECT_EQ(match(*index, rpm("nodejs", "1:18.10.0-1.module_el9+1+abc")).state, State::vulnerable);
  EXPECT_EQ(match(*index, rpm("nodejs", "1:16.20.0-1.module_el9+1+abc")).state,
            State::not_vulnerable);
  EXPECT_EQ(match(*index, rpm("nodejs", "1:16.20.0-1.el9")).state, State::not_vulnerable);
}

TEST(RegistryMatch, ABuildOfThePublicVersionIsThatVersion) {
  Advisory last = record("PYSEC-1", "torch", "");
  last.ranges = {{"", "", "2.0.0"}};
  const auto index = Index::build({last, record("PYSEC-2", "jax", "2.1.1")});
  EXPECT_EQ(match(*index, python("torch", "2.0.0+cu118")).state, State::vulnerable);
  EXPECT_EQ(match(*index, python("torch", "2.0.0.post1")).state, State::not_vulnerable);
  EXPECT_EQ(match(*index, python("torch", "2.0.1+cu118")).state, State::not_vulnerable);
  EXPECT_EQ(match(*index, python("jax", "2.1.0+cpu")).state, State::vulnerable);
  EXPECT_EQ(match(*index, python("jax", "2.1.1+cpu")).state, State::not_vulnerable);
  last.ranges = {{"", "", "2.0.0+cu117"}};
  EXPECT_EQ(match(*Index::build({last}), python("torch", "2.0.0+cu118")).state,
            State::not_vulnerable)
      << "the record tells the build";
}

TEST(RegistryMatch, FindsACrateByEitherSpelling) {
  Advisory crate = record("RUSTSEC-1", "serde_yaml", "0.8.4");
  crate.ecosystem = Ecosystem::cargo;
  const auto index = Index::build({crate});
  for (const std::string name : {"serde_yaml", "serde-yaml", "Serde_YAML"}) {
    Package package = python(name, "0.8.3");
    package.ecosystem = Ecosystem::cargo;
    EXPECT_EQ(match(*index, package).state, State::vulnerable) << name;
  }
}

TEST(Bulletin, OfSeveralStreamsTheNearestTells) {
  Advisory newer = bulletin("php", "7.4.19-2.module_el9+2+a", {"CVE-2099-0001"});
  newer.id = "ALSA-2099:2";
  const auto index =
      Index::build({bulletin("php", "7.3.29-1.module_el9+1+a", {"CVE-2099-0001"}), newer});
  const auto state = [&](const char* version) { return match(*index, rpm("php", version)).state; };
  EXPECT_EQ(state("7.3.29-1.module_el9+1+a"), State::not_vulnerable);
  EXPECT_EQ(state("7.3.20-1.module_el9+0+a"), State::vulnerable);
  EXPECT_EQ(state("7.4.6-1.module_el9+0+a"), State::vulnerable);
  EXPECT_EQ(state("7.4.19-2.module_el9+2+a"), State::not_vulnerable);
}

TEST(Bulletin, OneOfTheFixesOfOneStreamIsEnough) {
  Advisory again = bulletin("criu", "3.15-3.module_el9+3137+d", {"CVE-2099-0001"});
  again.id = "ALSA-2099:2";
  const auto index =
      Index::build({bulletin("criu", "3.15-3.module_el9+2877+8", {"CVE-2099-0001"}), again});
  EXPECT_EQ(match(*index, rpm("criu", "3.15-3.module_el9+2877+8")).state, State::not_vulnerable);
  EXPECT_EQ(match(*index, rpm("criu", "3.15-1.module_el9+2000+8")).state, State::vulnerable);
}

TEST(Bulletin, AnEpochThatWasNotReportedIsNoDifference) {
  const auto index = Index::build({bulletin("openssl", "1:3.0.7-25.el9", {"CVE-2099-0001"})});
  EXPECT_EQ(match(*index, rpm("openssl", "3.0.7-25.el9")).state, State::not_vulnerable);
  EXPECT_EQ(match(*index, rpm("openssl", "3.0.7-24.el9")).state, State::vulnerable);
  const auto bare = Index::build({bulletin("openssl", "3.0.7-25.el9", {"CVE-2099-0001"})});
  EXPECT_EQ(match(*bare, rpm("openssl", "1:3.0.7-24.el9")).state, State::vulnerable);
}

}  // namespace
}  // namespace muster::vuln
