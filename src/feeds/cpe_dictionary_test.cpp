// SPDX-License-Identifier: Apache-2.0
// NIST's dictionary of names in both bindings: a second opinion on ours.
#include <optional>
#include <unordered_set>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"
#include "feeds/decompress.h"
#include "model/cpe.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

/// The lines of a file of the dictionary; nothing when it is absent.
std::optional<std::vector<std::string>> dictionary(std::string_view name) {
  const auto path = shared_data(name);
  if (!path) return std::nullopt;
  const std::string text =
      decompress(version::test::read_file(*path), limits::feed_text_bytes).value();
  std::vector<std::string> lines;
  for (const auto line : version::test::split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

TEST(CpeDictionary, IsReadAndWrittenWholeInBothBindings) {
  const auto uris = dictionary("cpe/cpe-dictionary-2.2-uri-2018.txt.zst");
  const auto strings = dictionary("cpe/cpe-dictionary-2.3-fs-2018.txt.zst");
  if (!uris || !strings) GTEST_SKIP() << "no cpe/cpe-dictionary: set MUSTER_DATA";
  ASSERT_GT(uris->size(), 100'000U);
  const std::unordered_set<std::string> known(strings->begin(), strings->end());
  for (std::size_t i = 0; i < uris->size(); i += record_step) {
    const std::string& uri = (*uris)[i];
    const auto cpe = model::unbind_cpe(uri);
    ASSERT_TRUE(cpe.ok()) << uri << ": " << cpe.error().message;
    EXPECT_TRUE(known.contains(model::bind_to_formatted_string(*cpe))) << uri;
    EXPECT_EQ(model::bind_to_uri(*cpe), uri);
  }
  for (std::size_t i = 0; i < strings->size(); i += record_step) {
    const std::string& text = (*strings)[i];
    const auto cpe = model::unbind_cpe(text);
    ASSERT_TRUE(cpe.ok()) << text << ": " << cpe.error().message;
    EXPECT_EQ(model::bind_to_formatted_string(*cpe), text);
  }
}

}  // namespace
}  // namespace muster::feeds
