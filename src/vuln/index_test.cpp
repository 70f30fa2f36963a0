// SPDX-License-Identifier: Apache-2.0
#include "vuln/index.h"

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;

Advisory advisory(std::string id, std::string distro, std::string package, std::string fixed) {
  Advisory row;
  row.feed = "debian";
  row.id = std::move(id);
  row.ecosystem = Ecosystem::deb;
  row.distro = std::move(distro);
  row.package = std::move(package);
  row.ranges = {{"", std::move(fixed), ""}};
  return row;
}

TEST(StringPool, NamesEachTextOnce) {
  StringPool pool;
  EXPECT_EQ(pool.add(""), 0U);
  const auto first = pool.add("first");
  for (int i = 0; i < 5000; ++i) pool.add("text " + std::to_string(i));
  EXPECT_EQ(pool.add("first"), first);
  EXPECT_EQ(pool.text(first), "first");
  EXPECT_EQ(pool.find("text 4999"), pool.add("text 4999"));
  EXPECT_EQ(pool.find("absent"), std::nullopt);
  EXPECT_EQ(pool.size(), 5002U);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = "text " + std::to_string(i);
    ASSERT_EQ(pool.text(*pool.find(text)), text);
  }
}

TEST(Index, FindsByEcosystemReleaseAndSourcePackage) {
  const auto index = Index::build({advisory("CVE-2099-0002", "debian:12", "widget", "2"),
                                   advisory("CVE-2099-0001", "debian:bookworm", "widget", "1"),
                                   advisory("CVE-2099-0001", "debian:11", "widget", "1"),
                                   advisory("CVE-2099-0001", "debian:12", "gadget", "1")});
  const auto rows = index->find(Ecosystem::deb, "debian:12", "widget");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(index->text(rows[0].id), "CVE-2099-0001");
  EXPECT_EQ(index->text(index->ranges(rows[1])[0].fixed), "2");
  EXPECT_TRUE(index->find(Ecosystem::rpm, "debian:12", "widget").empty());
  EXPECT_TRUE(index->find(Ecosystem::deb, "debian:13", "widget").empty());
  EXPECT_TRUE(index->find(Ecosystem::deb, "debian:12", "nothing").empty());
  EXPECT_TRUE(index->find(Ecosystem::deb, "debian:12", "2").empty());
}

TEST(Index, SaysWhichReleasesItCovers) {
  const auto index = Index::build({advisory("CVE-2099-0001", "debian:bookworm", "widget", "1")});
  EXPECT_TRUE(index->covers("debian:12"));
  EXPECT_FALSE(index->covers("debian:13"));
  EXPECT_FALSE(index->covers("widget"));
  EXPECT_FALSE(index->covers(""));
  EXPECT_EQ(index->distros(), std::vector<std::string>{"debian:12"});
}

TEST(Index, WithoutAdvisoriesCoversNothing) {
  const auto index = Index::build({});
  EXPECT_EQ(index->size(), 0U);
  EXPECT_FALSE(index->covers("debian:12"));
  EXPECT_TRUE(index->find(Ecosystem::deb, "", "").empty());
}

TEST(Index, KeepsARepeatedAdvisoryOnce) {
  Advisory other = advisory("CVE-2099-0001", "debian:12", "widget", "1");
  other.aliases = {"GHSA-1"};
  const auto index = Index::build({advisory("CVE-2099-0001", "debian:12", "widget", "1"),
                                   advisory("CVE-2099-0001", "debian:12", "widget", "1"), other,
                                   advisory("CVE-2099-0001", "debian:12", "widget", "2"), other});
  EXPECT_EQ(index->size(), 3U);
}

TEST(Index, CountsWhatNoVersionCanBeComparedWith) {
  Advisory unknown = advisory("CVE-2099-0003", "alpine:3.18", "widget", "1-r0");
  unknown.ecosystem = Ecosystem::unknown;
  const auto index =
      Index::build({advisory("CVE-2099-0001", "debian:12", "widget", "not a version"),
                    advisory("CVE-2099-0002", "debian:12", "widget", "1"), unknown});
  EXPECT_EQ(index->size(), 3U);
  EXPECT_EQ(index->incomparable(), 2U);
}

TEST(Index, BuilderIsEmptyAfterItsIndex) {
  Index::Builder builder;
  builder.add(advisory("CVE-2099-0001", "debian:12", "widget", "1"));
  EXPECT_EQ(builder.finish()->size(), 1U);
  EXPECT_EQ(builder.finish()->size(), 0U);
}

TEST(Index, NeedsFewBytesForAnAdvisory) {
  // As a tracker has them: six releases a flaw, versions that repeat, ids shared by packages.
  Index::Builder builder;
  constexpr int flaws = 10000;
  for (int flaw = 0; flaw < flaws; ++flaw) {
    for (const char* release : {"10", "11", "12", "13", "14", "sid"}) {
      builder.add(advisory("CVE-2099-" + std::to_string(10000 + flaw),
                           std::string("debian:") + release,
                           "package-" + std::to_string(flaw % 900),
                           std::to_string(flaw % 500) + "-1+deb" + release + "u1"));
    }
  }
  const auto index = builder.finish();
  EXPECT_EQ(index->size(), flaws * 6U);
  EXPECT_LT(index->bytes() / index->size(), 100U);
}

}  // namespace
}  // namespace muster::vuln
