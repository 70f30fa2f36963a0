// SPDX-License-Identifier: Apache-2.0
#include "vuln/match.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "version/scheme.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;
using model::Severity;

Advisory advisory(std::string id, std::string package, std::vector<model::VersionRange> ranges) {
  Advisory row;
  row.feed = "debian";
  row.id = std::move(id);
  row.ecosystem = Ecosystem::deb;
  row.distro = "debian:11";
  row.package = std::move(package);
  row.ranges = std::move(ranges);
  row.severity = Severity::high;
  row.urgency = "high";
  row.summary = "A summary.";
  return row;
}

Advisory fixed_in(std::string id, std::string package, std::string version) {
  return advisory(std::move(id), std::move(package), {{"", std::move(version), ""}});
}

Package installed(std::string name, std::string version, std::string source = "",
                  std::string source_version = "") {
  Package package;
  package.name = std::move(name);
  package.version = std::move(version);
  package.ecosystem = Ecosystem::deb;
  package.distro = "debian:11";
  package.source_name = std::move(source);
  package.source_version = std::move(source_version);
  return package;
}

Verdict match_one(const Advisory& row, const Package& package) {
  return match(*Index::build({row}), package);
}

TEST(Match, FindsAVersionBelowTheFixAndSaysWhy) {
  Advisory row = fixed_in("DSA-5139-1", "openssl", "1.1.1n-0+deb11u5");
  row.aliases = {"CVE-2022-1292"};
  const Verdict verdict = match_one(row, installed("libssl1.1", "1.1.1n-0+deb11u3", "openssl"));
  EXPECT_EQ(verdict.state, State::vulnerable);
  EXPECT_EQ(verdict.reason, Reason::in_range);
  ASSERT_EQ(verdict.matches.size(), 1U);
  const Match& found = verdict.matches[0];
  EXPECT_EQ(found.id, "DSA-5139-1");
  EXPECT_EQ(found.cve, "CVE-2022-1292");
  EXPECT_EQ(found.aliases, std::vector<std::string>{"CVE-2022-1292"});
  EXPECT_EQ(found.severity, Severity::high);
  EXPECT_EQ(found.urgency, "high");
  EXPECT_EQ(found.summary, "A summary.");
  const Evidence expected{"debian",
                          "DSA-5139-1",
                          "openssl",
                          "debian:11",
                          "deb",
                          "1.1.1n-0+deb11u3",
                          {"", "1.1.1n-0+deb11u5", ""},
                          "1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u5 (deb)"};
  EXPECT_EQ(found.evidence, expected);
}

TEST(Match, FindsNothingAtOrAboveTheFix) {
  const Advisory row = fixed_in("CVE-2099-0001", "openssl", "1.1.1n-0+deb11u5");
  for (const char* version : {"1.1.1n-0+deb11u5", "1.1.1n-0+deb11u10", "3.0.11-1", "1:0.9"}) {
    const Verdict verdict = match_one(row, installed("openssl", version));
    EXPECT_EQ(verdict.state, State::not_vulnerable) << version;
    EXPECT_EQ(verdict.reason, Reason::outside_ranges);
  }
}

TEST(Match, ReportsAnOpenAdvisoryWithoutAFix) {
  const Verdict verdict =
      match_one(advisory("CVE-2005-2541", "tar", {{}}), installed("tar", "1.34+dfsg-1"));
  ASSERT_EQ(verdict.matches.size(), 1U);
  EXPECT_EQ(verdict.matches[0].evidence.sentence, "no fixed version yet");
  EXPECT_EQ(verdict.matches[0].cve, "CVE-2005-2541");
}

TEST(Match, HonoursEveryEndOfARange) {
  const Advisory row = advisory("CVE-2099-0001", "widget",
                                {{"1.0", "1.5", ""}, {"2.0", "", "2.3"}, {"3.0", "", ""}});
  const auto sentence = [&](const char* version) {
    const Verdict verdict = match_one(row, installed("widget", version));
    return verdict.matches.empty() ? std::string("none") : verdict.matches[0].evidence.sentence;
  };
  EXPECT_EQ(sentence("0.9"), "none");
  EXPECT_EQ(sentence("1.0"), "1.0 <= 1.0 < 1.5 (deb)");
  EXPECT_EQ(sentence("1.4"), "1.0 <= 1.4 < 1.5 (deb)");
  EXPECT_EQ(sentence("1.5"), "none");
  EXPECT_EQ(sentence("2.3"), "2.0 <= 2.3 <= 2.3 (deb)");
  EXPECT_EQ(sentence("2.3.1"), "none");
  EXPECT_EQ(sentence("3.0"), "3.0 <= 3.0, no fixed version yet (deb)");
}

TEST(Match, ComparesTheSourcesVersionAndNotTheBinarys) {
  const Advisory row = fixed_in("CVE-2099-0001", "util-linux", "2.36.1-8+deb11u2");
  const Package package = installed("bsdutils", "1:2.36.1-8", "util-linux", "2.36.1-8");
  const Verdict verdict = match_one(row, package);
  ASSERT_EQ(verdict.state, State::vulnerable);
  EXPECT_EQ(verdict.matches[0].evidence.installed, "2.36.1-8");
  // The rebuild "+b1" sorts above the fix "+a1" of the same version; the source does not have it.
  const Advisory close = fixed_in("CVE-2099-0002", "widget", "1.0-1+a1");
  EXPECT_EQ(match_one(close, installed("widget", "1.0-1+b1")).state, State::vulnerable);
  EXPECT_EQ(match_one(close, installed("w", "1.0-1+b1", "widget")).state, State::vulnerable);
  EXPECT_EQ(match_one(close, installed("w", "1.0-1+b1", "widget", "1.0-1+b1")).state,
            State::not_vulnerable);
}

TEST(Match, KnowsTheSourceOfCommonBinariesThatCameWithoutIt) {
  const Advisory row = fixed_in("CVE-2099-0001", "glibc", "2.31-13+deb11u7");
  const Verdict verdict = match_one(row, installed("libc6:amd64", "2.31-13+deb11u6"));
  ASSERT_EQ(verdict.state, State::vulnerable);
  EXPECT_EQ(verdict.matches[0].evidence.package, "glibc");
  EXPECT_EQ(match_one(row, installed("bsdutils", "1:2.36.1-8")).reason, Reason::source_unknown);
  EXPECT_EQ(match_one(row, installed("libobscure7", "1.0-1")).reason, Reason::source_unknown);
}

TEST(Match, PackageWithoutCodeHasNoneOfItsSourcesIssues) {
  const Advisory row = fixed_in("CVE-2021-1", "glibc", "2.31-13+deb11u3");
  for (const char* name : {"libc-l10n", "glibc-doc", "glibc-locales"}) {
    const Verdict verdict = match_one(row, installed(name, "2.31-13", "glibc"));
    EXPECT_EQ(verdict.state, State::not_vulnerable) << name;
    EXPECT_EQ(verdict.reason, Reason::no_code) << name;
    EXPECT_EQ(match_one(row, installed(name, "2.31-14", "glibc")).reason, Reason::outside_ranges);
  }
  EXPECT_EQ(match_one(row, installed("libc6", "2.31-13", "glibc")).state, State::vulnerable);
  const Advisory own = fixed_in("CVE-2021-1", "iceape-l10n", "2");
  EXPECT_EQ(match_one(own, installed("iceape-l10n", "1")).state, State::vulnerable)
      << "a source of its own";
}

TEST(Match, SourcePackageThatTheTrackerDoesNotListIsNotVulnerable) {
  const Verdict verdict = match_one(fixed_in("CVE-2099-0001", "openssl", "1"),
                                    installed("adduser", "3.118", "adduser", "3.118"));
  EXPECT_EQ(verdict.state, State::not_vulnerable);
  EXPECT_EQ(verdict.reason, Reason::no_advisory);
  EXPECT_EQ(match_one(fixed_in("CVE-2099-0001", "openssl", "1"), installed("adduser", "3.118")),
            verdict);
}

TEST(Match, StaysWithinTheRelease) {
  Advisory row = fixed_in("CVE-2099-0001", "openssl", "3.0.9-1");
  row.distro = "debian:bookworm";
  Package package = installed("openssl", "1.1.1n-0+deb11u5");
  EXPECT_EQ(match_one(row, package).reason, Reason::distro_not_covered);
  EXPECT_EQ(match_one(row, package).state, State::not_assessed);
  const auto both = Index::build({row, fixed_in("CVE-2099-0002", "bash", "1")});
  EXPECT_EQ(match(*both, package).reason, Reason::no_advisory);
  package.distro = "Debian:12.5";
  EXPECT_EQ(match(*both, package).state, State::vulnerable);
}

TEST(Match, NeverReportsWhatIsNotAffectedOrUndetermined) {
  Advisory row = advisory("CVE-2099-0001", "widget", {{}});
  row.status = Advisory::Status::not_affected;
  EXPECT_EQ(match_one(row, installed("widget", "1.0")).state, State::not_vulnerable);
  row.status = Advisory::Status::undetermined;
  const Verdict verdict = match_one(row, installed("widget", "1.0"));
  EXPECT_EQ(verdict.state, State::not_assessed);
  EXPECT_EQ(verdict.reason, Reason::undetermined);
  EXPECT_EQ(verdict.undetermined, 1U);
  EXPECT_TRUE(verdict.matches.empty());
}

TEST(Match, LetsNotAffectedSilenceTheSameIdOfAnotherFeed) {
  Advisory other = advisory("CVE-2099-0001", "widget", {{}});
  other.feed = "osv";
  Advisory own = other;
  own.feed = "debian";
  own.status = Advisory::Status::not_affected;
  const Advisory second = advisory("CVE-2099-0002", "widget", {{}});
  const Verdict verdict = match(*Index::build({other, own, second}), installed("widget", "1.0"));
  ASSERT_EQ(verdict.matches.size(), 1U);
  EXPECT_EQ(verdict.matches[0].id, "CVE-2099-0002");
}

TEST(Match, WithoutAVersionOfTheSchemeAssessesNothing) {
  const Advisory row = advisory("CVE-2099-0001", "widget", {{}});
  EXPECT_EQ(match_one(row, installed("widget", "")).reason, Reason::version_missing);
  for (const char* version : {"unknown", "1.0 (x64)", "n/a", "1.0_2"}) {
    EXPECT_EQ(match_one(row, installed("widget", version)).reason, Reason::version_invalid);
    EXPECT_EQ(match_one(row, installed("widget", version)).state, State::not_assessed);
  }
}

TEST(Match, WithARangeThatCannotBeReadIsNotClean) {
  const Advisory bad = fixed_in("CVE-2099-0001", "widget", "see notes");
  const Verdict verdict = match_one(bad, installed("widget", "1.0"));
  EXPECT_EQ(verdict.state, State::not_assessed);
  EXPECT_EQ(verdict.reason, Reason::advisory_invalid);
  EXPECT_EQ(verdict.incomparable, 1U);
  const auto both = Index::build({bad, fixed_in("CVE-2099-0002", "widget", "2.0")});
  EXPECT_EQ(match(*both, installed("widget", "1.0")).state, State::vulnerable);
  EXPECT_EQ(match(*both, installed("widget", "1.0")).incomparable, 1U);
}

TEST(Match, SaysWhyItCannotAssess) {
  const auto index = Index::build({advisory("CVE-2099-0001", "widget", {{}})});
  Package package = installed("widget", "1.0");
  package.distro = "";
  EXPECT_EQ(match(*index, package).reason, Reason::distro_unknown);
  package.ecosystem = Ecosystem::npm;
  EXPECT_EQ(match(*index, package).reason, Reason::unsupported_ecosystem);
  package.ecosystem = Ecosystem::unknown;
  EXPECT_EQ(match(*index, package).reason, Reason::no_identity);
  package.cpe = "cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*";
  EXPECT_EQ(match(*index, package).reason, Reason::cpe_not_covered);
  package.ecosystem = Ecosystem::apk;
  package.distro = "alpine:3.18";
  EXPECT_EQ(match(*index, package).reason, Reason::distro_not_covered);
  for (const Reason reason :
       {Reason::distro_unknown, Reason::unsupported_ecosystem, Reason::no_identity,
        Reason::cpe_not_covered, Reason::distro_not_covered}) {
    EXPECT_EQ(state_of(reason), State::not_assessed);
    EXPECT_FALSE(reason_text(reason).empty());
  }
  EXPECT_EQ(reason_name(Reason::distro_not_covered), "distro_not_covered");
  EXPECT_EQ(state_name(State::not_assessed), "not_assessed");
}

TEST(Match, WhatComesAfterTheFixInUnstableHasItInEveryRelease) {
  Advisory sid = fixed_in("CVE-2099-0001", "widget", "2.0-3");
  sid.distro = "debian:sid";
  const auto index = Index::build({advisory("CVE-2099-0001", "widget", {{}}), sid});
  EXPECT_EQ(match(*index, installed("widget", "1.9-1")).state, State::vulnerable);
  EXPECT_EQ(match(*index, installed("widget", "2.0-2")).state, State::vulnerable);
  EXPECT_EQ(match(*index, installed("widget", "2.0-3")).reason, Reason::outside_ranges)
      << "taken from testing";
  sid.status = Advisory::Status::not_affected;
  const auto never = Index::build({advisory("CVE-2099-0001", "widget", {{}}), sid});
  EXPECT_EQ(match(*never, installed("widget", "2.0-3")).state, State::vulnerable)
      << "that unstable never had it is no fix";
}

TEST(Match, ABackportIsComparedWithWhatItWasMadeFrom) {
  Advisory sid = fixed_in("CVE-2099-0001", "widget", "2.0-3");
  sid.distro = "debian:sid";
  const Advisory release = fixed_in("CVE-2099-0001", "widget", "1.9-1+deb11u1");
  const auto index = Index::build({release, sid});
  const Verdict old = match(*index, installed("widget", "2.0-2~bpo11+1"));
  ASSERT_EQ(old.state, State::vulnerable) << "though it is above the release's fix";
  EXPECT_EQ(old.matches[0].evidence.distro, "debian:sid");
  EXPECT_EQ(old.matches[0].evidence.installed, "2.0-2");
  EXPECT_EQ(match(*index, installed("widget", "2.0-3~bpo11+1")).state, State::not_vulnerable);
  EXPECT_EQ(match(*index, installed("widget", "2.0-3~bpo11+1+b2")).state, State::not_vulnerable);
  EXPECT_EQ(match_one(release, installed("widget", "1.8-1~bpo11+1")).state, State::vulnerable)
      << "no feed has unstable";
}

TEST(Match, HasASchemeForEveryEcosystem) {
#define ECOSYSTEM(name, scheme) EXPECT_TRUE(version::parse_scheme(#scheme)) << #name;
#include "model/ecosystems.def"
#undef ECOSYSTEM
}

TEST(Evidence, IsOneJsonObject) {
  const Verdict verdict = match_one(fixed_in("CVE-2099-0001", "openssl", "1.1.1n-0+deb11u5"),
                                    installed("openssl", "1.1.1n-0+deb11u3"));
  EXPECT_EQ(
      encode_evidence(verdict.matches.at(0).evidence),
      R"J({"feed": "debian", "advisory": "CVE-2099-0001", "package": "openssl", )J"
      R"J("distro": "debian:11", "scheme": "deb", "installed": "1.1.1n-0+deb11u3", )J"
      R"J("range": {"introduced": null, "fixed": "1.1.1n-0+deb11u5", "last_affected": null}, )J"
      R"J("sentence": "1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u5 (deb)"})J");
}

/// Advisories that collide in every way: same ids, packages, releases, statuses and repeats.
std::vector<Advisory> tangled(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<Advisory> rows;
  for (std::size_t i = 0; i < count; ++i) {
    Advisory row = fixed_in("CVE-2099-" + std::to_string(1000 + random() % 20),
                            "p" + std::to_string(random() % 4),
                            random() % 5 == 0 ? "" : "1." + std::to_string(random() % 9));
    row.feed = random() % 2 == 0 ? "debian" : "osv";
    row.distro = random() % 2 == 0 ? "debian:11" : "debian:bookworm";
    row.status = static_cast<Advisory::Status>(random() % 3);
    row.summary = std::string(random() % 3, 's');
    if (random() % 4 == 0) row.ranges.push_back({"1." + std::to_string(random() % 9), "", ""});
    if (random() % 7 == 0) row.ranges.push_back({"", "no version", ""});
    if (random() % 4 == 0) row.aliases = {"GHSA-" + std::to_string(random() % 3)};
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(Match, DoesNotDependOnTheOrderOfTheAdvisories) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    std::vector<Advisory> rows = tangled(seed, 120);
    const auto first = Index::build(rows);
    std::mt19937 random(seed);
    for (int round = 0; round < 10; ++round) {
      std::shuffle(rows.begin(), rows.end(), random);
      const auto again = Index::build(rows);
      ASSERT_EQ(again->size(), first->size());
      for (int package = 0; package < 5; ++package) {
        for (int minor = 0; minor < 10; ++minor) {
          const auto subject =
              installed("p" + std::to_string(package), "1." + std::to_string(minor));
          ASSERT_EQ(match(*again, subject), match(*first, subject));
          ASSERT_EQ(match(*first, subject), match(*first, subject));
        }
      }
    }
  }
}

}  // namespace
}  // namespace muster::vuln
