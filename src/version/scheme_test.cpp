// SPDX-License-Identifier: Apache-2.0
#include "version/scheme.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "version/case_files.h"
#include "version/order_laws.h"
#include "version/test_support.h"

namespace muster::version {
namespace {

using test::all_schemes;
using test::Case;
using test::Cases;
using test::expect_order_laws;
using test::read_cases;
using test::sign;
using test::split;

TEST(Schemes, AreReadByNameInAnyCase) {
  for (const Scheme scheme : all_schemes) EXPECT_EQ(parse_scheme(scheme_name(scheme)), scheme);
  EXPECT_EQ(parse_scheme("DEB"), Scheme::deb);
  EXPECT_EQ(parse_scheme("debian"), std::nullopt);
  EXPECT_EQ(parse_scheme(""), std::nullopt);
}

TEST(Schemes, AgreeWithEveryHandWrittenCase) {
  for (const Scheme scheme : all_schemes) {
    const Cases cases = read_cases(scheme);
    ASSERT_FALSE(cases.pairs.empty());
    for (const auto& [a, relation, b] : cases.pairs) {
      const auto order = compare(scheme, a, b);
      ASSERT_TRUE(order.ok()) << order.error().message;
      EXPECT_EQ(sign(*order), relation) << scheme_name(scheme) << ": " << a << " against " << b;
    }
    for (const std::string& text : cases.invalid) {
      EXPECT_FALSE(validate(scheme, text).ok()) << scheme_name(scheme) << " \"" << text << '"';
      EXPECT_FALSE(compare(scheme, text, "1").ok()) << '"' << text << '"';
      EXPECT_FALSE(compare(scheme, "1", text).ok()) << '"' << text << '"';
    }
  }
}

TEST(Schemes, NameTheVersionThatTheyRefuse) {
  const auto refused = compare(Scheme::deb, "1.0", "22.01 (x64)");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid_field);
  EXPECT_NE(refused.error().message.find("22.01 (x64)"), std::string::npos);
}

TEST(Schemes, AreTotalOrdersOverTheirCases) {
  for (const Scheme scheme : all_schemes) {
    std::vector<std::string> versions;
    for (const Case& each : read_cases(scheme).pairs) {
      versions.push_back(each.a);
      versions.push_back(each.b);
    }
    expect_order_laws(scheme, versions);
  }
}

/// What generated texts are put together from: dense around the traps of a scheme, so that many
/// share a prefix. Words are between spaces; the first ones begin a text.
struct Pieces {
  Scheme scheme;
  std::string_view first;
  std::string_view more;
};

constexpr Pieces all_pieces[]{
    {Scheme::deb, "0 1 2 9 1:0 0:1", "0 0 1 9 a Z ~ ~ + . . -"},
    {Scheme::rpm, "0 1 2 1:0 0:1 a", "0 0 1 9 a Z ~ ^ . _ -"},
    {Scheme::apk, "0 1 2", ".0 .1 .01 .10 a p 1 _rc _p _alpha 2 ~a ~1 -r0 -r1"},
    {Scheme::semver, "0 1 v1 1.0", ".0 .1 -0 -1 -a -A a .a .2 10 + +1 --"},
    {Scheme::generic, "0 1 v1 1.0", ".0 .1 -1 -a a m b1 rc .rc beta p 0 10 ~ + SP1 .Z .Final ga"},
    {Scheme::pacman, "0 1 1:0 1.0 a", ".0 .1 0 9 a rc .a _1 ..1 + ~b -1 -2 -1.1"},
    {Scheme::pep440, "0 1 1!0 v1 1.0", ".0 .1 a1 b rc1 .post1 -1 .dev1 .dev +1 +a .A _2"},
    {Scheme::maven, "0 1 1.0 r1", ".0 .1 -0 -1 - . a1 -a .x -sp ga .final -rc snapshot 10 _"},
    {Scheme::nuget, "0 1 1.0", ".0 .1 -0 -1 -a -A a .a .B 10 + +1 --"},
    {Scheme::rubygems, "0 1 1.0", ".0 .0 .1 a .a .b1 -a -1 -x86-linux rc Z"},
    {Scheme::packagist, "0 1 v1 1.0", ".0 .1 -1 a -beta RC pl -dev _q +r patch"},
    {Scheme::golang, "v0 v1 1 go1 v1.0", ".0 .1 -0 -1 -rc rc rc1 .2 .a +incompatible"},
    {Scheme::windows, "0 1 v1 1.0", ".0 .1 ,1 -a a rc SP p1 beta 0 10 ~ .Z"},
    {Scheme::jvm, "0 1 8 1.8 1.0", ".0 .1 _1 _0 u1 -u2 -ea -b1 -1 -ga +1 .0.1 -x"},
    {Scheme::openssl, "0 1 1.0 1.0.2", ".0 .1 a z za -fips -dev -beta -beta1 -pre2 +q"},
};

std::vector<std::string> generated_versions(const Pieces& pieces, std::size_t count,
                                            std::uint64_t seed) {
  SeededRng random(seed);
  const auto first = split(pieces.first, ' ');
  const auto more = split(pieces.more, ' ');
  std::vector<std::string> versions;
  while (versions.size() < count) {
    std::string text(first[random.below(first.size())]);
    for (auto left = random.below(7); left > 0; --left) text += more[random.below(more.size())];
    if (validate(pieces.scheme, text).ok()) versions.push_back(text);
  }
  return versions;
}

TEST(Schemes, AreTotalOrdersOverGeneratedVersions) {
  static_assert(std::size(all_pieces) == all_schemes.size());

  for (const Pieces& pieces : all_pieces) {
    for (const unsigned seed : {1U, 2U, 3U}) {
      expect_order_laws(pieces.scheme, generated_versions(pieces, 150, seed));
    }
  }
}

TEST(Schemes, CompareDigitsThatNoWordHolds) {
  const std::string ones(150, '1');
  const std::string twos(150, '2');
  for (const Scheme scheme : all_schemes) {
    EXPECT_EQ(sign(compare(scheme, "1." + ones, "1." + twos).value()), '<') << scheme_name(scheme);
    EXPECT_EQ(sign(compare(scheme, "1." + ones + "1", "1." + twos).value()), '>')
        << scheme_name(scheme);
  }
}

TEST(Schemes, ReadingStaysWithinTextThatIsNoVersion) {
  SeededRng random(7);
  for (const Scheme scheme : all_schemes) {
    for (int round = 0; round < 5000; ++round) {
      std::string texts[2];
      for (std::string& text : texts) {
        text.resize(random.below(12));
        for (char& c : text) c = static_cast<char>(random.below(256));
        text.shrink_to_fit();
      }
      const auto order = compare_valid(scheme, texts[0], texts[1]);
      EXPECT_EQ(sign(order), sign(0 <=> compare_valid(scheme, texts[1], texts[0])));
      EXPECT_EQ(compare(scheme, texts[0], texts[1]).ok(),
                validate(scheme, texts[0]).ok() && validate(scheme, texts[1]).ok());
    }
  }
}

TEST(Deb, AgreesWithDpkgItself) {
  if (!test::dpkg_says("1", "eq", "1")) GTEST_SKIP() << "no dpkg on this machine";
  const auto versions = generated_versions(all_pieces[0], 600, 11);
  for (std::size_t i = 0; i + 1 < versions.size(); i += 2) {
    const auto& a = versions[i];
    const auto& b = versions[i + 1];
    const auto order = compare(Scheme::deb, a, b).value();
    EXPECT_EQ(test::dpkg_says(a,
                              order < 0   ? "lt"
                              : order > 0 ? "gt"
                                          : "eq",
                              b),
              true)
        << a << " " << sign(order) << " " << b;
  }
}

}  // namespace
}  // namespace muster::version
