// SPDX-License-Identifier: Apache-2.0
#include "fleet/catalogue.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"
#include "vuln/index.h"
#include "vuln/index_diff.h"

namespace muster::fleet {
namespace {

/// A server's catalogue after a start in `directory`.
std::shared_ptr<const Knowledge> started(TestFleet& fleet, const TestDirectory& directory) {
  Catalogue catalogue(index_file_in(directory.path()));
  fleet->store.read([&](store::Reader& reader) { catalogue.load(reader); });
  return catalogue.current();
}

/// So that an index can come from the file alone.
void delete_advisories(TestFleet& fleet) {
  fleet->store.write([](store::Tx& tx) { tx.post("DELETE FROM advisories"); });
}

TEST(Catalogue, TakesTheIndexFromTheFileUntilTheNextImport) {
  TestFleet fleet;
  const TestDirectory directory{memory_backed_path()};
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  const auto built = started(fleet, directory);
  EXPECT_EQ(built->index->size(), 1U);
  delete_advisories(fleet);
  const auto kept = started(fleet, directory);
  EXPECT_TRUE(vuln::IndexDiff(*built->index, *kept->index).empty());
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}, {"b", "3"}})).ok());
  EXPECT_EQ(started(fleet, directory)->index->size(), 2U);
  // The imports that join findings by CVE are no part of an index.
  delete_advisories(fleet);
  ASSERT_TRUE(
      fleet.import(feeds::FeedKind::epss, "cve,epss,percentile\nCVE-2099-0001,0.5,0.75\n").ok());
  EXPECT_EQ(started(fleet, directory)->index->size(), 2U);
}

TEST(Catalogue, BuildsTheIndexWhereTheFileIsOfAnotherStoreOrDamaged) {
  TestFleet fleet;
  TestFleet other(2);
  const TestDirectory directory{memory_backed_path()};
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  ASSERT_TRUE(other.import(feeds::FeedKind::debian, feed({{"b", "2"}})).ok());
  started(other, directory);
  const auto built = started(fleet, directory);
  EXPECT_FALSE(built->index->find(model::Ecosystem::deb, "debian:12", "a").empty());
  const auto file = index_file_in(directory.path());
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_TRUE(vuln::IndexDiff(*built->index, *started(fleet, directory)->index).empty());
}

TEST(Catalogue, StartsWhereTheFileCannotBeWritten) {
  TestFleet fleet;
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  Catalogue catalogue(index_file_in("/nonexistent"));
  fleet->store.read([&](store::Reader& reader) { catalogue.load(reader); });
  EXPECT_EQ(catalogue.current()->index->size(), 1U);
}

}  // namespace
}  // namespace muster::fleet
