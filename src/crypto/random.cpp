// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.h"

#include <array>

#include "base/text.h"
#include "crypto/sodium.h"

namespace muster::crypto {

SystemRng::SystemRng() {
  start_sodium();
}

void SystemRng::fill(std::span<std::byte> out) {
  randombytes_buf(out.data(), out.size());
}

std::string make_key_text(std::string_view prefix, Rng& rng) {
  std::array<std::uint8_t, 32> bytes{};
  rng.fill(std::as_writable_bytes(std::span(bytes)));
  return std::string(prefix) + to_hex(bytes);
}

}  // namespace muster::crypto
