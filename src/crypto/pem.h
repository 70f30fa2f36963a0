// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/signing.h"

namespace muster::crypto {

/// The Ed25519 private key of a PEM file (PKCS #8, RFC 8410), as `openssl genpkey -algorithm
/// ed25519` writes it; nothing for any other text, also for an encrypted key.
std::optional<SigningKey::Seed> read_signing_key(std::string_view pem);

/// The same file from a key.
std::string write_signing_key(const SigningKey::Seed& seed);

}  // namespace muster::crypto
