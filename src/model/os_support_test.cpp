// SPDX-License-Identifier: Apache-2.0
#include "model/os_support.h"

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "model/package.h"

namespace muster::model {
namespace {

using State = OsSupport::State;

Instant day(const std::string& text) {
  return leading_day(text).value();
}

TEST(OsSupport, GoesFromSupportedOverExtendedToItsEnd) {
  const auto of = [](const std::string& distro, const std::string& at) {
    return os_support(distro, day(at));
  };
  EXPECT_EQ(of("debian:12", "2026-07-11").state, State::supported) << "its last day";
  EXPECT_EQ(of("debian:12", "2026-07-12").state, State::extended);
  EXPECT_EQ(of("debian:12", "2026-07-12").until, "2028-06-30");
  EXPECT_TRUE(of("debian:12", "2026-07-12").advised) << "Debian's LTS is for all";
  EXPECT_EQ(of("debian:12", "2028-07-01").state, State::end_of_life);
  EXPECT_FALSE(of("debian:12", "2028-07-01").advised);
  EXPECT_EQ(of("ubuntu:18.04", "2026-01-01").state, State::extended);
  EXPECT_FALSE(of("ubuntu:18.04", "2026-01-01").advised) << "ESM is for subscribers";
  EXPECT_EQ(of("centos:8", "2022-01-01").state, State::end_of_life);
  EXPECT_EQ(of("centos:8", "2022-01-01").until, "2021-12-31");
}

TEST(OsSupport, IsUnknownForReleasesThatNobodyListed) {
  EXPECT_EQ(os_support("debian:sid", day("2026-01-01")).state, State::unknown);
  EXPECT_EQ(os_support("", day("2026-01-01")).state, State::unknown);
  EXPECT_TRUE(os_support("arch", day("2026-01-01")).advised);
}

TEST(OsSupport, NamesReleasesAsPackagesDo) {
#define OS_SUPPORT(release, standard_end, extended_end, extended_for_all)         \
  EXPECT_EQ(canonical_distro(release), release);                                  \
  EXPECT_TRUE(leading_day(standard_end)) << (release);                            \
  if (std::string_view(extended_end) != "") {                                     \
    EXPECT_GE(day(extended_end).unix_ms, day(standard_end).unix_ms) << (release); \
  }
#include "model/os_support.def"
#undef OS_SUPPORT
}

TEST(LeadingDay, ReadsDatesThatPublishersWrite) {
  EXPECT_EQ(leading_day("2025.08.25"), leading_day("2025-08-25T12:00:00.000"));
  EXPECT_FALSE(leading_day("v2025"));
  EXPECT_FALSE(leading_day("2025-13-01"));
  EXPECT_FALSE(leading_day(""));
}

using Row = std::map<std::string, std::string>;

std::vector<Row> read_csv(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> names;
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::vector<std::string> values;
    for (std::string cell; std::getline(cells, cell, ',');) values.push_back(cell);
    if (names.empty()) {
      names = values;
      continue;
    }
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < values.size() && i < names.size(); ++i) row[names[i]] = values[i];
  }
  return rows;
}

/// Compares os_support.def with the package distro-info-data, where it is installed.
TEST(OsSupport, IsWhatDistroInfoSays) {
  const std::string folder = "/usr/share/distro-info/";
  std::map<std::string, std::pair<std::string, std::string>> told;
  for (const Row& row : read_csv(folder + "debian.csv")) {
    const auto of = [&](const char* name) { return row.contains(name) ? row.at(name) : ""; };
    told["debian:" + of("version").substr(0, of("version").find('.'))] = {of("eol"), of("eol-lts")};
  }
  for (const Row& row : read_csv(folder + "ubuntu.csv")) {
    const auto of = [&](const char* name) { return row.contains(name) ? row.at(name) : ""; };
    told["ubuntu:" + of("version").substr(0, of("version").find(' '))] = {of("eol"), of("eol-esm")};
  }
  if (told.empty()) GTEST_SKIP() << "without distro-info-data";
  int compared = 0;
#define OS_SUPPORT(release, standard_end, extended_end, extended_for_all) \
  if (const auto found = told.find(release); found != told.end()) {       \
    ++compared;                                                           \
    EXPECT_EQ(found->second.first, standard_end) << (release);            \
    EXPECT_EQ(found->second.second, extended_end) << (release);           \
  }
#include "model/os_support.def"
#undef OS_SUPPORT
  std::cout << compared << " releases compared\n";
  EXPECT_GT(compared, 15);
}

}  // namespace
}  // namespace muster::model
