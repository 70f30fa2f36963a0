// SPDX-License-Identifier: Apache-2.0
#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/check.h"
#include "crypto/keyed_hash.h"

namespace muster::crypto {

namespace {

constexpr std::int64_t step_ms = 30'000;

}  // namespace

std::int64_t totp_step(Instant now) {
  return now.unix_ms / step_ms;
}

std::string totp_code(std::string_view secret, std::int64_t step) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i) {
    counter[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (8 * (7 - i)));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(),
             counter.size(), mac.data(), &size) != nullptr);
  // RFC 4226 §5.3.
  const std::size_t offset = mac[size - 1] & 0x0F;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | mac[offset + i];
  number = (number & 0x7FFFFFFF) % 1'000'000;
  std::string code(6, '0');
  for (auto digit = code.rbegin(); digit != code.rend(); ++digit, number /= 10) {
    *digit = static_cast<char>('0' + number % 10);
  }
  return code;
}

std::optional<std::int64_t> match_totp(std::string_view secret, std::string_view code, Instant now,
                                       std::int64_t after) {
  std::optional<std::int64_t> matched;
  for (const std::int64_t step : {totp_step(now) - 1, totp_step(now), totp_step(now) + 1}) {
    if (equal_constant_time(totp_code(secret, step), code) && step > after) matched = step;
  }
  return matched;
}

std::string encode_base32(std::string_view octets) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char octet : octets) {
    bits = bits << 8 | static_cast<unsigned char>(octet);
    count += 8;
    for (; count >= 5; count -= 5) text.push_back(digits[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(digits[bits << (5 - count) & 31]);
  return text;
}

}  // namespace muster::crypto
