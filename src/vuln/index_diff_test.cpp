// SPDX-License-Identifier: Apache-2.0
#include "vuln/index_diff.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "vuln/match.h"
#include "vuln/surroundings.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : rng_(seed) {}

  std::size_t below(std::size_t bound) { return rng_.below(bound); }
  template <typename T, std::size_t N>
  const T& one_of(const T (&values)[N]) {
    return values[below(N)];
  }

  std::vector<Advisory> advisories() {
    std::vector<Advisory> all;
    for (std::size_t i = 0; i < 12; ++i) {
      if (below(3) > 0) all.push_back(below(2) > 0 ? of_products(i) : of_name(i));
    }
    return all;
  }

  Package package() {
    static const char* const names[] = {"a", "liba1", "Acme Burner", "burner", "alpha", "beta"};
    static const Ecosystem ecosystems[] = {Ecosystem::deb, Ecosystem::rpm,     Ecosystem::pypi,
                                           Ecosystem::npm, Ecosystem::windows, Ecosystem::unknown};
    Package package;
    package.name = one_of(names);
    package.version = std::to_string(1 + below(4)) + (below(3) == 0 ? "p1" : "");
    package.ecosystem = one_of(ecosystems);
    if (below(2) > 0) package.distro = below(2) > 0 ? "debian:12" : "debian:11";
    if (below(3) == 0) package.source_name = "a";
    if (below(2) > 0) package.vendor = "Acme Inc.";
    if (below(3) == 0) package.cpe = "cpe:2.3:a:maker:alpha:" + package.version + ":*:*:*:*:*:*:*";
    if (below(5) == 0) package.identity = {{false, {{"acme", "burner"}, {"maker", "beta"}}}};
    if (below(9) == 0) package.identity = {{true, {}}};
    return package;
  }

 private:
  Advisory of_name(std::size_t number) {
    static const char* const names[] = {"a", "liba1", "alpha", "burner"};
    static const Ecosystem ecosystems[] = {Ecosystem::deb, Ecosystem::rpm, Ecosystem::pypi};
    Advisory advisory;
    advisory.feed = "feed";
    advisory.id = "CVE-2099-" + std::to_string(1000 + number);
    advisory.ecosystem = one_of(ecosystems);
    if (advisory.ecosystem != Ecosystem::pypi) {
      advisory.distro = below(2) > 0 ? "debian:12" : "debian:11";
    }
    advisory.package = one_of(names);
    advisory.ranges = {{"", std::to_string(1 + below(4)), ""}};
    if (below(4) == 0) advisory.status = Advisory::Status::undetermined;
    if (below(4) == 0) advisory.flaws = {"CVE-2099-3001", "CVE-2099-3002"};
    return advisory;
  }

  model::CpeCriterion criterion(bool vulnerable) {
    static const char* const products[] = {"a:maker:alpha", "a:maker:beta", "a:acme:burner",
                                           "a:other:burner", "a:maker:*"};
    model::CpeCriterion each;
    const bool wild = below(12) == 0;
    const bool exact = below(3) == 0;
    each.cpe = "cpe:2.3:" + std::string(products[wild ? 4 : below(4)]) + ":" +
               (exact ? std::to_string(1 + below(4)) : "*") + ":*:*:*:*:*:*:*";
    each.vulnerable = vulnerable;
    if (!exact) each.range.fixed = std::to_string(2 + below(3)) + (below(4) == 0 ? "p1" : "");
    return each;
  }

  Advisory of_products(std::size_t number) {
    Advisory advisory;
    advisory.feed = "nvd";
    advisory.id = "CVE-2099-" + std::to_string(2000 + number);
    model::CpeConfiguration configuration;
    configuration.all = true;
    configuration.nodes.push_back({false, false, {criterion(true)}});
    if (below(3) == 0) configuration.nodes.push_back({false, false, {criterion(false)}});
    advisory.configurations = {configuration};
    if (below(3) == 0) advisory.summary = "words";
    return advisory;
  }

  SeededRng rng_;
};

TEST(IndexDiff, WhatItDoesNotTouchIsJudgedAlikeOnEveryHost) {
  std::size_t untouched = 0;
  std::size_t different = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Draw draw(seed);
    std::vector<Advisory> advisories = draw.advisories();
    const auto before = Index::build(advisories);
    // A new edition has most of the old one.
    for (Advisory& fresh : draw.advisories()) {
      if (draw.below(4) == 0) advisories.push_back(std::move(fresh));
    }
    if (!advisories.empty()) advisories.erase(advisories.begin());
    const auto after = Index::build(advisories);
    IndexDiff diff(*before, *after);
    for (int i = 0; i < 30; ++i) {
      const Package package = draw.package();
      const bool same = fingerprint(*before, package) == fingerprint(*after, package);
      different += same ? 0 : 1;
      if (diff.touches(package)) continue;
      ++untouched;
      EXPECT_TRUE(same) << package.name;
      Verdict one = match(*before, package);
      Verdict other = match(*after, package);
      const std::vector<Package> beside = {package};
      const Surroundings here("Windows 10", "", beside, before->cpe());
      const Surroundings there("Windows 10", "", beside, after->cpe());
      one = settle(*before, package, std::move(one), here);
      other = settle(*after, package, std::move(other), there);
      EXPECT_EQ(one, other) << package.name;
    }
  }
  EXPECT_GT(untouched, 1000U);
  EXPECT_GT(different, 300U);
}

TEST(IndexDiff, OfOneSnapshotWithItselfIsEmpty) {
  Draw draw(7);
  const auto advisories = draw.advisories();
  const auto index = Index::build(advisories);
  const auto again = Index::build({advisories.rbegin(), advisories.rend()});
  EXPECT_TRUE(IndexDiff(*index, *index).empty());
  EXPECT_TRUE(IndexDiff(*index, *again).empty()) << "the order of advisories is no difference";
}

TEST(IndexDiff, OneAdvisoryTouchesItsOwnPackagesAlone) {
  Draw draw(3);
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "CVE-2099-1";
  advisory.ecosystem = Ecosystem::deb;
  advisory.distro = "debian:12";
  advisory.package = "other";
  const auto before = Index::build({advisory});
  Advisory fresh = advisory;
  fresh.package = "openssl";
  const auto after = Index::build({advisory, fresh});
  IndexDiff diff(*before, *after);
  Package package;
  package.ecosystem = Ecosystem::deb;
  package.distro = "debian:12";
  package.name = "openssl";
  EXPECT_TRUE(diff.touches(package));
  package.name = "libssl3";
  EXPECT_TRUE(diff.touches(package)) << "by the table of sources";
  package.name = "bash";
  EXPECT_FALSE(diff.touches(package));
  package.name = "openssl";
  package.distro = "debian:11";
  EXPECT_FALSE(diff.touches(package)) << "in another release";
}

TEST(IndexDiff, AFixInUnstableTouchesEveryRelease) {
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "CVE-2099-1";
  advisory.ecosystem = Ecosystem::deb;
  advisory.distro = "debian:12";
  advisory.package = "widget";
  advisory.ranges = {{}};
  Advisory sid = advisory;
  sid.distro = "debian:sid";
  const auto before = Index::build({advisory, sid});
  sid.ranges = {{"", "2.0-1", ""}};
  const auto after = Index::build({advisory, sid});
  Package package;
  package.ecosystem = Ecosystem::deb;
  package.distro = "debian:12";
  package.name = "widget";
  package.version = "2.0-1";
  EXPECT_NE(fingerprint(*before, package), fingerprint(*after, package));
  EXPECT_TRUE(IndexDiff(*before, *after).touches(package));
}

}  // namespace
}  // namespace muster::vuln
