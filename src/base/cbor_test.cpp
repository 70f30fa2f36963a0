// SPDX-License-Identifier: Apache-2.0
#include "base/cbor.h"

#include <string>

#include <gtest/gtest.h>

#include "base/cbor_testing.h"
#include "base/limits.h"
#include "base/seeded_rng.h"
#include "base/text.h"

namespace muster {
namespace {

using std::string_literals::operator""s;

std::string octets_of(std::string_view hex) {
  return from_hex(hex).value();
}
bool parses(std::string_view hex) {
  return parse_cbor(octets_of(hex)).has_value();
}
std::optional<std::int64_t> integer(std::string_view hex) {
  const auto value = parse_cbor(octets_of(hex));
  return value ? value->integer() : std::nullopt;
}

// RFC 8949, appendix A.
TEST(Cbor, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(integer("00"), 0);
  EXPECT_EQ(integer("17"), 23);
  EXPECT_EQ(integer("1818"), 24);
  EXPECT_EQ(integer("1903e8"), 1000);
  EXPECT_EQ(integer("1a000f4240"), 1'000'000);
  EXPECT_EQ(integer("1b000000e8d4a51000"), 1'000'000'000'000);
  EXPECT_EQ(integer("20"), -1);
  EXPECT_EQ(integer("3863"), -100);
  EXPECT_EQ(integer("3903e7"), -1000);
  const std::string octets = octets_of("4401020304");
  EXPECT_EQ(parse_cbor(octets)->octets(), "\x01\x02\x03\x04"s);
  const std::string text = octets_of("62c3bc");
  EXPECT_EQ(parse_cbor(text)->text(), "\u00fc");
  const std::string nested = octets_of("826161a161626163");  // ["a", {"b": "c"}]
  const auto array = parse_cbor(nested);
  ASSERT_EQ(array->kind, Cbor::Kind::array);
  ASSERT_EQ(array->items.size(), 2U);
  EXPECT_EQ(array->items[1].find("b")->text(), "c");
  EXPECT_TRUE(parse_cbor(octets_of("f5"))->flag);
  EXPECT_FALSE(parse_cbor(octets_of("f4"))->flag);
  EXPECT_EQ(parse_cbor(octets_of("f6"))->kind, Cbor::Kind::null);
}

TEST(Cbor, IntegersHaveSixtyFourBitsWithASign) {
  EXPECT_EQ(integer("1b7fffffffffffffff"), INT64_MAX);
  EXPECT_EQ(integer("3b7fffffffffffffff"), INT64_MIN);
  EXPECT_FALSE(parses("1b8000000000000000"));
  EXPECT_FALSE(parses("3bffffffffffffffff"));
}

TEST(Cbor, WhatCouldBeWrittenInAnotherWayIsRefused) {
  for (const char* hex : {
           "1817",
           "190018",
           "1a00000018",
           "1b0000000000000018",  // longer than needed
           "5801ff",
           "780161",
           "5f41ff",
           "9f01ff",
           "bf6161f5ff",
           "7f6161ff",  // indefinite lengths
           "c001",
           "d82000",  // tags
           "f90000",
           "fa00000000",
           "fb0000000000000000",  // floating-point numbers
           "f7",
           "f0",
           "f820",
           "ff",  // other simple values
           "1c",
           "5d",
           "bc",  // reserved
       }) {
    EXPECT_FALSE(parses(hex)) << hex;
  }
}

TEST(Cbor, KeysStandInOrderAndOnce) {
  EXPECT_TRUE(parses("a0"));
  EXPECT_TRUE(parses("a301002000616100"));  // 1, -1, "a"
  EXPECT_TRUE(parses("a261620062616100"));  // "b" before the longer "aa"
  EXPECT_FALSE(parses("a201000100"));
  EXPECT_FALSE(parses("a202000100"));
  EXPECT_FALSE(parses("a220000100"));
  EXPECT_FALSE(parses("a262616100616200"));
  EXPECT_FALSE(parses("a1400000")) << "keys are integers or text";
  EXPECT_FALSE(parses("a1f500"));
  EXPECT_FALSE(parses("a18000"));
}

TEST(Cbor, AMapIsAskedForItsKeysAndNothingElseHasAny) {
  const std::string encoded = cbor::map({{cbor::integer(3), cbor::integer(-7)},
                                         {cbor::integer(-1), cbor::octets("x")},
                                         {cbor::text("fmt"), cbor::text("none")}});
  const auto map = parse_cbor(encoded);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->find(3)->integer(), -7);
  EXPECT_EQ(map->find(-1)->octets(), "x");
  EXPECT_EQ(map->find("fmt")->text(), "none");
  EXPECT_EQ(map->find(-7), nullptr) << "a value is no key";
  EXPECT_EQ(map->find("none"), nullptr);
  EXPECT_FALSE(map->find(3)->text());
  EXPECT_FALSE(map->find("fmt")->octets());
  EXPECT_EQ(parse_cbor("\x03"s)->find(3), nullptr);
}

TEST(Cbor, LengthsBeyondTheEndAreRefusedBeforeAnythingIsHeld) {
  for (const char* hex : {"", "18", "1900", "41", "6261", "81", "8201", "a101",
                          "9b7fffffffffffffff", "bb7fffffffffffffff", "5b7fffffffffffffff"}) {
    EXPECT_FALSE(parses(hex)) << hex;
  }
}

TEST(Cbor, TextIsPlainUtf8) {
  EXPECT_FALSE(parses("61ff"));
  EXPECT_FALSE(parses("6100"));
  EXPECT_FALSE(parses("610a"));
  EXPECT_TRUE(parses("41ff"));
}

TEST(Cbor, NestsAsDeepAsAuthenticatorsDoAndNoDeeper) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '\x81') + cbor::integer(1);
  };
  EXPECT_TRUE(parse_cbor(nested(limits::cbor_depth)));
  EXPECT_FALSE(parse_cbor(nested(limits::cbor_depth + 1)));
  EXPECT_FALSE(parse_cbor(nested(100'000)));
}

TEST(Cbor, HasABoundOfValues) {
  const auto array = [](std::size_t count) {
    return cbor::array(std::vector<std::string>(count, cbor::integer(0)));
  };
  EXPECT_TRUE(parse_cbor(array(limits::cbor_values - 1)));
  EXPECT_FALSE(parse_cbor(array(limits::cbor_values)));
}

TEST(Cbor, OneValueIsTakenOffTheFront) {
  const std::string two = cbor::text("a") + cbor::integer(5);
  std::string_view rest = two;
  EXPECT_EQ(take_cbor(rest)->text(), "a");
  EXPECT_EQ(take_cbor(rest)->integer(), 5);
  EXPECT_FALSE(take_cbor(rest));
  EXPECT_FALSE(parse_cbor(two)) << "it is more than one value";
  std::string_view broken = "\xC0\x01";
  EXPECT_FALSE(take_cbor(broken));
  EXPECT_EQ(broken.size(), 2U);
}

/// Some value of the canonical form.
std::string some_value(Rng& rng, std::size_t depth) {
  const std::uint64_t draw = rng.next_u64();
  const auto number = static_cast<std::int64_t>(rng.next_u64()) >> (draw % 64);
  switch (draw / 64 % (depth == 0 ? 5 : 7)) {
    case 0:
    case 1:
      return cbor::integer(number);
    case 2:
      return cbor::octets(std::string(draw % 300, '\xAB'));
    case 3:
      return cbor::text(std::string(draw % 300, 'x'));
    case 4:
      return draw % 2 == 0 ? "\xF6" : "\xF5";
    case 5: {
      std::vector<std::string> elements;
      for (std::uint64_t left = draw % 4; left > 0; --left) {
        elements.push_back(some_value(rng, depth - 1));
      }
      return cbor::array(elements);
    }
    default: {
      std::vector<std::pair<std::string, std::string>> members;
      const auto first = static_cast<std::int64_t>(draw % 1000);
      for (std::int64_t key = first; key < first + static_cast<std::int64_t>(draw % 4); ++key) {
        members.emplace_back(cbor::integer(key), some_value(rng, depth - 1));
      }
      return cbor::map(members);
    }
  }
}

TEST(Cbor, WhatIsWrittenIsReadAndWrittenAgainAsTheSame) {
  SeededRng rng(61);
  int read = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::string encoded = some_value(rng, limits::cbor_depth);
    const auto value = parse_cbor(encoded);
    if (!value) continue;  // it has more values than the bound
    ++read;
    ASSERT_EQ(cbor::encode(*value), encoded)
        << to_hex({reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size()});
    // Cut anywhere it is no value any more.
    for (std::size_t size = 0; size < encoded.size(); size += 1 + encoded.size() / 16) {
      ASSERT_FALSE(parse_cbor(std::string_view(encoded).substr(0, size)));
    }
  }
  EXPECT_GT(read, 1800);
}

}  // namespace
}  // namespace muster
