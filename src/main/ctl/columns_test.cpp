// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/columns.h"

#include <gtest/gtest.h>

namespace muster::ctl {
namespace {

std::string shown(const Format& format, const char* json) {
  JsonDocument document;
  const auto value = document.parse(json);
  return format.cell(value.value()).text;
}

TEST(Formats, SayWhatTheServerSaid) {
  EXPECT_EQ(shown(formats::time, R"("2026-03-21T14:30:01Z")"), "2026-03-21 14:30:01Z");
  EXPECT_EQ(shown(formats::yes_no, "true"), "yes");
  EXPECT_EQ(shown(formats::yes_no, "false"), "no");
  EXPECT_EQ(shown(formats::words, R"(["a", "b", 3])"), "a, b, 3");
  EXPECT_EQ(shown(formats::words, "[]"), "");
  EXPECT_EQ(shown(formats::members, R"({"os": "linux", "n": 2, "o": {"x": null}})"),
            R"(os=linux n=2 o={"x": null})");
  EXPECT_EQ(shown(formats::bytes, "65536"), "64 KiB");
  EXPECT_EQ(shown(formats::bytes, "268435456"), "256 MiB");
  EXPECT_EQ(shown(formats::bytes, "268435457"), "256.0 MiB");
  EXPECT_EQ(shown(formats::bytes, "1536"), "1.5 KiB");
  EXPECT_EQ(shown(formats::bytes, "1023"), "1023 B");
  EXPECT_EQ(shown(formats::bytes, "1000"), "1000 B");
  EXPECT_EQ(shown(formats::percent, "3.25"), "3.2 %");
}

TEST(Formats, ShowValuesOfAnotherTypeAsTheyAre) {
  EXPECT_EQ(shown(formats::time, R"("yesterday")"), "yesterday");
  EXPECT_EQ(shown(formats::time, "5"), "5");
  EXPECT_EQ(shown(formats::yes_no, R"("maybe")"), "maybe");
  EXPECT_EQ(shown(formats::words, R"("one")"), "one");
  EXPECT_EQ(shown(formats::bytes, R"("many")"), "many");
}

TEST(Formats, MakeTheUrgentStandOut) {
  JsonDocument document;
  EXPECT_EQ(formats::severity.cell(document.parse(R"("critical")").value()).style, Style::alarm);
  EXPECT_EQ(formats::severity.cell(document.parse(R"("low")").value()).style, Style::plain);
  EXPECT_EQ(formats::exploited.cell(document.parse("true").value()).style, Style::alarm);
  EXPECT_EQ(formats::exploited.cell(document.parse("false").value()).style, Style::plain);
}

TEST(Age, NamesTheTwoLargestUnits) {
  EXPECT_EQ(age_text(59), "59 s");
  EXPECT_EQ(age_text(3599), "59 min");
  EXPECT_EQ(age_text(3660), "1 h 1 min");
  EXPECT_EQ(age_text(90000), "1 d 1 h");
}

TEST(Columns, ReadPathsAndShowADashForWhatIsNull) {
  const Columns columns = {{"a.b", "B"}, {"c", "C"}, {"d.e", "E"}};
  JsonDocument document;
  const auto row = document.parse(R"({"a": {"b": "x"}, "c": null})");
  const auto cells = cells_of(columns, row.value());
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(cells[0].text, "x");
  EXPECT_EQ(cells[1].text, "—");
  EXPECT_EQ(cells[2].text, "—");
}

TEST(Facts, LeaveOutMembersThatAreAbsent) {
  const Columns columns = {{"a.b", "deep"}, {"c", "null"}, {"d.e", "absent"}};
  JsonDocument document;
  const auto facts = facts_of(columns, document.parse(R"({"a": {"b": 1}, "c": null})").value());
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0].label, "deep");
  EXPECT_EQ(facts[1].label, "null");
}

}  // namespace
}  // namespace muster::ctl
