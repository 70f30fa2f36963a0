// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace muster::crypto {

/// The kernel's random numbers, through libsodium.
class SystemRng final : public Rng {
 public:
  SystemRng();
  void fill(std::span<std::byte> out) override;
};

/// `prefix` and 64 hexadecimal digits: 256 random bits (mission rule 1).
std::string make_key_text(std::string_view prefix, Rng& rng);

}  // namespace muster::crypto
