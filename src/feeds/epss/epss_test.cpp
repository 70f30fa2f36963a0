// SPDX-License-Identifier: Apache-2.0
#include "feeds/epss/epss.h"
#include "base/testing.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "feeds/decompress.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

using version::test::read_file;

struct Parsed {
  Result<FeedSummary> summary;
  std::vector<model::EpssScore> scores;
};

Parsed parse(std::string_view text) {
  std::vector<model::EpssScore> scores;
  auto summary =
      parse_epss(text, [&](model::EpssScore&& score) { scores.push_back(std::move(score)); });
  return {std::move(summary), std::move(scores)};
}

TEST(Epss, GivesEveryScoreAndSaysOfWhichModelAndDay) {
  const auto [summary, scores] =
      parse(read_file(source_directory() / "src/feeds/epss/fixtures/scores.csv"));
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->edition, "2099-01-02T00:00:00+0000 (v2099.01.01)");
  EXPECT_EQ(scores, (std::vector<model::EpssScore>{{"CVE-2099-0001", 97567, 99995},
                                                   {"CVE-2099-0002", 113, 43131},
                                                   {"CVE-2099-0003", 959, 100000}}));
}

TEST(Epss, ALineThatIsNoScoreIsSkippedAndNamed) {
  const auto [summary, scores] = parse(
      "cve,epss,percentile\r\nCVE-2099-0001,0.5,0.9\r\nCVE-2099-0002,1.5,0.9\nGHSA-1,0.1,0.1\n"
      "CVE-2099-0003,0.1\nCVE-2099-0004,nan,0.1\n\n");
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(scores.size(), 1U);
  EXPECT_EQ(summary->skipped, 4U);
  EXPECT_EQ(summary->remarks.at(0), "score 2: CVE-2099-0002,1.5,0.9");
}

TEST(Epss, RefusesWhatHoldsNoScores) {
  for (const std::string_view text :
       {"", "{}", "cve,epss,percentile\n", "cve,epss\nCVE-2099-0001,1", "#model_version:x\n"}) {
    EXPECT_EQ(parse(text).summary.error().code, Errc::invalid_field) << text;
  }
}

TEST(Epss, ReadsPublishedFilesWhole) {
  const auto folder = shared_data("epss");
  if (!folder) GTEST_SKIP() << "no epss: set MUSTER_DATA";
  const std::pair<const char*, std::size_t> files[] = {{"samples/epss_scores-2023-03-07.csv.gz", 2},
                                                       {"epss_scores-kev-2026-08-22.csv", 1'500}};
  for (const auto& [name, count] : files) {
    const auto [summary, scores] =
        parse(*decompress(read_file(*folder / name), limits::feed_text_bytes));
    ASSERT_TRUE(summary.ok()) << name << summary.error().message;
    EXPECT_GE(scores.size(), count) << name;
    EXPECT_EQ(summary->skipped, 0U) << name;
  }
}

}  // namespace
}  // namespace muster::feeds
