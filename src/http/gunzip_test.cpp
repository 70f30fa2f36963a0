// SPDX-License-Identifier: Apache-2.0
#include "http/gunzip.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace muster::http
