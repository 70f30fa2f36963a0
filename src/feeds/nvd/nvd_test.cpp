// SPDX-License-Identifier: Apache-2.0
#include "feeds/nvd/nvd.h"

#include <iostream>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/testing.h"
#include "feeds/decompress.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

using model::Advisory;
using model::Severity;
using version::test::read_file;

struct Parsed {
  Result<FeedSummary> summary;
  std::vector<Advisory> advisories;
};

Parsed parse(std::string_view text) {
  std::vector<Advisory> advisories;
  auto summary = parse_nvd(text, [&](Advisory&& row) { advisories.push_back(std::move(row)); });
  return {std::move(summary), std::move(advisories)};
}

std::string fixture() {
  return read_file(source_directory() / "src/feeds/nvd/fixtures/page.json");
}

/// A bare cve object around the text of its configurations.
std::string cve(std::string_view configurations, std::string_view more = "") {
  return R"({"id": "CVE-2099-0001", "configurations": )" + std::string(configurations) +
         std::string(more) + "}";
}

std::string nodes(std::string_view matches, std::string_view of_node = R"("operator": "OR")",
                  std::string_view of_configuration = "") {
  return "[{" + std::string(of_configuration) + R"("nodes": [{)" + std::string(of_node) +
         R"(, "cpeMatch": [)" + std::string(matches) + "]}]}]";
}

constexpr std::string_view good =
    R"({"vulnerable": true, "criteria": "cpe:2.3:a:v:good:1:*:*:*:*:*:*:*"})";
constexpr std::string_view bad = R"({"vulnerable": true, "criteria": "cpe:2.3:a:v:bad:1"})";

TEST(Nvd, GivesOneAdvisoryForEveryCveWithProducts) {
  const Parsed parsed = parse(fixture());
  ASSERT_TRUE(parsed.summary.ok()) << parsed.summary.error().message;
  EXPECT_EQ(parsed.summary->records, 3U);
  EXPECT_EQ(parsed.summary->silent, 2U);
  EXPECT_EQ(parsed.summary->skipped, 0U);
  EXPECT_EQ(parsed.summary->released, "2024-11-21T00:00:00.000");
  ASSERT_EQ(parsed.advisories.size(), 3U);
  Advisory winrar;
  winrar.feed = "nvd";
  winrar.id = "CVE-2023-38831";
  winrar.configurations = {
      {false,
       false,
       {{false, false, {{"cpe:2.3:a:rarlab:winrar:*:*:*:*:*:*:*:*", true, {"", "6.23", ""}}}}}}};
  winrar.severity = Severity::high;
  winrar.score_tenths = 78;
  winrar.summary =
      "RARLAB WinRAR before 6.23 allows attackers to execute arbitrary code when a user attempts "
      "to view a benign file within a ZIP archive.";
  EXPECT_EQ(parsed.advisories[0], winrar);
  Advisory apache;
  apache.feed = "nvd";
  apache.id = "CVE-2019-0190";
  apache.configurations = {
      {true,
       false,
       {{false, false, {{"cpe:2.3:a:apache:http_server:2.4.37:*:*:*:*:*:*:*", true, {}}}},
        {false,
         false,
         {{"cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*", false, {"1.1.1", "", ""}}}}}}};
  apache.severity = Severity::high;
  apache.score_tenths = 75;
  apache.summary =
      "A bug exists in the way mod_ssl handled client renegotiations in Apache HTTP Server 2.4.37 "
      "with OpenSSL 1.1.1 or later.";
  EXPECT_EQ(parsed.advisories[1], apache);
  EXPECT_EQ(parsed.advisories[2].id, "CVE-2018-20225");
  EXPECT_TRUE(parsed.advisories[2].disputed);
  EXPECT_EQ(parsed.advisories[2].severity, Severity::medium);
  EXPECT_EQ(parsed.advisories[2].score_tenths, 68);
}

TEST(Nvd, ReadsPagesLinesAndFilesOneAfterAnother) {
  const std::vector<Advisory> expected = parse(fixture()).advisories;
  JsonDocument document;
  std::string wrapped;
  std::string bare;
  document.parse(fixture())->find("vulnerabilities")->for_each([&](const Json& record) {
    wrapped += record.serialise() + "\n";
    bare += record.find("cve")->serialise() + "\r\n";
  });
  for (const std::string& text : {wrapped, bare, "\xEF\xBB\xBF" + wrapped}) {
    const Parsed parsed = parse(text);
    ASSERT_TRUE(parsed.summary.ok()) << parsed.summary.error().message;
    EXPECT_EQ(parsed.advisories, expected);
    EXPECT_EQ(parsed.summary->silent, 2U);
  }
  EXPECT_EQ(parse(wrapped + fixture()).advisories.size(), 6U);
  EXPECT_EQ(parse("[" + fixture() + ", " + fixture() + "]").advisories.size(), 6U);
}

TEST(Nvd, UnescapesBoundsAndIgnoresThoseThatAreNone) {
  const Parsed parsed = parse(cve(nodes(R"x(
      {"vulnerable": true, "criteria": "cpe:2.3:o:v:os:*:*:*:*:*:*:*:*",
       "versionStartExcluding": "7.2\\(3\\)6", "versionEndIncluding": "v1.02_\\(cccn13ww\\)"},
      {"vulnerable": true, "criteria": "cpe:2.3:o:v:os:*:*:*:*:*:*:*:*",
       "versionStartIncluding": "-", "versionEndExcluding": "*", "versionEndIncluding": null})x")));
  ASSERT_EQ(parsed.advisories.size(), 1U);
  const auto& criteria = parsed.advisories[0].configurations[0].nodes[0].criteria;
  ASSERT_EQ(criteria.size(), 2U);
  EXPECT_EQ(criteria[0].range, (model::VersionRange{"", "", "v1.02_(cccn13ww)", "7.2(3)6"}));
  EXPECT_EQ(criteria[1].range, model::VersionRange{});
}

TEST(Nvd, KeepsOperatorsAndNegations) {
  const Parsed parsed = parse(cve(nodes(good, R"("operator": "AND", "negate": true)",
                                        R"("operator": "AND", "negate": true, )")));
  ASSERT_EQ(parsed.advisories.size(), 1U);
  const auto& configuration = parsed.advisories[0].configurations[0];
  EXPECT_TRUE(configuration.all);
  EXPECT_TRUE(configuration.negate);
  EXPECT_TRUE(configuration.nodes[0].all);
  EXPECT_TRUE(configuration.nodes[0].negate);
}

TEST(Nvd, SkipsAFlawedAlternativeAndKeepsTheOthers) {
  const Parsed parsed = parse(cve(nodes(std::string(bad) + "," + std::string(good))));
  ASSERT_TRUE(parsed.summary.ok());
  EXPECT_EQ(parsed.summary->skipped, 1U);
  EXPECT_EQ(parsed.summary->remarks.at(0),
            "CVE-2099-0001.configurations[0].nodes[0].cpeMatch[0]: has criteria that are no CPE "
            "name");
  ASSERT_EQ(parsed.advisories.size(), 1U);
  EXPECT_EQ(parsed.advisories[0].configurations[0].nodes[0].criteria.size(), 1U);
}

TEST(Nvd, LeavesOutAConfigurationThatWouldSayMoreWithoutItsFlaw) {
  const std::string both = std::string(bad) + "," + std::string(good);
  const std::string two_nodes =
      R"([{"operator": "AND", "nodes": [{"operator": "OR", "cpeMatch": [)" + std::string(bad) +
      R"(]}, {"operator": "OR", "cpeMatch": [)" + std::string(good) + "]}]}]";
  for (const std::string& flawed :
       {nodes(both, R"("operator": "AND")"), nodes(both, R"("operator": "OR", "negate": true)"),
        nodes(both, R"("operator": "OR")", R"("negate": true, )"), two_nodes,
        nodes(good, R"("operator": "XOR")"), std::string(R"([{"nodes": "none"}])")}) {
    const Parsed parsed = parse(cve(flawed));
    ASSERT_TRUE(parsed.summary.ok());
    EXPECT_GE(parsed.summary->skipped, 1U) << flawed;
    EXPECT_TRUE(parsed.advisories.empty()) << flawed;
    EXPECT_EQ(parsed.summary->silent, 1U);
  }
}

TEST(Nvd, TakesTheNewestRatingThereIs) {
  const auto rate = [](std::string_view metrics) {
    const Parsed parsed = parse(cve(nodes(good), R"(, "metrics": {)" + std::string(metrics) + "}"));
    const Advisory& row = parsed.advisories.at(0);
    return std::string(model::severity_name(row.severity)) + " " +
           (row.score_tenths ? std::to_string(*row.score_tenths) : "none");
  };
  constexpr const char* v2 =
      R"("cvssMetricV2": [{"type": "Primary", "cvssData": {"baseScore": 10.0}}])";
  constexpr const char* v31 =
      R"("cvssMetricV31": [{"type": "Secondary", "cvssData": {"baseScore": 9.1}}])";
  constexpr const char* v40 =
      R"("cvssMetricV40": [{"cvssData": {"baseScore": 0.0, "baseSeverity": "NONE"}}])";
  EXPECT_EQ(rate(""), "unknown none");
  EXPECT_EQ(rate(v2), "high 100");
  EXPECT_EQ(rate(std::string(v2) + "," + v31), "critical 91");
  EXPECT_EQ(rate(std::string(v2) + "," + v31 + "," + v40), "negligible 0");
  EXPECT_EQ(rate(R"("cvssMetricV31": [{"cvssData": {"baseScore": 11}}])"), "unknown none");
}

TEST(Nvd, CutsTheDescriptionAtACharacter) {
  std::string long_text;
  for (int i = 0; i < 400; ++i) long_text += "é";
  const Parsed parsed = parse(
      cve(nodes(good), R"(, "descriptions": [{"lang": "en", "value": "x)" + long_text + R"("}])"));
  EXPECT_EQ(parsed.advisories.at(0).summary.size(), 499U);
}

TEST(Nvd, DropsWhatWasRejectedWhereverItSaysSo) {
  for (const char* more :
       {R"(, "vulnStatus": "REJECTED")",
        R"(, "descriptions": [{"lang": "en", "value": "** REJECT ** Do not use."}])",
        R"(, "descriptions": [{"lang": "en", "value": "Rejected reason: none"}])"}) {
    const Parsed parsed = parse(cve(nodes(good), more));
    EXPECT_TRUE(parsed.advisories.empty());
    EXPECT_EQ(parsed.summary->silent, 1U);
  }
}

TEST(Nvd, RefusesWhatHoldsNoCve) {
  for (const char* text : {"", "{}", "[]", "null", "1", R"({"vulnerabilities": []})", "]", "{",
                           R"({"vulnerabilities": [{"cveID": "CVE-2099-0001"}]})",
                           R"({"id": "DSA-1"})", "cve,epss\nCVE-2099-0001,0.1"}) {
    EXPECT_FALSE(parse(text).summary.ok()) << text;
  }
  const std::string whole = fixture();
  for (std::size_t size = 1; size + 3 < whole.size(); size += 97) {
    EXPECT_FALSE(parse(whole.substr(0, size)).summary.ok()) << size;
  }
  EXPECT_FALSE(parse(whole + "}").summary.ok());
}

TEST(Nvd, ReadsRealYearsWhole) {
  const auto path = shared_data("nvd/nvdcve-2.0-2018.json.zst");
  if (!path) GTEST_SKIP() << "no nvd/nvdcve-2.0-2018.json.zst: set MUSTER_DATA";
  const std::string text = decompress(read_file(*path), limits::feed_text_bytes).value();
  const Parsed parsed = parse(text);
  ASSERT_TRUE(parsed.summary.ok()) << parsed.summary.error().message;
  for (const std::string& remark : parsed.summary->remarks) std::cout << "  " << remark << "\n";
  std::size_t criteria = 0;
  std::size_t with_and = 0;
  std::size_t number = 0;
  for (const Advisory& row : parsed.advisories) {
    criteria += criteria_count(row.configurations);
    bool all = false;
    for (const auto& configuration : row.configurations) all |= configuration.all;
    with_and += all ? 1 : 0;
    if (number++ % record_step != 0) continue;
    const auto back = model::decode_advisory(model::encode_advisory(row));
    ASSERT_TRUE(back.ok()) << row.id << ": " << back.error().message;
    ASSERT_EQ(*back, row);
  }
  std::cout << "  " << parsed.summary->records << " records, " << parsed.summary->silent
            << " silent, " << parsed.summary->skipped << " skipped, " << criteria << " criteria, "
            << with_and << " with AND\n";
  // Counted in the file by hand.
  EXPECT_EQ(parsed.summary->records, 15729U);
  EXPECT_EQ(parsed.summary->silent, 1615U);
  EXPECT_EQ(parsed.summary->skipped, 0U);
  EXPECT_EQ(criteria, 110895U);
  EXPECT_EQ(with_and, 3208U);
}

}  // namespace
}  // namespace muster::feeds
