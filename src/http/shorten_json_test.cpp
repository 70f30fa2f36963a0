// SPDX-License-Identifier: Apache-2.0
#include "http/shorten_json.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/limits.h"

namespace muster::http {
namespace {

constexpr std::size_t room = 2 * limits::json_depth;  // for closing brackets

struct Shortened {
  std::string text;
  bool lost = false;
};

Shortened shorten(std::string_view text, std::size_t bytes_max, std::size_t string_bytes,
                  std::size_t piece = 7) {
  JsonShortener shortener(bytes_max + room, string_bytes);
  for (std::size_t at = 0; at < text.size(); at += piece) shortener.put(text.substr(at, piece));
  const bool lost = shortener.shortened();
  return {shortener.take(), lost};
}

std::string kept(std::string_view text, std::size_t bytes_max, std::size_t string_bytes = 1000) {
  return shorten(text, bytes_max, string_bytes).text;
}

TEST(ShortenJson, WhatFitsStaysAsItIs) {
  const std::string text =
      R"({"a": "b\"\\\u00e9", "c": [1, -2.5e3, null, {"d": [[]]}], "é": true} )";
  const Shortened whole = shorten(text, 1000, 1000);
  EXPECT_EQ(whole.text, text);
  EXPECT_FALSE(whole.lost);
}

TEST(ShortenJson, LongStringsKeepTheirFrontAndNothingElseIsLost) {
  const std::string text = R"({"stdout": ")" + std::string(5000, 'x') + R"(", "exit_code": 101})";
  const Shortened cut = shorten(text, 1000, 100);
  EXPECT_EQ(cut.text, R"({"stdout": ")" + std::string(100, 'x') + R"(", "exit_code": 101})");
  EXPECT_TRUE(cut.lost);
}

TEST(ShortenJson, StringsLeaveRoomForWhatFollows) {
  std::string text = "{";
  for (int i = 0; i < 5; ++i) {
    text += "\"" + std::to_string(i) + "\": \"" + std::string(200'000, 'x') + "\", ";
  }
  const Shortened cut = shorten(text + R"("exit_code": 3})", 100'000, 40'000);
  EXPECT_TRUE(cut.text.ends_with(R"("exit_code": 3})")) << cut.text.size();
}

TEST(ShortenJson, StringsAreCutBetweenCharacters) {
  EXPECT_EQ(kept(R"(["ab\u0041cd"])", 100, 3), R"(["ab\u0041"])") << "not in an escape";
  EXPECT_EQ(kept(R"(["ab\ncd"])", 100, 3), R"(["ab\n"])");
  EXPECT_EQ(kept(R"(["ab\\"])", 100, 2), R"(["ab"])");
  EXPECT_EQ(kept(R"(["a\"b"])", 100, 1), R"(["a"])") << "an escaped quote ends nothing";
  EXPECT_EQ(kept("[\"aé€x\"]", 100, 2), "[\"aé\"]");
  EXPECT_EQ(kept(R"(["\ud83d\ude00x"])", 100, 3), R"(["\ud83d\ude00"])") << "not inside a pair";
  EXPECT_EQ(kept(R"(["\ud83dx"])", 100, 3), R"(["\ud83dx"])") << "what is broken stays so";
}

TEST(ShortenJson, OfAnArrayOnlyWholeElementsStay) {
  const std::string text =
      R"({"n": 1, "b": {"x": 2, "c": [{"i": 1, "j": [3]}, {"i": 2}]}, "e": 5})";
  EXPECT_EQ(kept(text, text.size()), text);
  EXPECT_EQ(kept(text, 50), R"({"n": 1, "b": {"x": 2, "c": [{"i": 1, "j": [3]}]}})");
  EXPECT_EQ(kept(text, 44), R"({"n": 1, "b": {"x": 2, "c": []}})");
  EXPECT_EQ(kept(text, 20), R"({"n": 1, "b": {}})") << "half a member is none";
  EXPECT_EQ(kept(text, 5), "{}");
}

TEST(ShortenJson, WhatIsNestedTooDeepIsLeftOut) {
  const std::string text = R"({"a": 1, "b": )" + std::string(10'000, '[');
  const std::string left = kept(text, 100'000);
  EXPECT_TRUE(left.starts_with(R"({"a": 1, "b": [)")) << left;
  EXPECT_LT(left.size(), 200U);
}

TEST(ShortenJson, WhatIsNoJsonStaysNoneOrIsHarmless) {
  for (const std::string_view text : {"", "]]]]", "}{", "\"", "\\", "{\"a", "[1,2", "\"\\u12"}) {
    EXPECT_EQ(kept(text, 100), text);
    kept(text, 1, 0);
  }
}

TEST(ShortenJson, WhateverTheBoundsJsonIsLeftWithinThem) {
  const std::string text =
      R"({"out": "\u0000\ud83d\ude00é\"\\end", "n": -1.5, "b": {"c": [{"k": "v", "t": ["a", "b"]},)"
      R"( 7, "text", [[1], [2]], {}], "d": null}, "last": "\n\n\n"})";
  JsonDocument document;
  ASSERT_TRUE(document.parse(text).ok());
  for (std::size_t bytes_max = 1; bytes_max <= text.size(); ++bytes_max) {
    for (std::size_t string_bytes = 0; string_bytes < 20; ++string_bytes) {
      const Shortened cut = shorten(text, bytes_max, string_bytes, 1 + string_bytes);
      EXPECT_LE(cut.text.size(), bytes_max + room);
      EXPECT_TRUE(document.parse(cut.text).ok())
          << bytes_max << " " << string_bytes << ": " << cut.text;
      EXPECT_EQ(cut.lost, cut.text != text);
    }
  }
}

}  // namespace
}  // namespace muster::http
