// SPDX-License-Identifier: Apache-2.0
#include "version/scheme.h"

#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"
#include "version/test_support.h"

namespace muster::version {
namespace {

using test::read_file;
using test::shared_data;
using test::split;

constexpr std::array all_schemes{
#define SCHEME(name) Scheme::name,
#include "version/schemes.def"
#undef SCHEME
};

char sign(std::weak_ordering order) {
  return order < 0 ? '<' : order > 0 ? '>' : '=';
}

struct Case {
  std::string a;
  char relation;
  std::string b;
};

struct Cases {
  std::vector<Case> pairs;
  std::vector<std::string> invalid;
};

Cases read_cases(Scheme scheme) {
  const auto path = std::filesystem::path(MUSTER_SOURCE_DIR) / "src/version/cases" /
                    (std::string(scheme_name(scheme)) + ".txt");
  Cases cases;
  const std::string text = read_file(path);
  for (const auto line : split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    constexpr std::string_view invalid = "invalid ";
    if (line.substr(0, invalid.size()) == invalid) {
      cases.invalid.emplace_back(line.substr(invalid.size()));
      continue;
    }
    const auto words = split(line, ' ');
    if (words.size() != 3) throw std::runtime_error("bad case: " + std::string(line));
    cases.pairs.push_back({std::string(words[0]), words[1].front(), std::string(words[2])});
  }
  return cases;
}

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
      EXPECT_EQ(sign(*order), relation) << a << " against " << b;
    }
    for (const std::string& text : cases.invalid) {
      EXPECT_FALSE(validate(scheme, text).ok()) << '"' << text << '"';
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

/// Reflexive, antisymmetric, transitive, and equivalence is a congruence: over all triples.
void expect_order_laws(Scheme scheme, const std::vector<std::string>& versions) {
  const std::size_t count = versions.size();
  std::vector<std::vector<int>> order(count, std::vector<int>(count));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const auto found = compare_valid(scheme, versions[i], versions[j]);
      order[i][j] = found < 0 ? -1 : found > 0 ? 1 : 0;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(order[i][i], 0) << versions[i];
    for (std::size_t j = 0; j < count; ++j) {
      ASSERT_EQ(order[i][j], -order[j][i]) << versions[i] << " " << versions[j];
      for (std::size_t k = 0; k < count; ++k) {
        if (order[i][j] > 0 || order[j][k] > 0) continue;
        ASSERT_EQ(order[i][k], std::min(order[i][j], order[j][k]))
            << versions[i] << " " << versions[j] << " " << versions[k];
      }
    }
  }
}

/// Versions dense around the traps: few characters, so that many pairs share a prefix.
std::vector<std::string> generated_deb_versions(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](std::string_view from) { return from[random() % from.size()]; };
  std::vector<std::string> versions;
  while (versions.size() < count) {
    std::string text;
    if (random() % 4 == 0) text = std::string(1, pick("012")) + ":";
    text += pick("0129");
    for (auto left = random() % 7; left > 0; --left) text += pick("0019aZ~~+..-");
    if (validate(Scheme::deb, text).ok()) versions.push_back(text);
  }
  return versions;
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

TEST(Deb, IsATotalOrderOverGeneratedVersions) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    expect_order_laws(Scheme::deb, generated_deb_versions(150, seed));
  }
}

TEST(Deb, ReadingStaysWithinTextThatIsNoVersion) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string texts[2];
    for (std::string& text : texts) {
      text.resize(random() % 12);
      for (char& c : text) c = static_cast<char>(random() % 256);
    }
    const auto order = compare_valid(Scheme::deb, texts[0], texts[1]);
    EXPECT_EQ(order<0, compare_valid(Scheme::deb, texts[1], texts[0])> 0);
  }
}

/// One condition of the vector files: "< 1.0", ">= 2", ...
bool holds(const std::string& version, std::string_view condition) {
  const auto end = condition.find_first_not_of("<>=");
  const auto relation = condition.substr(0, end);
  const auto order = compare(Scheme::deb, version, trim(condition.substr(end))).value();
  if (relation == "<") return order < 0;
  if (relation == "<=") return order <= 0;
  if (relation == ">") return order > 0;
  if (relation == ">=") return order >= 0;
  if (relation == "=") return order == 0;
  throw std::runtime_error("unknown condition " + std::string(condition));
}

/// "> 1.0, < 2.0 || = 3.0"
bool in_range(const std::string& version, std::string_view range) {
  for (;;) {
    const auto end = range.find("||");
    bool all = true;
    for (const auto part : split(range.substr(0, end), ',')) all &= holds(version, trim(part));
    if (all) return true;
    if (end == std::string_view::npos) return false;
    range.remove_prefix(end + 2);
  }
}

TEST(Deb, AgreesWithEveryPublishedVector) {
  const auto path = shared_data(MUSTER_SOURCE_DIR, "version-vectors/dpkg.tsv");
  if (!path) GTEST_SKIP() << "no version-vectors/dpkg.tsv: set MUSTER_DATA";
  const std::string text = read_file(*path);
  int rows = 0;
  for (const auto line : split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    const auto columns = split(line, '\t');
    ASSERT_EQ(columns.size(), 5U) << line;
    const std::string a(columns[1]);
    ++rows;
    if (columns[2] == "in" || columns[2] == "notin") {
      EXPECT_EQ(in_range(a, columns[3]), columns[2] == "in") << line;
      continue;
    }
    const auto order = compare(Scheme::deb, a, columns[3]);
    ASSERT_TRUE(order.ok()) << line;
    EXPECT_EQ(std::string_view(columns[2]), std::string(1, sign(*order))) << line;
  }
  EXPECT_GT(rows, 14000);
}

TEST(Deb, AgreesWithDpkgItself) {
  if (!test::dpkg_says("1", "eq", "1")) GTEST_SKIP() << "no dpkg on this machine";
  const auto versions = generated_deb_versions(600, 11);
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
