// SPDX-License-Identifier: Apache-2.0
// Every scheme against the vectors that the makers of its reference implementations and of other
// matchers publish.
#include <algorithm>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "version/order_laws.h"
#include "version/scheme.h"
#include "version/test_support.h"

namespace muster::version {
namespace {

using test::sign;
using test::split;

/// A file of vectors, the scheme that must agree with it and how many rows it has at least.
struct VectorFile {
  std::string_view name;
  Scheme scheme;
  int rows_min;
};

constexpr VectorFile files[]{
    {"dpkg.tsv", Scheme::deb, 14000},        {"rpm.tsv", Scheme::rpm, 98},
    {"rpm-evr.tsv", Scheme::rpm, 67},        {"apk.tsv", Scheme::apk, 14000},
    {"semver.tsv", Scheme::semver, 124},     {"generic.tsv", Scheme::generic, 46},
    {"macos.tsv", Scheme::generic, 21},      {"calver.tsv", Scheme::generic, 12},
    {"majorminor.tsv", Scheme::generic, 10},
};

/// Rows that we do not agree with, and why: `row` matches "a op b" whole.
struct Conflict {
  std::string_view file;
  const char* row;
  std::string_view why;
};

const Conflict conflicts[]{
    {"rpm.tsv", R"([+_]+ = [+_]+)", "no letter and no digit: rpm calls all such texts equal"},
    {"rpm-evr.tsv", R"([+_]+ = [+_]+)", "as above"},
    {"apk.tsv", R"(\.1 < 1|\.2 > \.1|0\.\..*)", "a number is missing: apk calls it invalid"},
    {"apk.tsv", R"([abc] [<=>] [abc])", "no number: apk calls it invalid"},
    {"apk.tsv", R"(1.2.0D < 1.2.0d)", "a capital letter: apk calls it invalid"},
    {"apk.tsv", R"(.*\.r[0-9] > .*\.r[0-9])", ".r in place of -r: apk calls it invalid"},
    {"apk.tsv", R"(1.* [<=>] 1-(-?ruff1?|r-?[0-9](-[0-9])?))",
     "the revision is no number: apk stops reading there and calls different texts equal"},
    {"apk.tsv", R"(.*_(blah|foo|csv2).*)", "a suffix that apk does not know: it calls it invalid"},
    {"semver.tsv", R"(1\.0\.0\.rc\.alpha in = 1\.0\.0-rc-alpha)",
     "a dot separates identifiers, a hyphen is part of one"},
};

/// One condition: "< 1.0", ">= 2", "3.0", "'4.5.1'". Nothing when a text is no version.
std::optional<bool> holds(Scheme scheme, const std::string& version, std::string_view condition) {
  const auto end = std::min(condition.find_first_not_of("<>="), condition.size());
  const auto relation = condition.substr(0, end);
  auto bound = trim(condition.substr(end));
  if (bound.size() > 1 && bound.front() == '\'') bound = bound.substr(1, bound.size() - 2);
  const auto order = compare(scheme, version, bound);
  if (!order.ok()) return std::nullopt;
  if (relation == "<") return *order < 0;
  if (relation == "<=") return *order <= 0;
  if (relation == ">") return *order > 0;
  if (relation == ">=") return *order >= 0;
  if (relation == "=" || relation.empty()) return *order == 0;
  throw std::runtime_error("unknown condition " + std::string(condition));
}

/// "> 1.0, < 2.0 || = 3.0"
std::optional<bool> in_range(Scheme scheme, const std::string& version, std::string_view range) {
  for (;;) {
    const auto end = range.find("||");
    bool all = true;
    for (const auto part : split(range.substr(0, end), ',')) {
      const auto held = holds(scheme, version, trim(part));
      if (!held) return std::nullopt;
      all &= *held;
    }
    if (all) return true;
    if (end == std::string_view::npos) return false;
    range.remove_prefix(end + 2);
  }
}

/// What we say in place of the row's relation: in, notin, <, =, > or refused.
std::string answer(Scheme scheme, const std::vector<std::string_view>& columns) {
  const std::string a(columns[1]);
  if (columns[2] == "in" || columns[2] == "notin") {
    const auto in = in_range(scheme, a, columns[3]);
    return !in ? "refused" : *in ? "in" : "notin";
  }
  const auto order = compare(scheme, a, columns[3]);
  return order.ok() ? std::string(1, sign(*order)) : "refused";
}

bool is_named(std::string_view file, const std::string& row) {
  return std::any_of(std::begin(conflicts), std::end(conflicts), [&](const Conflict& each) {
    return each.file == file && std::regex_match(row, std::regex(each.row));
  });
}

class Vectors : public testing::TestWithParam<VectorFile> {};

TEST_P(Vectors, AgreeButForTheNamedRows) {
  const auto& [name, scheme, rows_min] = GetParam();
  const std::string file = "version-vectors/" + std::string(name);
  const auto path = test::shared_data(MUSTER_SOURCE_DIR, file);
  if (!path) GTEST_SKIP() << "no " << file << ": set MUSTER_DATA";
  const std::string text = test::read_file(*path);
  int rows = 0;
  std::set<std::string> versions;
  for (const auto line : split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    const auto columns = split(line, '\t');
    ASSERT_EQ(columns.size(), 5U) << line;
    ++rows;
    versions.emplace(columns[1]);
    if (columns[2].size() == 1) versions.emplace(columns[3]);
    const std::string said = answer(scheme, columns);
    if (said == columns[2]) continue;
    const std::string row =
        std::string(columns[1]) + " " + std::string(columns[2]) + " " + std::string(columns[3]);
    EXPECT_TRUE(is_named(name, row)) << name << ": " << row << "; we say " << said;
  }
  EXPECT_GE(rows, rows_min);
  test::expect_order_laws(scheme, {versions.begin(), versions.end()}, 100);
}

INSTANTIATE_TEST_SUITE_P(Published, Vectors, testing::ValuesIn(files), [](const auto& file) {
  std::string name(file.param.name.substr(0, file.param.name.find('.')));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace muster::version
