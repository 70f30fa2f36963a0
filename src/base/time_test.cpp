// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

std::int64_t millis(std::string_view text) {
  const Result<Instant> at = parse_rfc3339(text);
  EXPECT_TRUE(at.ok()) << text;
  return at.ok() ? at->unix_ms : -1;
}

TEST(Rfc3339, ReadsUtcToTheMillisecond) {
  EXPECT_EQ(millis("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(millis("2026-03-21T14:30:00Z"), 1'774'103'400'000);
  EXPECT_EQ(millis("2026-03-21t14:30:00z"), 1'774'103'400'000);
  EXPECT_EQ(millis("2026-03-21 14:30:00Z"), 1'774'103'400'000);
  EXPECT_EQ(millis("1969-12-31T23:59:59.999Z"), -1);
}

TEST(Rfc3339, CutsFractionsToMilliseconds) {
  EXPECT_EQ(millis("1970-01-01T00:00:00.1Z"), 100);
  EXPECT_EQ(millis("1970-01-01T00:00:00.12Z"), 120);
  EXPECT_EQ(millis("1970-01-01T00:00:00.1239Z"), 123);
  EXPECT_EQ(millis("1970-01-01T00:00:00.999999999Z"), 999);
}

TEST(Rfc3339, AppliesOffsets) {
  EXPECT_EQ(millis("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(millis("1969-12-31T18:30:00-05:30"), 0);
  EXPECT_EQ(millis("1970-01-01T00:00:00-00:00"), 0);
  EXPECT_EQ(millis("2000-02-29T23:59:59+23:59"), millis("2000-02-29T00:00:59Z"));
}

TEST(Rfc3339, ReadsALeapSecondAsTheLastMillisecondBeforeIt) {
  EXPECT_EQ(millis("2016-12-31T23:59:60Z"), millis("2016-12-31T23:59:59.999Z"));
  EXPECT_EQ(millis("2016-12-31T23:59:60.5Z"), millis("2016-12-31T23:59:59.999Z"));
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const std::string_view text : {"",
                                      "Z",
                                      "2026",
                                      "2026-03-21",
                                      "2026-03-21T14:30:00",
                                      "2026-03-21T14:30Z",
                                      "2026-03-21T14:30:00.Z",
                                      "2026-03-21T14:30:00.1234567890Z",
                                      "2026-3-21T14:30:00Z",
                                      "2026-00-21T14:30:00Z",
                                      "2026-13-21T14:30:00Z",
                                      "2026-02-30T14:30:00Z",
                                      "2025-02-29T14:30:00Z",
                                      "2026-03-32T14:30:00Z",
                                      "2026-03-21T24:00:00Z",
                                      "2026-03-21T14:60:00Z",
                                      "2026-03-21T14:30:61Z",
                                      "2026-03-21T14:30:00+24:00",
                                      "2026-03-21T14:30:00+02:60",
                                      "2026-03-21T14:30:00+0200",
                                      "2026-03-21T14:30:00+02",
                                      "2026-03-21T14:30:00ZZ",
                                      "2026-03-21T14:30:00Z ",
                                      " 2026-03-21T14:30:00Z",
                                      "2026-03-21_14:30:00Z",
                                      "-026-03-21T14:30:00Z",
                                      "20260321T143000Z",
                                      "2026-03-21T14:30:00 Z",
                                      "+2026-03-21T14:30:00Z"}) {
    const Result<Instant> at = parse_rfc3339(text);
    ASSERT_FALSE(at.ok()) << text;
    EXPECT_EQ(at.error().code, Errc::invalid_field);
  }
}

TEST(Rfc3339, FormatsWholeSecondsAndReadsThemBack) {
  EXPECT_EQ(format_rfc3339({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339({1'774'103'400'999}), "2026-03-21T14:30:00Z");
  EXPECT_EQ(format_rfc3339({-1}), "1969-12-31T23:59:59Z");
  for (std::int64_t day = -200'000; day < 400'000; day += 997) {
    const Instant at{day * 86'400'000 + 43'201'000};
    EXPECT_EQ(millis(format_rfc3339(at)), at.unix_ms);
  }
}

TEST(Instant, DifferencesAreDurations) {
  const Instant a{1000};
  EXPECT_EQ((a + std::chrono::seconds(2)).unix_ms, 3000);
  EXPECT_EQ((a - std::chrono::seconds(2)).unix_ms, -1000);
  EXPECT_EQ(Instant{3500} - a, Duration(2500));
  EXPECT_LT(a, Instant{1001});
}

}  // namespace
}  // namespace muster
