// SPDX-License-Identifier: Apache-2.0
#include "feeds/osv/osv.h"
#include "base/testing.h"

#include <filesystem>
#include <iostream>
#include <unordered_set>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "feeds/decompress.h"
#include "feeds/osv/ecosystem.h"
#include "feeds/osv/ranges.h"
#include "version/test_support.h"
#include "vuln/index.h"
#include "vuln/match.h"

namespace muster::feeds {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Severity;
using model::VersionRange;
using version::Scheme;
using version::test::read_file;

struct Parsed {
  Result<FeedSummary> summary;
  std::vector<Advisory> advisories;
};

Parsed parse(std::string_view text) {
  std::vector<Advisory> advisories;
  auto summary = parse_osv(text, [&](Advisory&& row) { advisories.push_back(std::move(row)); });
  return {std::move(summary), std::move(advisories)};
}

Parsed parse_fixture() {
  return parse(read_file(source_directory() / "src/feeds/osv/fixtures/records.jsonl"));
}

std::vector<VersionRange> ranges_of(std::string_view affected, Scheme scheme = Scheme::semver) {
  JsonDocument document;
  return *read_osv_ranges(document.parse(affected).value(), scheme);
}

TEST(Osv, ARecordIsOneAdvisoryForEachPackageItNames) {
  const auto [summary, advisories] = parse_fixture();
  ASSERT_TRUE(summary.ok());
  ASSERT_EQ(advisories.size(), 3U);
  const Advisory& web = advisories[0];
  EXPECT_EQ(web.feed, "osv");
  EXPECT_EQ(web.id, "GHSA-aaaa-bbbb-cccc");
  EXPECT_EQ(web.aliases, std::vector<std::string>{"CVE-2099-0001"});
  EXPECT_EQ(web.cve(), "CVE-2099-0001");
  EXPECT_EQ(web.ecosystem, Ecosystem::pypi);
  EXPECT_EQ(web.package, "example-web-kit") << "as PyPI folds it, for both of its branches";
  EXPECT_EQ(web.severity, Severity::critical);
  EXPECT_EQ(web.score_tenths, 98);
  EXPECT_EQ(web.summary, "Flaw in example");
  const std::vector<VersionRange> ranges = {
      {"2.0", "2.4.1", ""}, {"1.0.dev1", "", "1.0.dev1"}, {"3.0", "", "3.1"}};
  EXPECT_EQ(web.ranges, ranges);
  EXPECT_EQ(advisories[1].package, "@example/web");
  EXPECT_EQ(advisories[1].ranges, (std::vector<VersionRange>{{"", "", "1.4.2"}}))
      << "GitHub's bound outside the schema";
}

TEST(Osv, TheFlawsOfABulletinAreNoAliasesOfOneAnother) {
  const auto [summary, advisories] = parse_fixture();
  const Advisory& bulletin = advisories.at(2);
  EXPECT_EQ(bulletin.id, "ALSA-2099:0001");
  EXPECT_EQ(bulletin.distro, "almalinux:9");
  EXPECT_TRUE(bulletin.aliases.empty());
  EXPECT_EQ(bulletin.flaws, (std::vector<std::string>{"CVE-2099-0002", "CVE-2099-0003"}));
  EXPECT_EQ(bulletin.severity, Severity::medium) << "\"Moderate: …\"";
  EXPECT_EQ(*model::decode_advisory(model::encode_advisory(bulletin)), bulletin);
}

TEST(Osv, WhatSaysNothingIsCountedAndWhatMakesNoSenseIsNamed) {
  const auto [summary, advisories] = parse_fixture();
  EXPECT_EQ(summary->records, 3U);
  EXPECT_EQ(summary->silent, 3U) << "withdrawn, of another ecosystem, and the broken one";
  EXPECT_EQ(summary->skipped, 1U);
  ASSERT_EQ(summary->remarks.size(), 1U);
  EXPECT_TRUE(summary->remarks[0].starts_with("PYSEC-2099-1.broken: events:"))
      << summary->remarks[0];
  EXPECT_EQ(summary->released, "2099-01-02T00:00:00Z");
  EXPECT_EQ(parse("[1, 2]").summary.error().code, Errc::invalid_field);
  EXPECT_EQ(parse("").summary.error().code, Errc::invalid_field);
  EXPECT_EQ(parse("{\"id\": ").summary.error().code, Errc::invalid_json);
}

TEST(OsvRanges, EventsCountInTheOrderOfVersionsAndNotOfTheFile) {
  const auto sorted = ranges_of(
      R"({"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"},
          {"introduced": "2.0.0"}, {"fixed": "2.10.0"}]}]})");
  const std::vector<VersionRange> expected = {{"", "1.0.0", ""}, {"2.0.0", "2.10.0", ""}};
  EXPECT_EQ(sorted, expected);
  EXPECT_EQ(ranges_of(R"({"ranges": [{"type": "SEMVER", "events": [{"fixed": "2.10.0"},
          {"fixed": "1.0.0"}, {"introduced": "2.0.0"}, {"introduced": "0"}]}]})"),
            expected);
}

TEST(OsvRanges, ARangeEndsAtTheFirstEndAndALimitIsOne) {
  EXPECT_EQ(ranges_of(R"({"ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"},
          {"limit": "2.0.0"}, {"fixed": "1.5.0"}, {"introduced": "1.2.0"}]}]})"),
            (std::vector<VersionRange>{{"1.0.0", "1.5.0", ""}}));
  EXPECT_EQ(ranges_of(R"({"ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"},
          {"limit": "*"}]}]})"),
            (std::vector<VersionRange>{{"1.0.0", "", ""}}));
}

TEST(OsvRanges, WithoutABeginningOrWithEndsThatAreNoVersionTheyAreRefused) {
  JsonDocument document;
  for (const std::string_view affected :
       {R"({"ranges": [{"type": "SEMVER", "events": [{"fixed": "1.0.0"}]}]})",
        R"({"ranges": [{"type": "SEMVER"}]})",
        R"({"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "x"}]}]})"}) {
    const auto ranges = read_osv_ranges(document.parse(affected).value(), Scheme::semver);
    EXPECT_EQ(ranges.error().code, Errc::invalid_field) << affected;
  }
}

TEST(OsvRanges, ListedVersionsTellWhereARangeMakesNoSense) {
  EXPECT_EQ(ranges_of(R"({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"},
          {"fixed": "0.2.0-n653"}]}], "versions": ["0.1", "0.2.0.dev1"]})",
                      Scheme::pep440),
            (std::vector<VersionRange>{{"0.1", "", "0.1"}, {"0.2.0.dev1", "", "0.2.0.dev1"}}));
}

TEST(Osv, WhatARegistrysRecordIsRelatedToAreOtherFlaws) {
  const auto record = [](const char* ecosystem) {
    return std::string(R"({"id": "X-1", "related": ["CVE-2099-0009"], "affected": [{"package":
        {"ecosystem": ")") +
           ecosystem + R"(", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events":
        [{"introduced": "0"}]}]}]})";
  };
  EXPECT_TRUE(parse(record("PyPI")).advisories.at(0).flaws.empty());
  EXPECT_EQ(parse(record("AlmaLinux:9")).advisories.at(0).flaws,
            std::vector<std::string>{"CVE-2099-0009"});
}

TEST(OsvEcosystem, ReadsThePartsOfSusesServer) {
  const auto distro = [](std::string_view part) {
    const auto read = read_osv_ecosystem("SUSE:Linux Enterprise " + std::string(part));
    return read ? read->distro : std::string("none");
  };
  for (const std::string_view part :
       {"Server 15 SP5", "Module for Basesystem 15 SP5", "Module for Python 3 15 SP5",
        "Module for Web and Scripting 15 SP5", "Server for SAP Applications 15 SP5",
        "Workstation Extension 15 SP5", "Live Patching 15 SP5", "Desktop 15 SP5"}) {
    EXPECT_EQ(distro(part), "sles:15.5") << part;
  }
  EXPECT_EQ(distro("Module for Toolchain 12"), "sles:12");
  for (const std::string_view part :
       {"Server 15 SP4-LTSS", "High Performance Computing 15 SP4-ESPOS", "Micro 5.5",
        "Module for Basesystem", "Module for ", "", "Server ", "Server 15 SP"}) {
    EXPECT_EQ(distro(part), "none") << part;
  }
}

TEST(OsvEcosystem, ReadsEveryFormThatIsPublished) {
  const auto of = [](std::string_view text) { return read_osv_ecosystem(text); };
  EXPECT_EQ(of("PyPI"), (OsvEcosystem{Ecosystem::pypi, ""}));
  EXPECT_EQ(of("Maven:https://repo.example.org"), (OsvEcosystem{Ecosystem::maven, ""}));
  EXPECT_EQ(of("Debian:12"), (OsvEcosystem{Ecosystem::deb, "debian:12"}));
  EXPECT_EQ(of("Ubuntu:22.04:LTS"), (OsvEcosystem{Ecosystem::deb, "ubuntu:22.04"}));
  EXPECT_EQ(of("Ubuntu:Pro:18.04:LTS"), (OsvEcosystem{Ecosystem::deb, "ubuntu:18.04", true}));
  EXPECT_EQ(of("Ubuntu:24.10"), (OsvEcosystem{Ecosystem::deb, "ubuntu:24.10"}));
  EXPECT_EQ(of("Alpine:v3.18"), (OsvEcosystem{Ecosystem::apk, "alpine:3.18"}));
  EXPECT_EQ(of("AlmaLinux:9"), (OsvEcosystem{Ecosystem::rpm, "almalinux:9"}));
  EXPECT_EQ(of("Rocky Linux:8"), (OsvEcosystem{Ecosystem::rpm, "rocky:8"}));
  EXPECT_EQ(of("Red Hat:enterprise_linux:9::appstream"), (OsvEcosystem{Ecosystem::rpm, "rhel:9"}));
  EXPECT_EQ(of("SUSE:Linux Enterprise Server 15 SP5"), (OsvEcosystem{Ecosystem::rpm, "sles:15.5"}));
  EXPECT_EQ(of("openSUSE:Leap 15.5"), (OsvEcosystem{Ecosystem::rpm, "opensuse-leap:15.5"}));
  EXPECT_EQ(of("openSUSE:Tumbleweed"), (OsvEcosystem{Ecosystem::rpm, "opensuse-tumbleweed"}));
  EXPECT_EQ(of("Wolfi"), (OsvEcosystem{Ecosystem::apk, "wolfi"}));
  for (const std::string_view none :
       {"Debian", "Ubuntu:Pro:FIPS:18.04:LTS", "Red Hat:rhel_eus:8.8::baseos", "OSS-Fuzz", "Pub",
        "", "SUSE:Linux Enterprise Server 15 SP5-LTSS", "pypi"}) {
    EXPECT_FALSE(of(none).has_value()) << none;
  }
}

/// What the feeds that can be had as a whole hold, and what the schema's own samples do.
class OsvFeeds : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto data = shared_data("osv");
    if (!data) GTEST_SKIP() << "no data beside the project: the real OSV feeds are not read";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*data)) {
      if (entry.is_regular_file()) files_.push_back(entry.path());
    }
    ASSERT_GT(files_.size(), 40U);
  }

  std::vector<std::filesystem::path> files_;
};

TEST_F(OsvFeeds, EveryRecordIsReadAndHardlyAPackageSkipped) {
  std::size_t records = 0;
  std::size_t skipped = 0;
  for (const auto& file : files_) {
    const std::string text = *decompress(read_file(file), limits::feed_text_bytes);
    const auto [summary, advisories] = parse(text);
    ASSERT_TRUE(summary.ok()) << file << summary.error().message;
    records += summary->records;
    skipped += summary->skipped;
    for (const std::string& remark : summary->remarks) std::cout << remark << '\n';
  }
  std::cout << records << " advisories, " << skipped << " skipped\n";
  EXPECT_GT(records, 20'000U);
  EXPECT_LT(skipped * 1'000, records);
}

/// The law of the schema: a version that a record lists is affected, whatever its ranges are.
TEST_F(OsvFeeds, EveryListedVersionOfEveryRecordIsFoundVulnerable) {
  std::size_t compared = 0;
  std::unordered_set<std::string> seen;
  for (const auto& file : files_) {
    if (file.string().find("pypi") == std::string::npos) continue;
    const std::string text = *decompress(read_file(file), limits::feed_text_bytes);
    const auto index = vuln::Index::build(parse(text).advisories);
    std::string_view rest = text;
    JsonDocument document;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const Json record = document.parse(line).value();
      if (record.find("withdrawn")) continue;
      record.find("affected")->for_each([&](const Json& affected) {
        const auto versions = affected.find("versions");
        if (!versions) return;
        model::Package package;
        package.ecosystem = Ecosystem::pypi;
        package.name = *affected.find("package")->find("name")->string();
        versions->for_each([&](const Json& each) {
          package.version = *each.string();
          if (!version::validate(Scheme::pep440, package.version).ok()) return;
          if (!seen.insert(package.name + ' ' + package.version).second) return;
          ++compared;
          EXPECT_EQ(vuln::match(*index, package).state, vuln::State::vulnerable)
              << *record.find("id")->string() << " " << package.name << " " << package.version;
        });
      });
    }
  }
  std::cout << compared << " listed versions\n";
  EXPECT_GT(compared, 30'000U);
}

}  // namespace
}  // namespace muster::feeds
