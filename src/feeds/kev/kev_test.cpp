// SPDX-License-Identifier: Apache-2.0
#include "feeds/kev/kev.h"
#include "base/testing.h"

#include <set>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "feeds/decompress.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

using version::test::read_file;

std::string fixture() {
  return read_file(source_directory() / "src/feeds/kev/fixtures/catalogue.json");
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("fixture lost its text");
  return text.replace(at, from.size(), to);
}

std::string failure_of(const std::string& text) {
  const auto read = parse_kev(text);
  return read.ok() ? "none" : read.error().message;
}

TEST(Kev, GivesEveryEntryOfTheCatalogue) {
  const auto catalogue = parse_kev(fixture());
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  EXPECT_EQ(catalogue->catalog_version, "2025.01.02");
  EXPECT_EQ(catalogue->date_released, "2025-01-02T15:00:00.1234Z");
  const std::vector<model::KevEntry> expected = {
      {"CVE-2099-0001", "Example", "Widget", "Example Widget Overflow", "2025-01-02", "2025-01-23",
       "Apply updates.\nOr stop using it.", true},
      {"CVE-2099-0002", "Beispiel Größe", "Multiple Products", "Old Entry Without Weaknesses",
       "2021-11-03", "2021-11-17", "Apply updates per vendor instructions.", false},
  };
  EXPECT_EQ(catalogue->entries, expected);
}

TEST(Kev, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(failure_of(replaced(fixture(), "\"cveID\": \"CVE-2099-0002\",", "")),
            "vulnerabilities[1].cveID: is required");
  EXPECT_EQ(failure_of(replaced(fixture(), "\"product\": \"Widget\",", "")),
            "vulnerabilities[0].product: is required");
  EXPECT_EQ(failure_of(replaced(fixture(), "2021-11-17", "soon")),
            "vulnerabilities[1].dueDate: is no date");
  EXPECT_EQ(failure_of(replaced(fixture(), "CVE-2099-0001", "GHSA-1")),
            "vulnerabilities[0].cveID: is no CVE id");
  EXPECT_EQ(failure_of(replaced(fixture(), "\"catalogVersion\"", "\"version\"")),
            "catalogVersion: is required");
  EXPECT_EQ(failure_of(replaced(fixture(), "\"vulnerabilities\"", "\"items\"")),
            "vulnerabilities: is required");
}

TEST(Kev, RefusesACatalogueThatWasCut) {
  EXPECT_EQ(failure_of(replaced(fixture(), "\"count\": 2", "\"count\": 3")),
            "count: says 3, but there are 2 entries");
  const std::string whole = fixture();
  for (std::size_t size = 0; size < whole.size() - 2; size += 7) {
    EXPECT_FALSE(parse_kev(whole.substr(0, size)).ok()) << size;
  }
}

TEST(Kev, ReadsEveryPublishedEdition) {
  const auto today = shared_data("kev/known_exploited_vulnerabilities.json");
  if (!today) GTEST_SKIP() << "no kev/known_exploited_vulnerabilities.json: set MUSTER_DATA";
  const auto current = parse_kev(read_file(*today));
  ASSERT_TRUE(current.ok()) << current.error().message;
  EXPECT_EQ(current->catalog_version, "2025.08.25");
  EXPECT_EQ(current->entries.size(), 1404U);
  std::size_t ransomware = 0;
  std::set<std::string> ids;
  for (const model::KevEntry& entry : current->entries) {
    ransomware += entry.ransomware ? 1 : 0;
    ids.insert(entry.cve);
  }
  EXPECT_EQ(ransomware, 293U);
  EXPECT_EQ(ids.size(), 1404U);
  for (const char* name : {"2025-01-27", "2025-05-06"}) {
    const auto path =
        shared_data(std::string("kev/known_exploited_") + "vulnerabilities_" + name + ".json.zst");
    if (!path) GTEST_SKIP() << "no older edition " << name;
    const auto text = decompress(read_file(*path), limits::feed_body_bytes);
    ASSERT_TRUE(text.ok()) << text.error().message;
    const auto older = parse_kev(*text);
    ASSERT_TRUE(older.ok()) << older.error().message;
    EXPECT_LT(older->entries.size(), current->entries.size());
    EXPECT_GT(older->entries.size(), 1200U);
  }
}

}  // namespace
}  // namespace muster::feeds
