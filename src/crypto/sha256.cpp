// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include <cstring>

#include <sodium.h>

#include "base/text.h"

namespace muster::crypto {

std::string Sha256::text() const {
  return to_hex(bytes);
}

Sha256 sha256(std::string_view content) {
  Sha256 digest;
  crypto_hash_sha256(digest.bytes.data(), reinterpret_cast<const unsigned char*>(content.data()),
                     content.size());
  return digest;
}

std::optional<Sha256> parse_sha256(std::string_view text) {
  const auto octets = from_hex(text);
  Sha256 digest;
  if (!octets || octets->size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), octets->data(), octets->size());
  return digest;
}

}  // namespace muster::crypto
