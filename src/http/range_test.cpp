// SPDX-License-Identifier: Apache-2.0
#include "http/range.h"

#include <gtest/gtest.h>

namespace muster::http {
namespace {

/// "200 0+10" or "416 bytes */10": what is answered about ten octets tagged "t".
std::string asked(const std::vector<Headers::Field>& fields, std::uint64_t size = 10) {
  Request request;
  request.method = Method::get;
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  Response whole{200, {}, "application/octet-stream"};
  whole.stream = {nullptr, 0, size};
  const Response got = range_response(request, std::move(whole), "t");
  std::string out = std::to_string(got.status);
  if (got.stream) {
    out += " " + std::to_string(got.stream->offset) + "+" + std::to_string(got.stream->bytes);
  }
  for (const auto& [name, value] : got.headers) {
    if (name == "Content-Range") out += " " + value;
  }
  return out;
}
std::string range(std::string_view value, std::uint64_t size = 10) {
  return asked({{"Range", value}}, size);
}

TEST(Range, OnePartIsSentAndNamed) {
  EXPECT_EQ(range("bytes=0-3"), "206 0+4 bytes 0-3/10");
  EXPECT_EQ(range("bytes=3-3"), "206 3+1 bytes 3-3/10");
  EXPECT_EQ(range("bytes=4-"), "206 4+6 bytes 4-9/10");
  EXPECT_EQ(range("bytes=-4"), "206 6+4 bytes 6-9/10");
  EXPECT_EQ(range("BYTES = 0-0"), "206 0+1 bytes 0-0/10");
}

TEST(Range, EndsBeyondTheEndAreTheEnd) {
  EXPECT_EQ(range("bytes=8-100"), "206 8+2 bytes 8-9/10");
  EXPECT_EQ(range("bytes=-100"), "206 0+10 bytes 0-9/10");
  EXPECT_EQ(range("bytes=0-99999999999999999999"), "206 0+10 bytes 0-9/10");
}

TEST(Range, NothingThereIsNotSatisfiable) {
  EXPECT_EQ(range("bytes=10-"), "416 bytes */10");
  EXPECT_EQ(range("bytes=99999999999999999999-"), "416 bytes */10");
  EXPECT_EQ(range("bytes=-0"), "416 bytes */10");
  EXPECT_EQ(range("bytes=0-", 0), "416 bytes */0");
}

TEST(Range, WhatIsNotOneRangeOfBytesIsIgnored) {
  for (const char* field : {"", "bytes", "bytes=", "bytes=-", "lines=0-3", "bytes=0-1,3-4",
                            "bytes=3-1", "bytes=a-b", "bytes=1-b", "bytes=+1-2", "bytes=1--2"}) {
    EXPECT_EQ(range(field), "200 0+10") << field;
  }
}

TEST(Range, HoldsOnlyForWhatTheClientHasTheStartOf) {
  EXPECT_EQ(asked({{"Range", "bytes=4-"}, {"If-Range", "\"t\""}}), "206 4+6 bytes 4-9/10");
  for (const char* other : {"\"u\"", "W/\"t\"", "t", "Sat, 21 Mar 2026 14:30:01 GMT"}) {
    EXPECT_EQ(asked({{"Range", "bytes=4-"}, {"If-Range", other}}), "200 0+10") << other;
  }
}

TEST(Range, WhatTheClientHasIsNotSentAgain) {
  EXPECT_EQ(asked({{"If-None-Match", "\"s\", W/\"t\""}}), "304");
  EXPECT_EQ(asked({{"If-None-Match", "*"}}), "304");
  EXPECT_EQ(asked({{"If-None-Match", "\"s\", \"tt\""}}), "200 0+10");
}

}  // namespace
}  // namespace muster::http
