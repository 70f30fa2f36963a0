// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_records.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"
#include "store/sql/inventory.h"

namespace muster::fleet {
namespace {

/// One change of a record of NVD: `at` orders them.
struct Change {
  int cve = 0;
  int at = 0;
  bool rejected = false;
};

std::string text_of(const Change& change) {
  const std::string at = std::to_string(1000 + change.at);
  std::string text = R"({"cve": {"id": "CVE-2026-)" + std::to_string(1000 + change.cve) +
                     R"(", "lastModified": "2026-01-01T00:00:00.)" + at + "\"";
  if (change.rejected) return text + R"(, "vulnStatus": "Rejected"}})";
  return text +
         R"(, "configurations": [{"nodes": [{"operator": "OR", "cpeMatch": [{"vulnerable":)"
         R"( true, "criteria": "cpe:2.3:a:vendor:p)" +
         at + R"(:1:*:*:*:*:*:*:*"}]}]}]}})";
}

std::string file_of(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) text += text_of(change) + "\n";
  return text;
}

std::map<std::string, std::string> in_force(TestFleet& fleet) {
  std::map<std::string, std::string> out;
  fleet->store.read([&](store::Reader& reader) {
    store::for_each_advisory(reader, [&](const model::Advisory& one) {
      EXPECT_TRUE(out.emplace(one.id, model::encode_advisory(one)).second) << "twice: " << one.id;
    });
  });
  return out;
}

std::int64_t records(TestFleet& fleet) {
  return list_feed_status(fleet->store).at(static_cast<std::size_t>(feeds::FeedKind::nvd)).records;
}

Result<ImportOutcome> import(TestFleet& fleet, ImportMode mode, std::vector<std::string> files) {
  fleet.now = fleet.now + Duration(1);
  return import_feed(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, fleet.actor,
                     feeds::FeedKind::nvd, std::move(files), fleet.now, mode);
}

TEST(FeedRecords, PagesMergedAreTheSameAsOneImportHoweverTheyAreSplit) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SeededRng rng(seed);
    const auto draw = [&](std::uint64_t below) { return rng.next_u64() % below; };
    std::vector<Change> changes;
    for (int at = 0; at < 60; ++at) {
      changes.push_back({static_cast<int>(draw(20)), at, draw(5) == 0});
    }
    TestFleet paged(seed);
    for (std::size_t begin = 0; begin < changes.size();) {
      const std::size_t end = std::min(changes.size(), begin + 1 + draw(15));
      ASSERT_TRUE(import(paged, ImportMode::merge,
                         {file_of({changes.begin() + static_cast<std::ptrdiff_t>(begin),
                                   changes.begin() + static_cast<std::ptrdiff_t>(end)})})
                      .ok());
      begin = end;
    }
    // All at once, in no order and in several files.
    for (std::size_t i = changes.size() - 1; i > 0; --i)
      std::swap(changes[i], changes[draw(i + 1)]);
    const auto half = static_cast<std::ptrdiff_t>(draw(changes.size()));
    std::vector<std::string> files = {file_of({changes.begin() + half, changes.end()})};
    if (half > 0) files.push_back(file_of({changes.begin(), changes.begin() + half}));
    TestFleet whole(seed);
    const ImportOutcome outcome = import(whole, ImportMode::replace, files).value();
    std::set<int> distinct;
    for (const Change& change : changes) distinct.insert(change.cve);
    EXPECT_EQ(outcome.superseded, changes.size() - distinct.size()) << "seed " << seed;
    ASSERT_EQ(in_force(paged), in_force(whole)) << "seed " << seed;
    EXPECT_EQ(records(paged), static_cast<std::int64_t>(in_force(whole).size()));
    EXPECT_EQ(paged.count("SELECT count(*) FROM advisories"), records(paged))
        << "nothing else is left";
  }
}

TEST(FeedRecords, ACorrectionWithoutATimeHoldsOverWhatCameBeforeIt) {
  const std::string awaiting_analysis =
      R"({"cve": {"id": "CVE-2026-1001", "lastModified": "2026-04-16T13:25:00.000",)"
      R"( "vulnStatus": "Awaiting Analysis"}})";
  const std::string correction =
      R"({"id": "CVE-2026-1001", "modified": null, "configurations": [{"nodes": [{"operator":)"
      R"( "OR", "cpeMatch": [{"vulnerable": true, "criteria": "cpe:2.3:a:vendor:p:1:*:*:*:*:*:*:*"}]}]}]})";
  TestFleet fleet;
  import(fleet, ImportMode::replace, {awaiting_analysis, correction}).value();
  EXPECT_EQ(in_force(fleet).count("CVE-2026-1001"), 1U);
  import(fleet, ImportMode::replace, {correction, awaiting_analysis}).value();
  EXPECT_TRUE(in_force(fleet).empty()) << "the later file's counts";
}

TEST(FeedRecords, AnImportReplacesEveryLayerOfTheMergesBeforeIt) {
  TestFleet fleet;
  import(fleet, ImportMode::replace, {file_of({{1, 1}, { 2, 1 }})}).value();
  import(fleet, ImportMode::merge, {file_of({{ 3, 2 }})}).value();
  import(fleet, ImportMode::merge, {file_of({{ 4, 3 }})}).value();
  EXPECT_EQ(in_force(fleet).size(), 4U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM feed_layers"), 2);
  import(fleet, ImportMode::replace, {file_of({{ 1, 1 }})}).value();
  EXPECT_EQ(in_force(fleet).size(), 1U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM feed_layers"), 0);
}

TEST(FeedRecords, AMergeThatFailsHalfWayChangesNothing) {
  TestFleet fleet;
  import(fleet, ImportMode::replace, {file_of({{1, 1}, { 2, 1 }})}).value();
  const auto before = in_force(fleet);
  EXPECT_FALSE(import(fleet, ImportMode::merge, {file_of({{1, 2}}), "no json"}).ok());
  EXPECT_EQ(in_force(fleet), before);
  for (const char* statement : {"DELETE FROM advisories", "INSERT INTO feed_layers",
                                "INSERT INTO feeds", "INSERT INTO audit"}) {
    fleet.faults->refuse(statement);
    EXPECT_THROW(static_cast<void>(import(fleet, ImportMode::merge, {file_of({{1, 2}})})),
                 store::StoreError)
        << statement;
    fleet.faults->cancel();
    EXPECT_EQ(in_force(fleet), before) << statement;
  }
  ASSERT_TRUE(import(fleet, ImportMode::merge, {file_of({{1, 2}})}).ok());
  EXPECT_NE(in_force(fleet), before);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM advisories"), 2) << "what was aside is gone";
}

TEST(FeedRecords, ARejectedRecordTakesItsFindingsAway) {
  TestFleet fleet;
  model::Package package;
  package.name = "p1001";
  package.version = "1";
  package.cpe = "cpe:2.3:a:vendor:p1001:1:*:*:*:*:*:*:*";
  fleet.report(TestFleet::report_of("web-1", {package})).value();
  EXPECT_EQ(import(fleet, ImportMode::merge, {file_of({{1, 1}})})->findings_opened, 1U);
  EXPECT_EQ(import(fleet, ImportMode::merge, {file_of({{2, 1}})})->findings_resolved, 0U);
  EXPECT_EQ(import(fleet, ImportMode::merge, {file_of({{1, 2, true}})})->findings_resolved, 1U);
}

}  // namespace
}  // namespace muster::fleet
