// SPDX-License-Identifier: Apache-2.0
#include "base/flat_map.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster {
namespace {

/// Puts every key into a few places, at the end of the array too.
struct CrowdedHash {
  std::size_t operator()(int key) const {
    return static_cast<std::size_t>(key % 3) * 0x5555555555555555U;
  }
};

TEST(FlatMap, FindsNothingWhenEmpty) {
  FlatMap<int, int> map;
  EXPECT_EQ(map.find(1), nullptr);
  map.erase(1);
  EXPECT_EQ(map.size(), 0U);
}

TEST(FlatMap, SetReplacesTheValueOfAKey) {
  FlatMap<int, std::string> map;
  map.set(1, "a");
  map.set(1, "b");
  EXPECT_EQ(map.size(), 1U);
  EXPECT_EQ(*map.find(1), "b");
}

template <typename Map>
void behaves_like_std_map(Map& map, int keys) {
  std::map<int, int> model;
  SeededRng rng;
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(rng.below(static_cast<std::size_t>(keys)));
    if (rng.below(3) == 0) {
      map.erase(key);
      model.erase(key);
    } else {
      map.set(key, step);
      model[key] = step;
    }
    ASSERT_EQ(map.size(), model.size());
    const int asked = static_cast<int>(rng.below(static_cast<std::size_t>(keys)));
    const auto known = model.find(asked);
    const int* found = map.find(asked);
    ASSERT_EQ(found != nullptr, known != model.end()) << "step " << step << ", key " << asked;
    if (found != nullptr) {
      ASSERT_EQ(*found, known->second);
    }
  }
  for (const auto& [key, value] : model) {
    ASSERT_NE(map.find(key), nullptr);
    EXPECT_EQ(*map.find(key), value);
  }
}

TEST(FlatMap, HoldsWhatAnOrderedMapHolds) {
  FlatMap<int, int> map;
  behaves_like_std_map(map, 2000);
}

TEST(FlatMap, ErasesWhatAPredicateNames) {
  FlatMap<int, int> map;
  for (int key = 0; key < 1000; ++key) map.set(key, key);
  map.erase_if([](int, int value) { return value % 7 != 0; });
  EXPECT_EQ(map.size(), 143U);
  for (int key = 0; key < 1000; ++key) EXPECT_EQ(map.find(key) != nullptr, key % 7 == 0) << key;
}

TEST(FlatMap, HoldsItWhenAllKeysCollide) {
  FlatMap<int, int, CrowdedHash> map;
  behaves_like_std_map(map, 40);
}

}  // namespace
}  // namespace muster
