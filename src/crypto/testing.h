// SPDX-License-Identifier: Apache-2.0
// For tests only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::crypto {

/// What encode_base32() made of octets: an authenticator's side of a secret.
inline std::string decode_base32(std::string_view text) {
  std::string octets;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char digit : text) {
    bits = bits << 5 | static_cast<std::uint32_t>(digit >= 'A' ? digit - 'A' : digit - '2' + 26);
    if ((count += 5) < 8) continue;
    count -= 8;
    octets.push_back(static_cast<char>(bits >> count));
  }
  return octets;
}

}  // namespace muster::crypto
