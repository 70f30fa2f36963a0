// SPDX-License-Identifier: Apache-2.0
#include "model/set_hash.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "model/package.h"

namespace muster::model {
namespace {

SetHash hash_of(const std::vector<std::string>& texts) {
  SetHash hash;
  for (const std::string& text : texts) hash.add(text);
  return hash;
}

TEST(SetHash, EmptySetIsZero) {
  EXPECT_EQ(SetHash{}.text(), std::string(64, '0'));
}

// Computed by Python's hashlib and integers: what the reference tells authors of agents to do.
TEST(SetHash, IsTheSumOfSha256AsNumbers) {
  EXPECT_EQ(hash_of({"abc"}).text(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of({"a", "b", "c"}).text(),
            "3738952c73a591f7943876ce346e132766d80bfb3a748e521e66cbd627e5391e");
}

TEST(SetHash, OrderDoesNotMatter) {
  std::vector<std::string> texts{"a", "b", "c", "d"};
  const SetHash sorted = hash_of(texts);
  while (std::next_permutation(texts.begin(), texts.end())) EXPECT_EQ(hash_of(texts), sorted);
}

TEST(SetHash, RemovingUndoesAdding) {
  SeededRng rng(7);
  std::vector<std::string> texts;
  SetHash hash;
  for (int i = 0; i < 2000; ++i) {
    if (!texts.empty() && rng.below(3) == 0) {
      const std::size_t at = rng.below(texts.size());
      hash.remove(texts[at]);
      texts.erase(texts.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      texts.push_back("package " + std::to_string(i));
      hash.add(texts.back());
    }
  }
  EXPECT_EQ(hash, hash_of(texts));
  for (const std::string& text : texts) hash.remove(text);
  EXPECT_EQ(hash, SetHash{});
}

TEST(SetHash, IsReadAsItIsWritten) {
  const SetHash hash = hash_of({"a"});
  EXPECT_EQ(parse_set_hash(hash.text()), hash);
  EXPECT_EQ(parse_set_hash("abc"), std::nullopt);
  EXPECT_EQ(parse_set_hash(std::string(64, 'g')), std::nullopt);
}

TEST(CanonicalText, HasAllMembersInTheirOrder) {
  Package package{"libssl3", "3.0.1-1", "", Ecosystem::deb, "debian:12", "openssl", "3.0.1-1",
                  "amd64",   "",        {}};
  std::string text;
  append_canonical(text, view_of(package));
  EXPECT_EQ(text,
            "libssl3\x1f"
            "3.0.1-1\x1f\x1f"
            "deb\x1f"
            "debian:12\x1fopenssl\x1f\x1f"
            "amd64\x1f");
}

}  // namespace
}  // namespace muster::model
