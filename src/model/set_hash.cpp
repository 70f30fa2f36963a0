// SPDX-License-Identifier: Apache-2.0
#include "model/set_hash.h"

namespace muster::model {

namespace {

/// `to` plus `summand`, or minus it, modulo 2^256; both big-endian.
template <int sign>
void accumulate(crypto::Sha256& to, const crypto::Sha256& summand) {
  int carry = 0;
  for (std::size_t i = to.bytes.size(); i-- > 0;) {
    const int digit = to.bytes[i] + sign * summand.bytes[i] + carry;
    to.bytes[i] = static_cast<std::uint8_t>(digit & 0xFF);
    carry = digit < 0 ? -1 : digit >> 8;
  }
}

}  // namespace

void SetHash::add(std::string_view canonical) {
  accumulate<1>(sum, crypto::sha256(canonical));
}

void SetHash::remove(std::string_view canonical) {
  accumulate<-1>(sum, crypto::sha256(canonical));
}

std::optional<SetHash> parse_set_hash(std::string_view text) {
  const auto sum = crypto::parse_sha256(text);
  if (!sum) return std::nullopt;
  return SetHash{*sum};
}

}  // namespace muster::model
