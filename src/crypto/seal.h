// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "crypto/keyed_hash.h"

namespace muster::crypto {

/// Authenticated encryption of small secrets at rest (XSalsa20-Poly1305): a 24-byte nonce, then
/// the box.
std::string seal(std::string_view secret, const SecretKey& key, Rng& rng);

/// The secret, or nothing if `sealed` was made with another key or was changed.
std::optional<std::string> unseal(std::string_view sealed, const SecretKey& key);

}  // namespace muster::crypto
