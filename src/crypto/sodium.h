// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

#include <sodium.h>

namespace muster::crypto {

/// Before anything of libsodium is used: only then does it take what this processor does fast, and
/// seed its random numbers. Again costs nothing. Throws std::runtime_error.
inline void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
}

}  // namespace muster::crypto
