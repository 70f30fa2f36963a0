// SPDX-License-Identifier: Apache-2.0
#include "crypto/totp.h"

#include <gtest/gtest.h>

#include "crypto/testing.h"

namespace muster::crypto {
namespace {

/// Of the test vectors.
constexpr std::string_view secret = "12345678901234567890";

Instant at_seconds(std::int64_t seconds) {
  return Instant{seconds * 1000};
}

TEST(Totp, MakesTheCodesOfRfc6238) {
  struct Vector {
    std::int64_t seconds;
    const char* code;  // the last six of the eight digits there
  };
  for (const Vector& each : {Vector{59, "287082"}, Vector{1111111109, "081804"},
                             Vector{1111111111, "050471"}, Vector{1234567890, "005924"},
                             Vector{2000000000, "279037"}, Vector{20000000000, "353130"}}) {
    EXPECT_EQ(totp_code(secret, totp_step(at_seconds(each.seconds))), each.code) << each.seconds;
  }
}

TEST(Totp, ACodeIsGoodInItsStepAndInTheTwoBeside) {
  const Instant made = at_seconds(1'000'000'010);
  const std::string code = totp_code(secret, totp_step(made));
  for (const int steps : {-1, 0, 1}) {
    EXPECT_EQ(match_totp(secret, code, made + std::chrono::seconds(30 * steps), 0), totp_step(made))
        << steps;
  }
  for (const int steps : {-2, 2}) {
    EXPECT_FALSE(match_totp(secret, code, made + std::chrono::seconds(30 * steps), 0)) << steps;
  }
}

TEST(Totp, NoCodeIsGoodTwice) {
  const Instant now = at_seconds(1'000'000'010);
  const std::int64_t step = totp_step(now);
  EXPECT_FALSE(match_totp(secret, totp_code(secret, step), now, step));
  EXPECT_FALSE(match_totp(secret, totp_code(secret, step - 1), now, step));
  EXPECT_EQ(match_totp(secret, totp_code(secret, step + 1), now, step), step + 1);
}

TEST(Totp, WhatIsNoCodeMatchesNothing) {
  for (const char* text : {"", "00000", "0000000", "abcdef"}) {
    EXPECT_FALSE(match_totp(secret, text, at_seconds(59), 0)) << text;
  }
}

TEST(Base32, IsThatOfRfc4648) {
  for (const auto& [octets, text] :
       {std::pair{"", ""}, std::pair{"f", "MY"}, std::pair{"fo", "MZXQ"}, std::pair{"foo", "MZXW6"},
        std::pair{"foob", "MZXW6YQ"}, std::pair{"fooba", "MZXW6YTB"},
        std::pair{"foobar", "MZXW6YTBOI"}}) {
    EXPECT_EQ(encode_base32(octets), text);
    EXPECT_EQ(decode_base32(text), octets);
  }
}

}  // namespace
}  // namespace muster::crypto
