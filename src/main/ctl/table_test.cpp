// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/table.h"

#include <gtest/gtest.h>

namespace muster::ctl {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("web-1"), 5U);
  EXPECT_EQ(display_width("Zürich"), 6U);
  EXPECT_EQ(display_width("日本語"), 6U);
  EXPECT_EQ(display_width("한글"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // a combining accent stands on its letter
  EXPECT_EQ(display_width("🚀"), 2U);
  EXPECT_EQ(display_width("—…"), 2U);
}

TEST(CutToWidth, EndsWithAnEllipsisAndNeverSplitsACharacter) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("日本語", 1), "…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

Table two_columns() {
  return Table({{"NAME"}, {"COUNT", Table::Align::right, true}});
}

TEST(Table, AlignsByDisplayWidth) {
  Table table = two_columns();
  table.add({{"日本"}, {"7"}});
  table.add({{"plain"}, {"1234567"}});
  EXPECT_EQ(table.render({}),
            "NAME     COUNT\n"
            "日本         7\n"
            "plain  1234567\n");
}

TEST(Table, HasNoTrailingSpaces) {
  Table table({{"A"}, {"LAST"}});
  table.add({{"x"}, {""}});
  table.add({{"y"}, {"longer than its heading"}});
  EXPECT_EQ(table.render({}),
            "A  LAST\n"
            "x\n"
            "y  longer than its heading\n");
}

TEST(Table, EscapesWhatATerminalWouldObey) {
  Table table({{"HOST"}});
  table.add({{"evil\x1b[2J\r\n"}});
  table.add({{"bad \xff byte \u009b"}});
  EXPECT_EQ(table.render({}),
            "HOST\n"
            "evil\\x1b[2J\\x0d\\x0a\n"
            "bad \\xff byte \\xc2\\x9b\n");
}

TEST(Table, CutsTheWidestColumnToATerminalAndLeavesIdsWhole) {
  Table table({{"ID", Table::Align::left, true}, {"NAME"}, {"COMMAND"}});
  table.add({{"0123456789"}, {"web-1"}, {"a very long command line indeed"}});
  EXPECT_EQ(table.render({.width = 40}),
            "ID          NAME   COMMAND\n"
            "0123456789  web-1  a very long command …\n");
  EXPECT_EQ(table.render({}),
            "ID          NAME   COMMAND\n"
            "0123456789  web-1  a very long command line indeed\n");
}

TEST(Table, LeavesOutColumnsThatFindNoRoomAndSaysSo) {
  Table table({{"AT", Table::Align::left, true}, {"TYPE"}, {"AGENT", Table::Align::left, true}});
  table.add({{"2026-03-21"}, {"host_registered"}, {"01a203aa-7398-715d-a7fd"}});
  EXPECT_EQ(table.render({.width = 30}),
            "AT          TYPE            +\n"
            "2026-03-21  host_registered\n");
  EXPECT_EQ(table.render({.width = 24}),
            "AT          TYPE       +\n"
            "2026-03-21  host_regi…\n");
  EXPECT_NE(table.render({.colour = true, .width = 30}).find(" +\n"), std::string::npos);
}

TEST(Table, NamesTheColumnsThatItLeftOut) {
  Table table({{"AT", Table::Align::left, true}, {"TYPE"}, {"AGENT", Table::Align::left, true}});
  table.add({{"2026-03-21"}, {"host_registered"}, {"01a203aa-7398-715d-a7fd"}});
  EXPECT_EQ(table.left_out({.width = 30}), std::vector<std::string>{"AGENT"});
  EXPECT_TRUE(table.left_out({}).empty());
}

TEST(Table, DropsColumnsInWhichNothingIsSaid) {
  Table table({{"ID"}, {"EMPTY"}, {"NAME"}, {"NULL"}});
  table.add({{"—"}, {""}, {"a"}, {"—"}});
  table.add({{"—"}, {""}, {"—"}, {"—"}});
  table.drop_empty("—");
  EXPECT_EQ(table.render({}), "ID  NAME\n—   a\n—   —\n") << "the first stays";
}

TEST(Wrapped, BreaksAtSpacesAndKeepsLongWordsWhole) {
  EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(wrapped("a unbreakable b", 0, 4), "a\nunbreakable\nb\n");
  EXPECT_EQ(wrapped("", 4, 80), "");
}

TEST(Table, NeverExceedsEvenATinyTerminal) {
  Table table({{"ID", Table::Align::left, true}, {"NAME"}, {"COMMAND"}});
  table.add({{"0123456789"}, {"日本語日本語日本語"}, {"a very long command line indeed"}});
  for (std::size_t width = 1; width < 60; ++width) {
    const std::string text = table.render({.width = width});
    std::size_t at = 0;
    while (at < text.size()) {
      const auto end = text.find('\n', at);
      EXPECT_LE(display_width(text.substr(at, end - at)), width) << text;
      at = end + 1;
    }
  }
}

TEST(Table, WearsColoursOnlyWhenAsked) {
  Table table({{"KEV"}, {"X"}});
  table.add({{"yes", Style::alarm}, {"1"}});
  EXPECT_EQ(table.render({}), "KEV  X\nyes  1\n");
  EXPECT_EQ(table.render({.colour = true}),
            "\x1b[1mKEV\x1b[0m  \x1b[1mX\x1b[0m\n"
            "\x1b[1;31myes\x1b[0m  1\n");
}

TEST(Facts, AlignTheirValuesAndEscapeThem) {
  EXPECT_EQ(render_facts({{"id", {"7"}}, {"hostname", {"a\tb"}}, {"error", {""}}}, {}),
            "id        7\n"
            "hostname  a\\x09b\n"
            "error\n");
}

}  // namespace
}  // namespace muster::ctl
