// SPDX-License-Identifier: Apache-2.0
#include "feeds/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace muster::feeds {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// Text that does not compress to nothing, larger than one step of the decoder.
std::string sample() {
  std::string text;
  unsigned state = 1;
  while (text.size() < 700'000) {
    state = state * 1103515245 + 12345;
    text += "row " + std::to_string(state >> 8) + "\n";
  }
  return text;
}

constexpr std::size_t bound = 1'000'000;

TEST(Decompress, GivesTheSameTextFromEveryForm) {
  const std::string text = sample();
  EXPECT_EQ(*decompress(text, bound), text);
  EXPECT_EQ(*decompress(gzip(text), bound), text);
  EXPECT_EQ(*decompress(zstd(text), bound), text);
  EXPECT_EQ(*decompress("", bound), "");
  EXPECT_EQ(*decompress(gzip(""), bound), "");
  EXPECT_EQ(*decompress(zstd(""), bound), "");
}

TEST(Decompress, JoinsMembersAndFrames) {
  EXPECT_EQ(*decompress(gzip("one ") + gzip("two"), bound), "one two");
  EXPECT_EQ(*decompress(zstd("one ") + zstd("two"), bound), "one two");
}

TEST(Decompress, StopsAtItsBound) {
  const std::string text = sample();
  for (const std::string& form : {text, gzip(text), zstd(text)}) {
    const auto over = decompress(form, text.size() - 1);
    ASSERT_FALSE(over.ok());
    EXPECT_EQ(over.error().code, Errc::body_too_large);
    EXPECT_TRUE(decompress(form, text.size()).ok());
  }
  const std::string bomb = zstd(std::string(200'000'000, 'x'));
  EXPECT_LT(bomb.size(), 50'000U);
  EXPECT_EQ(decompress(bomb, bound).error().code, Errc::body_too_large);
}

TEST(Decompress, RefusesContentThatIsCutOff) {
  for (const std::string& form : {gzip(sample()), zstd(sample())}) {
    for (const std::size_t size :
         {std::size_t{5}, std::size_t{12}, form.size() / 2, form.size() - 1}) {
      const auto cut = decompress(form.substr(0, size), bound);
      ASSERT_FALSE(cut.ok()) << size;
      EXPECT_EQ(cut.error().code, Errc::invalid_encoding);
    }
  }
}

TEST(Decompress, RefusesContentThatIsDamaged) {
  for (std::string form : {gzip(sample()), zstd(sample())}) {
    form[form.size() / 2] = static_cast<char>(form[form.size() / 2] ^ 0x55);
    form[form.size() / 2 + 1] = static_cast<char>(form[form.size() / 2 + 1] ^ 0x55);
    // A frame without a checksum may decode to other text; it must not decode to the same.
    const auto read = decompress(form, bound);
    EXPECT_TRUE(!read.ok() || *read != sample());
  }
  EXPECT_FALSE(decompress(gzip("one") + "garbage", bound).ok());
  EXPECT_FALSE(decompress(zstd("one") + "garbage", bound).ok());
}

}  // namespace
}  // namespace muster::feeds
