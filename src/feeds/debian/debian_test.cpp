// SPDX-License-Identifier: Apache-2.0
#include "feeds/debian/debian.h"
#include "base/testing.h"

#include <map>

#include <gtest/gtest.h>

#include "base/limits.h"
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
  auto summary =
      parse_debian(text, [&](Advisory&& advisory) { advisories.push_back(std::move(advisory)); });
  return {std::move(summary), std::move(advisories)};
}

Advisory row(std::string id, std::string package, std::string distro, Advisory::Status status,
             std::optional<std::string> fixed, Severity severity, std::string urgency,
             std::string summary) {
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = std::move(id);
  advisory.ecosystem = model::Ecosystem::deb;
  advisory.package = std::move(package);
  advisory.distro = std::move(distro);
  advisory.status = status;
  if (fixed) advisory.ranges = {{"", *fixed, ""}};
  advisory.severity = severity;
  advisory.urgency = std::move(urgency);
  advisory.summary = std::move(summary);
  return advisory;
}

TEST(DebianTracker, GivesOneAdvisoryForEachRelease) {
  const auto [summary, advisories] =
      parse(read_file(source_directory() / "src/feeds/debian/fixtures/tracker.json"));
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  using enum Advisory::Status;
  const std::string overflow = "A widget overflows when it is turned.";
  const std::vector<Advisory> expected = {
      row("CVE-2099-0001", "widget", "debian:12", affected, "1.2-3+deb12u1", Severity::high, "high",
          overflow),
      row("CVE-2099-0001", "widget", "debian:11", affected, "", Severity::low,
          "not yet assigned; no-dsa: postponed: Minor issue", overflow),
      row("CVE-2099-0001", "widget", "debian:sid", not_affected, {}, Severity::unknown,
          "not yet assigned", overflow),
      row("TEMP-0000001-ABCDEF", "widget", "debian:13", undetermined, {}, Severity::unknown,
          "not yet assigned", ""),
      row("TEMP-0000001-ABCDEF", "widget", "debian:10", affected, "", Severity::negligible,
          "unimportant", ""),
      row("CVE-2099-0002", "gadget", "debian:12", affected, "", Severity::medium,
          "medium; no-dsa: Minor issue", "A gadget leaks."),
  };
  EXPECT_EQ(advisories, expected);
  EXPECT_EQ(summary->records, expected.size());
}

TEST(DebianTracker, CountsAndNamesRowsThatMakeNoSense) {
  const auto [summary, advisories] =
      parse(read_file(source_directory() / "src/feeds/debian/fixtures/tracker.json"));
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->skipped, 2U);
  EXPECT_EQ(summary->remarks,
            (std::vector<std::string>{
                "gadget.CVE-2099-0002.releases.forky: status \"paused\" is unknown",
                "gadget.CVE-2099-0002.releases.sid: resolved, but fixed_version is missing"}));
}

TEST(DebianTracker, NamesOnlyTheFirstOfManyBadRows) {
  std::string text = R"({"good": {"CVE-2099-1": {"releases": {"sid": {"status": "open"}}}})";
  for (int i = 0; i < 100; ++i) text += ", \"p" + std::to_string(i) + "\": 1";
  const auto [summary, advisories] = parse(text + "}");
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(advisories.size(), 1U);
  EXPECT_EQ(summary->skipped, 100U);
  EXPECT_EQ(summary->remarks.size(), FeedSummary::remarks_max);
}

TEST(DebianTracker, RefusesWhatIsNotOfItsShape) {
  const auto message = [](std::string_view text) {
    const auto parsed = parse(text);
    return parsed.summary.ok() ? std::string("none") : parsed.summary.error().message;
  };
  EXPECT_NE(message("[]").find("object of source packages"), std::string::npos);
  EXPECT_NE(message("{\"a\": ").find("not valid JSON"), std::string::npos);
  EXPECT_EQ(message("{}"), "debian: no row could be read: it is empty");
  EXPECT_EQ(message(R"({"title": "KEV", "count": 3})"),
            "debian: no row could be read: title: must be a source package with an object of "
            "issues");
}

TEST(DebianTracker, KeepsASummaryWithinItsBound) {
  const std::string long_text(5000, 'x');
  const auto [summary, advisories] = parse(R"({"p": {"CVE-2099-1": {"description": ")" + long_text +
                                           R"(", "releases": {"sid": {"status": "open"}}}}})");
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(advisories.at(0).summary.size(), 500U);
  EXPECT_TRUE(model::decode_advisory(model::encode_advisory(advisories[0])).ok());
}

TEST(DebianTracker, ReadsTheSampleOfTheRealFile) {
  const auto path = shared_data("debian-tracker/tracker-api-sample.json");
  if (!path) GTEST_SKIP() << "no debian-tracker/tracker-api-sample.json: set MUSTER_DATA";
  const auto [summary, advisories] = parse(read_file(*path));
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->skipped, 0U);
  ASSERT_EQ(advisories.size(), 8U);
  EXPECT_EQ(advisories[0].status, Advisory::Status::not_affected);
  EXPECT_EQ(advisories[2].ranges.at(0).fixed, "1.3.5.15-1");
  EXPECT_EQ(advisories[4].urgency, "not yet assigned; no-dsa: ignored: Minor issue");
  EXPECT_EQ(advisories[4].severity, Severity::low);
}

TEST(DebianTracker, ReadsEveryRowMadeFromTheAdvisoryLists) {
  const auto path = shared_data("debian-tracker/tracker-from-dsa-dla-2023-04.json.zst");
  if (!path) GTEST_SKIP() << "no debian-tracker/tracker-from-dsa-dla: set MUSTER_DATA";
  const auto text = decompress(read_file(*path), limits::feed_body_bytes);
  ASSERT_TRUE(text.ok()) << text.error().message;
  const auto [summary, advisories] = parse(*text);
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->skipped, 0U);
  EXPECT_EQ(advisories.size(), 32656U);
  std::map<std::string, int> rows;
  for (const Advisory& advisory : advisories) {
    ++rows[advisory.distro];
    ASSERT_EQ(*model::decode_advisory(model::encode_advisory(advisory)), advisory);
  }
  EXPECT_EQ(rows["debian:11"], 1992);
  EXPECT_EQ(rows["debian:10"], 3905);
  EXPECT_EQ(rows["debian:3.0"], 1376);
}

}  // namespace
}  // namespace muster::feeds
