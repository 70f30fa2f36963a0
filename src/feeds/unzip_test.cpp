// SPDX-License-Identifier: Apache-2.0
#include "feeds/unzip.h"

#include <gtest/gtest.h>
#include <zip.h>

#include "feeds/decompress.h"

namespace muster::feeds {
namespace {

constexpr std::size_t bound = 1'000'000;

using Files = std::vector<std::pair<std::string, std::string>>;

std::string zip(const Files& files) {
  zip_error_t error;
  zip_source_t* whole = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(whole);
  zip_t* archive = zip_open_from_source(whole, ZIP_TRUNCATE, &error);
  for (const auto& [name, text] : files) {
    zip_source_t* source = zip_source_buffer(archive, text.data(), text.size(), 0);
    zip_file_add(archive, name.c_str(), source, 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  std::string out;
  zip_source_open(whole);
  char piece[4096];
  for (zip_int64_t read; (read = zip_source_read(whole, piece, sizeof piece)) > 0;) {
    out.append(piece, static_cast<std::size_t>(read));
  }
  zip_source_close(whole);
  zip_source_free(whole);
  return out;
}

TEST(Unzip, GivesTheJsonFilesInTheirOrder) {
  const std::string archive =
      zip({{"B.json", "{\"b\":\n1}"}, {"readme.txt", "no"}, {"A.JSON", "{}"}, {"empty.json", ""}});
  ASSERT_TRUE(is_zip(archive));
  EXPECT_EQ(*unzip_json(archive, bound), "{\"b\":\n1}\n{}\n\n");
  EXPECT_EQ(*decompress(archive, bound), "{\"b\":\n1}\n{}\n\n") << "known by its first bytes";
}

TEST(Unzip, AFileBeyondTheBoundIsRefusedHoweverSmallItsArchive) {
  const std::string archive = zip({{"bomb.json", std::string(5'000'000, ' ')}});
  EXPECT_LT(archive.size(), 10'000U);
  EXPECT_EQ(unzip_json(archive, bound).error().code, Errc::body_too_large);
  const std::string many =
      zip({{"a.json", std::string(600'000, ' ')}, {"b.json", std::string(600'000, ' ')}});
  EXPECT_EQ(unzip_json(many, bound).error().code, Errc::body_too_large) << "together";
}

TEST(Unzip, DamageIsFoundWhereverItIs) {
  const std::string whole = zip({{"a.json", "{\"id\": \"a text that is compressed, a text\"}"}});
  for (std::size_t length = 4; length < whole.size(); length += 7) {
    EXPECT_FALSE(unzip_json(whole.substr(0, length), bound).ok()) << length;
  }
  std::string spoiled = whole;
  spoiled[45] = static_cast<char>(spoiled[45] ^ 0x55);
  EXPECT_FALSE(unzip_json(spoiled, bound).ok());
}

}  // namespace
}  // namespace muster::feeds
