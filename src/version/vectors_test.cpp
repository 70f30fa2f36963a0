// SPDX-License-Identifier: Apache-2.0
// Every scheme against the vectors that the makers of its reference implementations and of other
// matchers publish.
#include <algorithm>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "base/testing.h"
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
    {"dpkg.tsv", Scheme::deb, 14000},
    {"rpm.tsv", Scheme::rpm, 98},
    {"rpm-evr.tsv", Scheme::rpm, 67},
    {"apk.tsv", Scheme::apk, 14000},
    {"semver.tsv", Scheme::semver, 124},
    {"generic.tsv", Scheme::generic, 46},
    {"macos.tsv", Scheme::generic, 21},
    {"calver.tsv", Scheme::generic, 12},
    {"majorminor.tsv", Scheme::generic, 10},
    {"pacman.tsv", Scheme::pacman, 51},
    {"pep440.tsv", Scheme::pep440, 12000},
    {"maven.tsv", Scheme::maven, 15000},
    {"nuget.tsv", Scheme::nuget, 22},
    {"rubygems.tsv", Scheme::rubygems, 3900},
    {"packagist.tsv", Scheme::packagist, 10000},
    {"golang.tsv", Scheme::golang, 1},
    {"windows.tsv", Scheme::windows, 11},
    {"jvm.tsv", Scheme::jvm, 51},
    {"openssl.tsv", Scheme::openssl, 16},
};

/// Texts from before PEP 440 that the rows for it still have, on either side.
#define LEGACY                                                                            \
  R"((-class\S*|\S*[0-9][mp][0-9]|\S*-p1|0\.[0-9]-[a-z]+|\S*-(test1|final|STAGING|git)|)" \
  R"(\S*\.(fix1|svn\.r2010)|1\.0beta6\.1|[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+|a3|trunk))"
constexpr const char* pep440_refused = LEGACY R"( < .*|.* < )" LEGACY;
#undef LEGACY

/// Rows that we do not agree with, and why: `row` matches "a op b" whole, `said` is our answer.
struct Conflict {
  std::string_view file;
  const char* row;
  std::string_view said;
  std::string_view why;
};

const Conflict conflicts[]{
    {"rpm.tsv", R"([+_]+ = [+_]+)", "refused", "no letter, no digit: rpm has all such texts equal"},
    {"rpm-evr.tsv", R"([+_]+ = [+_]+)", "refused", "as above"},
    {"apk.tsv", R"(\.[12] [<>] \.?1|0\.\..*)", "refused", "no number between dots: apk: invalid"},
    {"apk.tsv", R"([abc] [<=>] [abc])", "refused", "no number: apk: invalid"},
    {"apk.tsv", R"(1\.2\.0D < 1\.2\.0d)", "refused", "a capital letter: apk: invalid"},
    {"apk.tsv", R"(.*\.r[0-9] > .*\.r[0-9])", "refused", ".r in place of -r: apk: invalid"},
    {"apk.tsv", R"(1.* [<=>] 1-(-?ruff1?|r-?[0-9](-[0-9])?))", "refused",
     "no number in the revision: apk: invalid, and it calls different ones equal"},
    {"apk.tsv", R"(.*_(blah|foo|csv2).*)", "refused", "an unknown suffix: apk: invalid"},
    {"semver.tsv", R"(1\.0\.0\.rc\.alpha in = 1\.0\.0-rc-alpha)", "notin",
     "semver 2.0 §9: a dot separates identifiers, a hyphen is part of one"},
    {"pacman.tsv", R"(1\.0\.0alpha > 1\.0\.0)", "<",
     "vercmp(8): letters at the end are a prerelease; the row's maker uses rpm's order"},
    {"pacman.tsv", R"(1\.0\.0~rc1 < 1\.0\.0)", ">",
     "vercmp knows no tilde: it separates, and more is greater; as above"},
    {"pep440.tsv", pep440_refused, "refused",
     "no version under PEP 440: pip refuses it, and the order of such texts went with setuptools "
     "66"},
    {"maven.tsv", R"((SNAPHSOT|client_hc_no_vehicle|profiles_01|stable) < .*)", "refused",
     "no number: the name of a branch or a profile"},
    {"maven.tsv", R"(3\.5\.0-CR-2 < 3\.5\.0\.Beta-1)", ">",
     "beta < rc whether a dot or a hyphen is before it: specification, and Maven 3.9"},
    {"maven.tsv", R"(3\.6\.2\.FL\.20090615 < 3\.6\.2-FL-2009-05-11)", ">",
     ".fl = -fl by the specification, then a number after a dot is greater. ComparableVersion has "
     ".fl before -fl here, which is no order: 1-alpha < 1 < 1.sp.1 < 1-alpha"},
    {"packagist.tsv", R"(1\.2\.3\.#.*)", "refused",
     "# stands for any number in PHP's own source: 1.2.3 = 1.2.3.# = 1.2.3.1, but 1.2.3 < 1.2.3.1"},
    {"packagist.tsv", R"(v1\.9\.0-ALPHA\.[12] = v1\.9\.0-BETA\.[12])", "<",
     "Composer reads stabilities in any case of letters; PHP knows only small ones"},
    {"packagist.tsv", R"(1\.0\.0 > 1\.0)", "=",
     "Composer fills versions up with zeros to four numbers before it compares; PHP alone does "
     "not"},
    {"packagist.tsv", R"(v[36]\.[0456] < v[36]\.[0456]\.0-(alpha|beta|beta-0))", ">", "as above"},
    {"packagist.tsv", R"(v4-beta4 < v4\.0-alpha|v4\.4 < v4\.4\.0-beta)", ">", "as above"},
    {"packagist.tsv", R"(v1\.9\.0-BETA\.1 < v1\.9\.0-ALPHA\.2)", ">", "as above"},
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

/// Whether the list above names this row with our answer.
bool is_named(std::string_view file, const std::string& row, std::string_view said) {
  static const std::vector<std::regex> patterns = [] {
    std::vector<std::regex> compiled;
    for (const Conflict& each : conflicts) compiled.emplace_back(each.row);
    return compiled;
  }();
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (conflicts[i].file != file || conflicts[i].said != said) continue;
    if (std::regex_match(row, patterns[i])) return true;
  }
  return false;
}

class Vectors : public testing::TestWithParam<VectorFile> {};

TEST_P(Vectors, AgreeButForTheNamedRows) {
  const auto& [name, scheme, rows_min] = GetParam();
  const std::string file = "version-vectors/" + std::string(name);
  const auto path = shared_data(file);
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
    EXPECT_TRUE(is_named(name, row, said)) << name << ": " << row << "; we say " << said;
  }
  EXPECT_GE(rows, rows_min);
  test::expect_order_laws(scheme, {versions.begin(), versions.end()}, 40);
}

INSTANTIATE_TEST_SUITE_P(Published, Vectors, testing::ValuesIn(files), [](const auto& file) {
  std::string name(file.param.name.substr(0, file.param.name.find('.')));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace muster::version
