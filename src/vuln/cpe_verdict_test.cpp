// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_verdict.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

using model::Advisory;
using model::CpeConfiguration;
using model::CpeCriterion;
using model::CpeNode;
using model::Ecosystem;
using model::Package;

/// "a:rarlab:winrar" and what follows in a formatted string, filled up with ANY.
std::string cpe(std::string text) {
  text = "cpe:2.3:" + text;
  while (std::count(text.begin(), text.end(), ':') < 12) text += ":*";
  return text;
}

CpeCriterion affected(const std::string& name, model::VersionRange range = {}) {
  return {cpe(name), true, std::move(range)};
}

CpeCriterion platform(const std::string& name, model::VersionRange range = {}) {
  return {cpe(name), false, std::move(range)};
}

Advisory nvd(std::vector<CpeConfiguration> configurations, std::string id = "CVE-2099-0001") {
  Advisory row;
  row.feed = "nvd";
  row.id = std::move(id);
  row.configurations = std::move(configurations);
  return row;
}

Advisory any_of(std::vector<CpeCriterion> criteria) {
  return nvd({{false, false, {{false, false, std::move(criteria)}}}});
}

Advisory all_of(std::vector<CpeNode> parts) {
  return nvd({{true, false, std::move(parts)}});
}

CpeNode node(std::vector<CpeCriterion> criteria) {
  return {false, false, std::move(criteria)};
}

Package program(const std::string& name, std::string version,
                Ecosystem ecosystem = Ecosystem::unknown) {
  Package package;
  package.name = "some program";
  package.version = std::move(version);
  package.ecosystem = ecosystem;
  package.cpe = cpe(name);
  return package;
}

Verdict verdict_of(const Advisory& row, const Package& package) {
  return match(*Index::build({row}), package);
}

bool holds(const Advisory& row, const Package& package) {
  return verdict_of(row, package).state == State::vulnerable;
}

Verdict settled(const Advisory& row, const Package& package, const Surroundings& surroundings) {
  const auto index = Index::build({row});
  return settle(*index, package, match(*index, package), surroundings);
}

const Surroundings windows("Microsoft Windows 10 Pro", "10.0.19045.4046", {}, CpeIndex());
const Surroundings debian("Debian GNU/Linux 12 (bookworm)", "12", {}, CpeIndex());

TEST(CpeMatch, FindsAVersionInItsRangeAndSaysWhy) {
  const Verdict verdict = verdict_of(any_of({affected("a:rarlab:winrar", {"5.0", "6.23", ""})}),
                                     program("a:rarlab:winrar", "6.22", Ecosystem::windows));
  EXPECT_EQ(verdict.reason, Reason::in_range);
  ASSERT_EQ(verdict.matches.size(), 1U);
  const Evidence expected{"nvd",
                          "CVE-2099-0001",
                          "rarlab:winrar",
                          "",
                          "windows",
                          "6.22",
                          {"5.0", "6.23", ""},
                          "5.0 <= 6.22 < 6.23 (windows)",
                          cpe("a:rarlab:winrar"),
                          {}};
  EXPECT_EQ(verdict.matches[0].evidence, expected);
  EXPECT_EQ(verdict.matches[0].cve, "CVE-2099-0001");
}

TEST(CpeMatch, HonoursTheFourBounds) {
  const auto in = [](model::VersionRange range, const char* version) {
    return holds(any_of({affected("a:v:p", std::move(range))}), program("a:v:p", version));
  };
  EXPECT_TRUE(in({"1.0", "2.0", ""}, "1.0"));
  EXPECT_FALSE(in({"1.0", "2.0", ""}, "2.0"));
  EXPECT_FALSE(in({"1.0", "2.0", ""}, "0.9"));
  EXPECT_TRUE(in({"", "", "2.0"}, "2.0"));
  EXPECT_TRUE(in({"", "", "2.0"}, "2.0.0"));
  EXPECT_FALSE(in({"", "", "2.0"}, "2.0.1"));
  EXPECT_FALSE(in({"", "2.0", "", "1.0"}, "1.0"));
  EXPECT_TRUE(in({"", "2.0", "", "1.0"}, "1.0.1"));
  EXPECT_TRUE(in({"", "2.10", ""}, "2.9"));
}

TEST(CpeMatch, SaysThatAnOpenEndIsLessThanCertain) {
  const Verdict open =
      verdict_of(any_of({affected("a:v:p", {"1.0", "", ""})}), program("a:v:p", "3"));
  ASSERT_EQ(open.matches.size(), 1U);
  EXPECT_EQ(open.matches[0].evidence.caveats.size(), 1U);
  const Verdict every = verdict_of(any_of({affected("a:v:p")}), program("a:v:p", "3"));
  ASSERT_EQ(every.matches.size(), 1U);
  EXPECT_EQ(every.matches[0].evidence.caveats.size(), 1U);
  EXPECT_EQ(every.matches[0].evidence.sentence, "3 is one of all versions (generic)");
}

TEST(CpeMatch, TakesAVersionThatDoesNotApplyForNone) {
  EXPECT_FALSE(holds(any_of({affected("a:v:p:-")}), program("a:v:p", "1.0")));
}

TEST(CpeMatch, HoldsANameWithoutAVersionToCriteriaWithoutOne) {
  const Advisory row = any_of({affected("o:microsoft:windows_7:-:sp1")});
  const Verdict found = verdict_of(row, program("o:microsoft:windows_7:-:sp1", ""));
  ASSERT_EQ(found.matches.size(), 1U);
  EXPECT_EQ(found.matches[0].evidence.sentence, "the product is named without a version");
  EXPECT_FALSE(holds(row, program("o:microsoft:windows_7:-", "")));
  EXPECT_FALSE(holds(row, program("o:microsoft:windows_7:-:sp1", "6.1.7601")));
  EXPECT_FALSE(holds(any_of({affected("a:v:p:1.0")}), program("a:v:p:-", "")));
  EXPECT_FALSE(holds(any_of({affected("a:v:p", {"", "2.0", ""})}), program("a:v:p:-", "")));
  EXPECT_TRUE(holds(any_of({affected("a:v:p")}), program("a:v:p:-", ""))) << "all versions";
  EXPECT_EQ(verdict_of(any_of({affected("a:v:p:-")}), program("a:v:p:*", "")).reason,
            Reason::version_missing)
      << "it has one that is not known";
}

TEST(CpeMatch, ComparesExactVersionsAndUpdates) {
  const auto exact = [](const char* criterion, const char* version) {
    return holds(any_of({affected(std::string("a:openbsd:openssh:") + criterion)}),
                 program("a:openbsd:openssh", version));
  };
  EXPECT_TRUE(exact("7.9:p1", "7.9p1"));
  EXPECT_TRUE(exact("7.9:patch_1", "7.9p1"));
  EXPECT_FALSE(exact("7.9:p1", "7.9p2"));
  EXPECT_FALSE(exact("7.9:p1", "7.9"));
  EXPECT_TRUE(exact("7.9", "7.9p1"));
  EXPECT_TRUE(exact("7.9.0", "7.9"));
  EXPECT_FALSE(exact("7.9:-", "7.9p1"));
  EXPECT_TRUE(exact("7.9:-", "7.9"));
  EXPECT_TRUE(exact("7.9p1", "7.9p1"));
  EXPECT_TRUE(exact("7.*", "7.9p1"));
  EXPECT_FALSE(exact("8.*", "7.9p1"));
  EXPECT_FALSE(exact("7.8", "7.9p1"));
}

TEST(CpeMatch, CountsPatchesToTheVersionThatABoundNames) {
  const auto in = [](model::VersionRange range, const char* version) {
    return holds(any_of({affected("a:openbsd:openssh", std::move(range))}),
                 program("a:openbsd:openssh", version));
  };
  EXPECT_TRUE(in({"", "", "8.7"}, "8.7p1"));
  EXPECT_FALSE(in({"", "8.7", ""}, "8.7p1"));
  EXPECT_TRUE(in({"", "8.7p2", ""}, "8.7p1"));
  EXPECT_FALSE(in({"", "8.7p2", ""}, "8.7p2"));
  // What comes before a release is not it.
  EXPECT_TRUE(in({"", "2.0", ""}, "2.0-rc1"));
  EXPECT_FALSE(in({"2.0", "", "3.0"}, "2.0-rc1"));
}

TEST(CpeMatch, APrereleaseIsBeforeTheReleaseThatEndsARange) {
  const auto in = [](model::VersionRange range, const char* version,
                     Ecosystem ecosystem = Ecosystem::unknown) {
    return holds(any_of({affected("a:v:p", std::move(range))}),
                 program("a:v:p", version, ecosystem));
  };
  for (const char* version : {"9.0.0.M1", "9.0.0-M27", "9.0.0.CR2", "9.0.0b3", "9.0.0-b180830.0359",
                              "9.0-milestone1", "9.0.0.RC1", "9.0-ea"}) {
    EXPECT_TRUE(in({"8.5", "9.0.0", ""}, version)) << version;
    EXPECT_TRUE(in({"8.5", "9.0.0", ""}, version, Ecosystem::windows)) << version;
    EXPECT_FALSE(in({"9.0.0", "", "9.1"}, version)) << version;
  }
  for (const char* version : {"9.0.0", "9.0.0.Final", "9.0.0.RELEASE", "9.0-GA"}) {
    EXPECT_FALSE(in({"8.5", "9.0.0", ""}, version)) << version;
    EXPECT_TRUE(in({"8.5", "", "9.0.0"}, version)) << version;
  }
  EXPECT_TRUE(in({"9.0.0.M1", "9.0.0.M18", ""}, "9.0.0.M17"));
  EXPECT_FALSE(in({"9.0.0.M1", "9.0.0.M18", ""}, "9.0.0.M18"));
  EXPECT_FALSE(in({"", "1.0.2", ""}, "1.0.2a")) << "a patch";
}

TEST(CpeMatch, AnUpdateThatNamesTheReleaseIsNone) {
  const Advisory row = any_of({affected("a:redhat:wildfly:10.0.0:final")});
  EXPECT_TRUE(holds(row, program("a:redhat:wildfly", "10.0.0.Final")));
  EXPECT_TRUE(holds(row, program("a:redhat:wildfly", "10.0.0")));
  EXPECT_TRUE(holds(row, program("a:redhat:wildfly:10.0.0:final", "")));
  EXPECT_FALSE(holds(row, program("a:redhat:wildfly", "10.0.0.CR2")));
  EXPECT_FALSE(holds(row, program("a:redhat:wildfly", "10.0.1.Final")));
}

TEST(CpeMatch, FindsAMilestoneThatNvdNamesAsAnUpdate) {
  const Advisory row = any_of({affected("a:apache:tomcat:9.0.0:milestone17")});
  for (const char* version : {"9.0.0.M17", "9.0.0-M17", "9.0.0-milestone17"}) {
    EXPECT_TRUE(holds(row, program("a:apache:tomcat", version))) << version;
  }
  EXPECT_FALSE(holds(row, program("a:apache:tomcat", "9.0.0.M1")));
  EXPECT_FALSE(holds(row, program("a:apache:tomcat", "9.0.0")));
}

TEST(CpeMatch, WantsTheUpdateOfARangeToo) {
  const Advisory row = any_of({affected("a:v:p:*:sp2", {"", "", "10"})});
  EXPECT_TRUE(holds(row, program("a:v:p", "10 SP2")));
  EXPECT_TRUE(holds(row, program("a:v:p:10:sp2", "")));
  EXPECT_FALSE(holds(row, program("a:v:p", "10 SP1")));
  EXPECT_FALSE(holds(row, program("a:v:p", "9")));
}

TEST(CpeMatch, ComparesUnderTheProductsScheme) {
  const Advisory openssl = any_of({affected("a:openssl:openssl", {"1.0.2", "1.0.2zg", ""})});
  EXPECT_TRUE(holds(openssl, program("a:openssl:openssl", "1.0.2k")));
  EXPECT_TRUE(holds(openssl, program("a:openssl:openssl", "1.0.2zf")));
  EXPECT_FALSE(holds(openssl, program("a:openssl:openssl", "1.0.2zh")));
  const Advisory java = any_of({affected("a:oracle:jre:1.8.0:update351")});
  EXPECT_TRUE(holds(java, program("a:oracle:jre", "8.0.3510.10", Ecosystem::windows)));
  EXPECT_TRUE(holds(java, program("a:oracle:jre", "1.8.0_351")));
  EXPECT_FALSE(holds(java, program("a:oracle:jre", "1.8.0_361")));
}

TEST(CpeMatch, ReadsTheVersionsThatInstallersWrite) {
  const Advisory minio = any_of({affected("a:minio:minio", {"", "2024-06-26t01-06-18z", ""})});
  EXPECT_TRUE(holds(minio, program("a:minio:minio", "RELEASE.2024-05-10T01-41-38Z")));
  EXPECT_FALSE(holds(minio, program("a:minio:minio", "RELEASE.2024-06-26T01-06-18Z")));
  const Advisory range = any_of({affected("a:v:p", {"", "23.01", ""})});
  EXPECT_TRUE(holds(range, program("a:v:p", "22.01 (x64)", Ecosystem::windows)));
  EXPECT_TRUE(holds(range, program("a:v:p", "Version 22.01", Ecosystem::windows)));
  EXPECT_FALSE(holds(range, program("a:v:p", "Program 23.01 (64-bit)")));
}

TEST(CpeMatch, AssessesNothingWithoutAVersion) {
  const Advisory row = any_of({affected("a:v:p")});
  EXPECT_EQ(verdict_of(row, program("a:v:p", "")).reason, Reason::version_missing);
  EXPECT_EQ(verdict_of(row, program("a:v:p", "unknown")).reason, Reason::version_invalid);
  EXPECT_EQ(verdict_of(row, program("a:v:other", "1")).reason, Reason::product_unknown);
  EXPECT_EQ(match(*Index::build({}), program("a:v:p", "1")).reason, Reason::cpe_not_covered);
}

TEST(CpeMatch, IsNotCleanWhereABoundCannotBeRead) {
  const Verdict verdict =
      verdict_of(any_of({affected("a:v:p", {"", "none yet", ""})}), program("a:v:p", "1"));
  EXPECT_EQ(verdict.reason, Reason::advisory_invalid);
  EXPECT_EQ(verdict.incomparable, 1U);
}

TEST(CpeMatch, NeverReportsAPlatform) {
  const Advisory row = all_of({node({affected("a:apache:http_server:2.4.37")}),
                               node({platform("a:openssl:openssl", {"1.1.1", "", ""})})});
  const Verdict verdict = verdict_of(row, program("a:openssl:openssl", "1.1.1k"));
  EXPECT_TRUE(verdict.matches.empty());
  EXPECT_TRUE(verdict.conditional.empty());
}

TEST(CpeMatch, LeavesOpenWhatDependsOnOtherSoftwareAndSettlesIt) {
  const Advisory row = all_of({node({affected("a:apache:http_server:2.4.37")}),
                               node({platform("a:openssl:openssl", {"1.1.1", "", ""})})});
  const Package server = program("a:apache:http_server", "2.4.37");
  const Verdict open = verdict_of(row, server);
  EXPECT_EQ(open.reason, Reason::depends_on_host);
  EXPECT_EQ(open.state, State::not_assessed);
  EXPECT_EQ(open.conditional.size(), 1U);
  const auto with = [&](const char* version) {
    return settled(row, server,
                   {"", "", {server, program("a:openssl:openssl", version)}, CpeIndex()});
  };
  EXPECT_EQ(with("1.1.1k").state, State::vulnerable);
  EXPECT_TRUE(with("1.1.1k").matches[0].evidence.caveats.empty());
  EXPECT_EQ(with("1.0.2k").reason, Reason::platform_absent);
  EXPECT_EQ(settled(row, server, {"", "", {server}, CpeIndex()}).reason, Reason::platform_absent);
}

TEST(CpeMatch, KnowsOnWhichSystemASoftwareIs) {
  const Advisory row =
      all_of({node({affected("a:adobe:reader", {"", "", "11.0"})}),
              node({platform("o:microsoft:windows:-"), platform("o:apple:macos:-")})});
  const Package reader = program("a:adobe:reader", "10.1");
  EXPECT_EQ(settled(row, reader, windows).state, State::vulnerable);
  EXPECT_TRUE(settled(row, reader, windows).matches[0].evidence.caveats.empty());
  EXPECT_EQ(settled(row, reader, debian).reason, Reason::platform_absent);
  const Verdict somewhere = settled(row, reader, {"", "", {}, CpeIndex()});
  ASSERT_EQ(somewhere.matches.size(), 1U);
  EXPECT_EQ(somewhere.matches[0].evidence.caveats.size(), 2U);
}

TEST(CpeMatch, KnowsTheReleaseAndBuildOfWindows) {
  const auto on = [](const char* system, model::VersionRange range) {
    return settled(
               all_of({node({affected("a:v:p:1")}), node({platform(system, std::move(range))})}),
               program("a:v:p", "1"), windows)
        .state;
  };
  EXPECT_EQ(on("o:microsoft:windows_10:-", {}), State::vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_10_22h2", {"", "10.0.19045.5000", ""}), State::vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_10_22h2", {"", "10.0.19045.4000", ""}), State::not_vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_11_22h2", {}), State::not_vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_server_2022:-", {}), State::not_vulnerable);
}

TEST(CpeMatch, KnowsWhichSystemAReleaseOfWindowsIs) {
  const Surroundings bare("Microsoft Windows", "10.0.22631.3000", {}, CpeIndex());
  const auto on = [&](const char* system) {
    return settled(all_of({node({affected("a:v:p:1")}), node({platform(system)})}),
                   program("a:v:p", "1"), bare)
        .state;
  };
  EXPECT_EQ(on("o:microsoft:windows_11_23h2:-"), State::vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_11:-"), State::vulnerable);
  EXPECT_EQ(on("o:microsoft:windows_10:-"), State::not_vulnerable);
}

TEST(CpeMatch, HoldsTheUpdateThatANameStatesToTheCriterionsWhateverItIsCalled) {
  const Advisory row = any_of({affected("o:vmware:esxi:6.7:670-202011301")});
  EXPECT_TRUE(holds(row, program("o:vmware:esxi:6.7:670-202011301", "")));
  EXPECT_FALSE(holds(row, program("o:vmware:esxi:6.7:670-202102401", "")));
  EXPECT_FALSE(holds(row, program("o:vmware:esxi:6.7", "")));
  const Advisory range = any_of({affected("o:vmware:esxi", {"", "6.7", ""})});
  EXPECT_FALSE(holds(range, program("o:vmware:esxi:6.7:670-202011301", "")));
}

TEST(CpeMatch, TakesTheHardwareOfFirmwareForGiven) {
  const Advisory row = all_of(
      {node({affected("o:cisco:rv320_firmware:1.4.2.17")}), node({platform("h:cisco:rv320:-")})});
  const Verdict firmware = verdict_of(row, program("o:cisco:rv320_firmware:1.4.2.17", ""));
  EXPECT_EQ(firmware.state, State::vulnerable);
  EXPECT_TRUE(firmware.matches[0].evidence.caveats.empty());
  const Advisory app = all_of({node({affected("a:v:p:1")}), node({platform("h:v:box:-")})});
  const Verdict unknown = settled(app, program("a:v:p", "1"), debian);
  ASSERT_EQ(unknown.matches.size(), 1U);
  EXPECT_EQ(unknown.matches[0].evidence.caveats.size(), 1U);
}

TEST(CpeMatch, NegatesNodesAndConfigurations) {
  const auto without = [](std::vector<Package> software) {
    software.push_back(program("a:v:p", "1"));
    return settled(all_of({node({affected("a:v:p:1")}), {false, true, {platform("a:v:shield")}}}),
                   program("a:v:p", "1"), {"", "", software, CpeIndex()})
        .state;
  };
  EXPECT_EQ(without({}), State::vulnerable);
  EXPECT_EQ(without({program("a:v:shield", "3")}), State::not_vulnerable);
  EXPECT_FALSE(holds(nvd({{false, true, {node({affected("a:v:p:1")})}}}), program("a:v:p", "1")));
}

TEST(CpeMatch, GatesByTheTargetSoftware) {
  const auto on = [](const char* target, const Package& package, const Surroundings& host) {
    return settled(any_of({affected(std::string("a:v:p:1:*:*:*:*:") + target)}), package, host);
  };
  const Package windows_program = program("a:v:p", "1", Ecosystem::windows);
  EXPECT_EQ(on("windows", windows_program, {}).state, State::vulnerable);
  EXPECT_EQ(on("-", windows_program, {}).state, State::vulnerable);
  for (const char* target : {"wordpress", "android", "macos", "node.js", R"(joomla\!)"}) {
    EXPECT_EQ(on(target, windows_program, {}).state, State::not_vulnerable) << target;
  }
  const Package reported = program("a:v:p", "1");
  EXPECT_EQ(on("iphone_os", reported, windows).state, State::not_vulnerable);
  EXPECT_EQ(on("windows", reported, windows).state, State::vulnerable);
  EXPECT_EQ(on("windows", reported, debian).state, State::not_vulnerable);
  EXPECT_EQ(on("wordpress", reported, debian).matches.at(0).evidence.caveats.size(), 1U);
  const Verdict unknown = on("windows", reported, {"", "", {}, CpeIndex()});
  ASSERT_EQ(unknown.matches.size(), 1U);
  EXPECT_EQ(unknown.matches[0].evidence.caveats.size(), 1U);
}

TEST(CpeMatch, NamesAnEditionThatItDoesNotKnow) {
  const Advisory row = any_of({affected("a:v:p:1:*:*:*:enterprise")});
  const Verdict verdict = verdict_of(row, program("a:v:p", "1"));
  ASSERT_EQ(verdict.matches.size(), 1U);
  EXPECT_EQ(verdict.matches[0].evidence.caveats.at(0),
            "the edition is not known; the advisory is about \"enterprise\"");
  EXPECT_FALSE(holds(row, program("a:v:p:1:*:*:*:community", "")));
  EXPECT_TRUE(holds(row, program("a:v:p:1:*:*:*:enterprise", "")));
}

TEST(CpeMatch, KeepsAnExtendedSupportReleaseApart) {
  Package esr = program("", "115.9.0", Ecosystem::windows);
  esr.name = "Mozilla Firefox ESR (x64 en-US)";
  esr.cpe = "";
  const auto firefox = [](const char* edition) {
    return any_of(
        {affected(std::string("a:mozilla:firefox:*:*:*:*:") + edition, {"", "124.0", ""})});
  };
  EXPECT_FALSE(holds(firefox("*"), esr));
  EXPECT_FALSE(holds(firefox("-"), esr));
  EXPECT_TRUE(holds(firefox("esr"), esr));
  EXPECT_TRUE(holds(any_of({affected("a:mozilla:firefox_esr", {"", "115.10", ""})}), esr));
}

TEST(CpeMatch, IsNeverAskedAboutADistributionsPackage) {
  Package package = program("a:openssl:openssl", "1.1.1n-0+deb11u3", Ecosystem::deb);
  package.distro = "debian:11";
  package.source_name = "openssl";
  const Advisory row = any_of({affected("a:openssl:openssl", {"", "1.1.1o", ""})});
  EXPECT_TRUE(verdict_of(row, package).matches.empty());
  EXPECT_EQ(verdict_of(row, package).reason, Reason::distro_not_covered);
}

TEST(CpeMatch, FindsCriteriaWithoutAnExactProduct) {
  EXPECT_TRUE(
      holds(any_of({affected("a:v:events_calendar*:1")}), program("a:v:events_calendar_pro", "1")));
  EXPECT_FALSE(holds(any_of({affected("a:v:events_calendar*:1")}), program("a:v:other", "1")));
}

TEST(CpeMatch, DoesNotDependOnTheOrderOfTheAdvisories) {
  std::mt19937 random(7);
  std::vector<Advisory> rows;
  for (int i = 0; i < 300; ++i) {
    const std::string product = "a:v:p" + std::to_string(random() % 5);
    Advisory row = any_of({affected(product, {"", std::to_string(random() % 20), ""})});
    row.id = "CVE-2099-" + std::to_string(1000 + random() % 100);
    row.summary = std::to_string(random() % 3);
    if (random() % 3 == 0) {
      row.configurations[0].all = true;
      row.configurations[0].nodes.push_back(node({platform("o:microsoft:windows:-")}));
    }
    rows.push_back(row);
    if (random() % 10 == 0) rows.push_back(row);
  }
  const auto first = Index::build(rows);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(rows.begin(), rows.end(), random);
    const auto other = Index::build(rows);
    ASSERT_EQ(first->size(), other->size());
    for (int p = 0; p < 5; ++p) {
      for (int version = 0; version < 20; ++version) {
        const Package package = program("a:v:p" + std::to_string(p), std::to_string(version));
        const Verdict expected = match(*first, package);
        ASSERT_EQ(match(*other, package), expected);
        ASSERT_EQ(settle(*other, package, expected, windows),
                  settle(*first, package, expected, windows));
      }
    }
  }
}

}  // namespace
}  // namespace muster::vuln
