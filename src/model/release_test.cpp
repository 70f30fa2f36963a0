// SPDX-License-Identifier: Apache-2.0
#include "model/release.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::model {
namespace {

Release release(const std::string& version, const std::string& arch = "amd64") {
  Release made;
  made.facts.version = version;
  made.facts.os = "linux";
  made.facts.arch = arch;
  return made;
}

std::string latest_of(const std::vector<Release>& releases) {
  const Release* latest = latest_allowed(releases, {"linux", "amd64"}, test_epoch);
  return latest == nullptr ? "none" : latest->facts.version;
}

TEST(AgentVersions, CompareAsTheFieldDoesAndPrereleasesAsSemver) {
  const std::vector<std::string> ascending = {"0.6.2",      "0.6.10",       "0.10",  "0.10.0",
                                              "1.0.0-rc.1", "1.0.0-rc.2",   "1.0.0", "v1.0.1",
                                              "1.2.0-beta", "1.2.0-beta.2", "1.2.0", "1.10.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare_agent_versions(ascending[i], ascending[j]), i <=> j)
          << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(compare_agent_versions("v1.2.3", "1.2.3+build.5"), std::weak_ordering::equivalent);
  EXPECT_EQ(compare_agent_versions("", ""), std::weak_ordering::equivalent);
  EXPECT_EQ(compare_agent_versions("dev", "0.1"), std::weak_ordering::less);
}

TEST(AgentVersions, OnlyProperOnesArePublished) {
  for (const char* good : {"1.2.3", "v0.6.2", "1.2.3-rc.1", "1.2.3+b5"}) {
    EXPECT_TRUE(is_release_version(good)) << good;
  }
  for (const char* bad : {"", "v", "dev", "1..2", "1.2.3 ", "1.2/3", "1.2.3-", "1.2.3\"", "-1"}) {
    EXPECT_FALSE(is_release_version(bad)) << bad;
  }
  EXPECT_FALSE(is_release_version("1.2." + std::string(100, '3')));
}

TEST(LatestRelease, IsTheHighestNotTheLastPublished) {
  EXPECT_EQ(latest_of({release("1.9.0"), release("1.10.0"), release("1.8.7")}), "1.10.0");
  EXPECT_EQ(latest_of({release("1.10.0-rc.1"), release("1.9.0")}), "1.10.0-rc.1");
  EXPECT_EQ(latest_of({}), "none");
}

TEST(LatestRelease, IsForThePlatformAndNeitherWithdrawnNorExpired) {
  Release withdrawn = release("3.0");
  withdrawn.withdrawn_at = test_epoch;
  Release expired = release("4.0");
  expired.facts.expires_at = test_epoch;
  Release expiring = release("2.0");
  expiring.facts.expires_at = test_epoch + Duration(1);
  EXPECT_EQ(latest_of({release("1.0"), withdrawn, expired, release("9.0", "arm64"), expiring}),
            "2.0");
}

TEST(UpdateOfAnAgent, IsWhereItsVersionStandsInTheOrderOfOffers) {
  const Release offered = release("1.1.0");
  const auto state_of = [&](std::string_view running) {
    return update_state_name(update_state(&offered, running));
  };
  for (const char* behind : {"0.10.0", "1.1.0-rc.2", "1.0.9", ""}) {
    EXPECT_EQ(state_of(behind), "behind") << behind;
  }
  for (const char* same : {"1.1.0", "v1.1.0", "1.1.0+build.5"}) {
    EXPECT_EQ(state_of(same), "up_to_date") << same;
  }
  for (const char* ahead : {"1.1.0.1", "1.10.0"}) EXPECT_EQ(state_of(ahead), "ahead") << ahead;
  EXPECT_EQ(update_state_name(update_state(nullptr, "1.1.0")), "nothing_offered");
}

TEST(Manifest, HasOneText) {
  Manifest manifest{"1.2.3", "linux", "amd64", crypto::sha256("abc"), 3, 7, std::nullopt};
  const std::string text = encode_manifest(manifest);
  EXPECT_EQ(text,
            R"({"version": "1.2.3", "os": "linux", "arch": "amd64", "sha256": )"
            R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "size": 3, )"
            R"("serial": 7, "expires": null})");
  EXPECT_EQ(encode_manifest(parse_manifest(text).value()), text);
  manifest.expires_at = test_epoch;
  const std::string expiring = encode_manifest(manifest);
  EXPECT_EQ(parse_manifest(expiring).value().expires_at, test_epoch);
  for (const std::string& other : {text + " ", std::string("{}"), std::string("[]"),
                                   text.substr(0, text.size() - 1) + R"(, "more": 1})"}) {
    EXPECT_FALSE(parse_manifest(other).ok()) << other;
  }
}

}  // namespace
}  // namespace muster::model
