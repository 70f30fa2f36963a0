// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace muster {
namespace {

constexpr std::string_view euro = "\xE2\x82\xAC";
constexpr std::string_view smile = "\xF0\x9F\x98\x80";

TEST(Text, FoldsOnlyAsciiLetters) {
  EXPECT_EQ(fold_case("ABC-xyz_09 \xC3\x84"), "abc-xyz_09 \xC3\x84");
  EXPECT_TRUE(equal_folded("Host", "hOST"));
  EXPECT_FALSE(equal_folded("Host", "Hosts"));
  EXPECT_FALSE(equal_folded("@", "`"));
}

TEST(Text, TrimsBothEnds) {
  EXPECT_EQ(trim(" \t\r\na b\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Hex, IsReadBackInAnyCase) {
  const std::array<std::uint8_t, 4> bytes = {0x00, 0x0f, 0xa0, 0xff};
  EXPECT_EQ(to_hex(bytes), "000fa0ff");
  EXPECT_EQ(from_hex("000fa0FF"), std::string("\x00\x0f\xa0\xff", 4));
  EXPECT_EQ(from_hex(""), "");
  for (const std::string_view bad : {"0", "0g", "g0", " 0", "0x", "000"}) {
    EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
  }
}

TEST(ParseInt, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("9223372036854775807"), 9223372036854775807);
  for (const std::string_view bad :
       {"", " 1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "-"}) {
    EXPECT_EQ(parse_int(bad), std::nullopt) << bad;
  }
}

TEST(PlainText, IsUtf8WithoutControls) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("a b \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF"));
  EXPECT_TRUE(is_plain_text("a\nb\t", "\n\t"));
  for (const std::string_view bad :
       {std::string_view("\n"), std::string_view("\0", 1), std::string_view("\x1b"),
        std::string_view("\x7f"), std::string_view("\x80"), std::string_view("\xC3"),
        std::string_view("\xC0\x80"), std::string_view("\xC1\xBF"),
        std::string_view("\xE0\x80\x80"), std::string_view("\xED\xA0\x80"),
        std::string_view("\xF0\x80\x80\x80"), std::string_view("\xF4\x90\x80\x80"),
        std::string_view("\xF5\x80\x80\x80"), std::string_view("\xE2\x82"),
        std::string_view("\xE2\x28\xA1"), std::string_view("\xFF")}) {
    EXPECT_FALSE(is_plain_text(bad))
        << to_hex({reinterpret_cast<const std::uint8_t*>(bad.data()), bad.size()});
  }
}

TEST(CutUtf8, NeverSplitsACharacter) {
  const std::string text = std::string("a\xC3\xA4") + std::string(euro) + std::string(smile) + "z";
  for (std::size_t size = 0; size <= text.size() + 2; ++size) {
    const std::string_view cut = cut_utf8(text, size);
    EXPECT_LE(cut.size(), size);
    EXPECT_TRUE(is_plain_text(cut)) << size;
    EXPECT_TRUE(std::string_view(text).starts_with(cut));
    EXPECT_GE(cut.size() + 3, std::min(size, text.size())) << "cut more than one character";
  }
  EXPECT_EQ(cut_utf8(text, text.size()), text);
  EXPECT_EQ(cut_utf8("\x80\x80\x80", 2), "");
}

TEST(EscapeForTerminal, LeavesNothingATerminalObeys) {
  EXPECT_EQ(escape_for_terminal("\x1b[31mred\a\x7f\n\t"), "\\x1b[31mred\\x07\\x7f\\x0a\\x09");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escape_for_terminal("\xC2\x9b"
                                "31m"),
            "\\xc2\\x9b31m")
      << "C1 in UTF-8";
  EXPECT_EQ(escape_for_terminal("a\xE2\x80\xAE"
                                "b"),
            "a\\xe2\\x80\\xaeb")
      << "right-to-left override";
  EXPECT_EQ(escape_for_terminal("\x9b"
                                "31m"),
            "\\x9b31m")
      << "C1 as a bare octet";
  EXPECT_EQ(escape_for_terminal("\xE2\x82"), "\\xe2\\x82");
  EXPECT_EQ(escape_for_terminal("plain \xC3\xA4 \xC2\xA0 \xE2\x82\xAC"),
            "plain \xC3\xA4 \xC2\xA0 \xE2\x82\xAC");
  std::string every;
  for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
  EXPECT_TRUE(is_plain_text(escape_for_terminal(every)));
}

}  // namespace
}  // namespace muster
