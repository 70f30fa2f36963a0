// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace muster {

namespace {

/// hex_digit() of each octet; what is no digit has the sign bit. Every call of an agent names its
/// id: a branch for each digit would be 2 % of a poll's instructions (bench/gate.py).
constexpr std::array<std::int16_t, 256> hex_digits = [] {
  std::array<std::int16_t, 256> digits{};
  for (int octet = 0; octet < 256; ++octet) {
    digits[static_cast<std::size_t>(octet)] =
        static_cast<std::int16_t>(hex_digit(static_cast<char>(octet)));
  }
  return digits;
}();

/// Where the octets of a UUID stand in its text (RFC 9562 §4).
constexpr std::array<std::size_t, 16> octet_at = {0,  2,  4,  6,  9,  11, 14, 16,
                                                  19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::string Uuid::text() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(digits[bytes[i] >> 4]);
    out.push_back(digits[bytes[i] & 15]);
  }
  return out;
}

Result<Uuid> parse_uuid(std::string_view text) {
  const auto failure = [] { return Error{Errc::invalid_field, "not a UUID"}; };
  if (text.size() != 36) return failure();
  Uuid id;
  bool dashed = true;
  for (const std::size_t at : {8U, 13U, 18U, 23U}) dashed &= text[at] == '-';
  int signs = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = hex_digits[static_cast<unsigned char>(text[octet_at[i]])];
    const int low = hex_digits[static_cast<unsigned char>(text[octet_at[i] + 1])];
    signs |= high | low;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!dashed || signs < 0) return failure();
  return id;
}

Uuid make_uuid7(Rng& rng, Instant now) {
  Uuid id;
  rng.fill(std::as_writable_bytes(std::span(id.bytes)));
  const auto millis = static_cast<std::uint64_t>(now.unix_ms);
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0F));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

std::int64_t NumberIds::first_value(Instant at) {
  constexpr std::int64_t year_2026_ms = 1'767'225'600'000;
  return (std::max<std::int64_t>(at.unix_ms - year_2026_ms, 1) << 12) & number_id_max;
}

void NumberIds::keep_to(std::int64_t place) {
  CHECK(place >= 0 && place < places);
  place_.store(place, std::memory_order_relaxed);
}

std::int64_t NumberIds::next_value(Instant now) {
  const std::int64_t place = place_.load(std::memory_order_relaxed);
  const auto start = static_cast<std::int64_t>(rng_.next_u64() & 0x7FF);
  const std::int64_t fresh = first_value(now) | start;
  std::int64_t last = last_.load(std::memory_order_relaxed);
  std::int64_t next = 0;
  do {
    next = std::max(last + 1, fresh);
    if (place != any_place) next += (place - next) & (places - 1);
  } while (!last_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

}  // namespace muster
