// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace muster::crypto {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

/// An Ed25519 key pair (RFC 8032), remembered by its 32-byte seed.
class SigningKey {
 public:
  using Seed = std::array<std::uint8_t, 32>;

  explicit SigningKey(const Seed& seed);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  static Seed make_seed(Rng& rng);

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(std::string_view message) const;

 private:
  PublicKey public_key_;
  std::array<std::uint8_t, 64> secret_key_;
};

/// A public key as people write it: 64 hexadecimal digits, or base64. Nothing for any other text.
std::optional<PublicKey> parse_public_key(std::string_view text);

/// 128 hexadecimal digits; nothing for any other text.
std::optional<Signature> parse_signature(std::string_view text);

bool verify(std::string_view message, const Signature& signature, const PublicKey& key);

/// Standard base64 with padding (RFC 4648 §4): 44 characters for a public key.
std::string to_base64(std::string_view bytes);
/// The bytes, nothing for any other text.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace muster::crypto
