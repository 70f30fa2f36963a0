// SPDX-License-Identifier: Apache-2.0
#include "swarm/software_pool.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "agent/software_set.h"

namespace muster::swarm {
namespace {

using agent::change_between;
using agent::make_software_set;

Scenario small() {
  Scenario scenario;
  scenario.fleet_packages = 40;
  return scenario;
}

TEST(SoftwarePool, IsAFunctionOfSeedVariantAndRevision) {
  const SoftwarePool pool(small());
  const SoftwarePool again(small());
  Scenario other_seed = small();
  other_seed.fleet_seed = 2;
  for (const std::uint32_t revision : {0U, 1U, 30U}) {
    EXPECT_EQ(pool.packages(3, revision), again.packages(3, revision));
    EXPECT_NE(pool.packages(3, revision), pool.packages(4, revision));
    EXPECT_NE(pool.packages(3, revision), SoftwarePool(other_seed).packages(3, revision));
  }
}

TEST(SoftwarePool, EachRevisionChangesAtMostOnePackage) {
  const SoftwarePool pool(small());
  std::size_t changes = 0;
  for (std::uint32_t revision = 0; revision < 100; ++revision) {
    const auto change = change_between(make_software_set(pool.packages(7, revision)),
                                       make_software_set(pool.packages(7, revision + 1)));
    EXPECT_LE(change.added.size(), 1U);
    EXPECT_LE(change.removed.size(), 1U);
    if (!change.empty()) ++changes;
  }
  EXPECT_GT(changes, 90U);
}

TEST(SoftwarePool, HoldsNoPackageTwice) {
  const SoftwarePool pool(small());
  const auto packages = pool.packages(1, 0);
  ASSERT_EQ(packages.size(), 40U);
  std::set<std::string> names;
  for (const auto& package : packages) names.insert(package.name);
  EXPECT_EQ(names.size(), 40U);
}

TEST(ParsePackageList, ReadsWhatDpkgQueryPrints) {
  const auto packages = parse_package_list(
      "adduser\t3.134\tadduser\t3.134\tall\tsomebody\nlibssl3\t3.0.15-1\topenssl\t3.0.15-"
      "1\tamd64\n");
  ASSERT_TRUE(packages.ok()) << packages.error().message;
  ASSERT_EQ(packages->size(), 2U);
  EXPECT_EQ((*packages)[1].name, "libssl3");
  EXPECT_EQ((*packages)[1].source_name, "openssl");
  EXPECT_EQ((*packages)[1].distro, "debian:12");
  // Few packages make small sets.
  EXPECT_EQ(SoftwarePool(small(), *packages).packages(0, 0).size(), 2U);
}

TEST(ParsePackageList, NamesTheLineThatIsNone) {
  for (const char* text :
       {"a\tb\n", "a\t1\ta\t1\tall\n\t1\ta\t1\tall\n", "a\t1\ta\t1\tal\x01l\n"}) {
    const auto packages = parse_package_list(text);
    ASSERT_FALSE(packages.ok()) << text;
    EXPECT_NE(packages.error().message.find("line "), std::string::npos);
  }
  EXPECT_FALSE(parse_package_list("\n").ok());
}

}  // namespace
}  // namespace muster::swarm
