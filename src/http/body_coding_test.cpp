// SPDX-License-Identifier: Apache-2.0
#include "http/body_coding.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "base/testing.h"
#include "http/testing.h"

namespace muster::http {
namespace {

constexpr std::size_t plenty = 10'000'000;

std::string noise(std::size_t size) {
  SeededRng rng;
  std::string out(size, '\0');
  rng.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
  return decode_body(Compression::gzip, compressed, bytes_max);
}

Errc refusal(std::string_view compressed, std::size_t bytes_max = plenty) {
  const auto plain = gunzip(compressed, bytes_max);
  EXPECT_FALSE(plain.ok());
  return plain.ok() ? Errc::unavailable : plain.error().code;
}

TEST(Gunzip, UndoesGzip) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 100, 65'535, 65'536, 65'537, 1'000'000}) {
    const std::string text = noise(size);
    EXPECT_EQ(gunzip(gzip(text), plenty).value(), text) << size;
    EXPECT_EQ(gunzip(gzip(std::string(size, 'a')), plenty).value(), std::string(size, 'a')) << size;
  }
}

TEST(Gunzip, EveryTruncationIsRefused) {
  const std::string whole = gzip(noise(300));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(refusal(std::string_view(whole).substr(0, size)), Errc::invalid_encoding) << size;
  }
}

TEST(Gunzip, ChangedContentNeverPassesAsOther) {
  const std::string text = noise(300);
  const std::string whole = gzip(text);
  int refused = 0;
  for (std::size_t at = 10; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const auto plain = gunzip(changed, plenty);
    EXPECT_TRUE(!plain.ok() || *plain == text) << at;  // some bits only pad to an octet
    refused += plain.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
}

TEST(Gunzip, WhatIsNotGzipIsRefused) {
  EXPECT_EQ(refusal("hello, this is no gzip at all"), Errc::invalid_encoding);
  EXPECT_EQ(refusal(noise(4000)), Errc::invalid_encoding);
  EXPECT_EQ(refusal(std::string_view("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)),
            Errc::invalid_encoding)
      << "a zlib stream";
}

TEST(Gunzip, NothingMayFollowTheMember) {
  EXPECT_EQ(refusal(gzip("a") + "x"), Errc::invalid_encoding);
  EXPECT_EQ(refusal(gzip("a") + gzip("b")), Errc::invalid_encoding);
}

TEST(Gunzip, ABombStopsAtTheBound) {
  const std::string bomb = gzip(std::string(50'000'000, 'a'));
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(refusal(bomb, 1'000'000), Errc::body_too_large);
}

TEST(Gunzip, TheBoundIsExact) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 65'536, 200'000}) {
    const std::string text(size, 'a');
    EXPECT_EQ(gunzip(gzip(text), size).value(), text) << size;
    EXPECT_EQ(refusal(gzip(text + "a"), size), Errc::body_too_large) << size;
  }
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// In pieces, so that the frame does not say how long its content is.
std::string streamed_zstd(std::string_view text, int window_log) {
  ZSTD_CCtx* encoder = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(encoder, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()) + 100, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_compressStream2(encoder, &to, &in, ZSTD_e_continue);
  EXPECT_EQ(ZSTD_compressStream2(encoder, &to, &in, ZSTD_e_end), 0U);
  out.resize(to.pos);
  ZSTD_freeCCtx(encoder);
  return out;
}

Errc zstd_refusal(std::string_view compressed, std::size_t bytes_max = plenty) {
  const auto plain = decode_body(Compression::zstd, compressed, bytes_max);
  EXPECT_FALSE(plain.ok());
  return plain.ok() ? Errc::unavailable : plain.error().code;
}

TEST(Unzstd, UndoesZstd) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 100, 65'535, 65'536, 65'537, 1'000'000}) {
    const std::string text = noise(size);
    EXPECT_EQ(decode_body(Compression::zstd, zstd(text), plenty).value(), text) << size;
    EXPECT_EQ(decode_body(Compression::zstd, streamed_zstd(text, 20), plenty).value(), text)
        << size;
  }
  EXPECT_EQ(decode_body(Compression::zstd, zstd("a") + zstd("b"), plenty).value(), "ab");
}

TEST(Unzstd, EveryTruncationIsRefused) {
  const std::string whole = zstd(noise(300));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    ASSERT_EQ(zstd_refusal(std::string_view(whole).substr(0, size)), Errc::invalid_encoding)
        << size;
  }
}

TEST(Unzstd, WhatIsNotZstdIsRefused) {
  EXPECT_EQ(zstd_refusal("hello, this is no zstd at all"), Errc::invalid_encoding);
  EXPECT_EQ(zstd_refusal(gzip("a")), Errc::invalid_encoding);
  EXPECT_EQ(zstd_refusal(zstd("a") + "x"), Errc::invalid_encoding);
}

TEST(Unzstd, ABombStopsAtTheBound) {
  const std::string text(50'000'000, 'a');
  EXPECT_EQ(zstd_refusal(zstd(text), 1'000'000), Errc::body_too_large);
  EXPECT_EQ(zstd_refusal(streamed_zstd(text, 20), 1'000'000), Errc::body_too_large);
}

TEST(Unzstd, TheBoundIsExact) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 65'536, 200'000}) {
    const std::string text(size, 'a');
    for (const auto& [fits, beyond] :
         {std::pair(zstd(text), zstd(text + "a")),
          std::pair(streamed_zstd(text, 20), streamed_zstd(text + "a", 20))}) {
      EXPECT_EQ(decode_body(Compression::zstd, fits, size).value(), text) << size;
      EXPECT_EQ(zstd_refusal(beyond, size), Errc::body_too_large) << size;
    }
  }
}

TEST(Unzstd, WindowBeyondTheBoundIsRefused) {
  const std::string text = noise(1000);
  EXPECT_TRUE(decode_body(Compression::zstd, streamed_zstd(text, 23), plenty).ok());
  EXPECT_EQ(zstd_refusal(streamed_zstd(text, 24)), Errc::invalid_encoding);
}

TEST(BodyCoding, IsKnownByItsNameInAnyCase) {
  EXPECT_EQ(parse_coding("GZip"), Compression::gzip);
  EXPECT_EQ(parse_coding("zstd"), Compression::zstd);
  EXPECT_EQ(parse_coding("br"), std::nullopt);
  EXPECT_EQ(parse_coding("gzip, zstd"), std::nullopt);
}

}  // namespace
}  // namespace muster::http
