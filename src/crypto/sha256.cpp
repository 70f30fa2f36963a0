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

namespace {

crypto_hash_sha256_state* state_in(unsigned char* bytes) {
  static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(Sha256Stream));
  return reinterpret_cast<crypto_hash_sha256_state*>(bytes);
}

}  // namespace

Sha256Stream::Sha256Stream() {
  crypto_hash_sha256_init(state_in(state_.bytes));
}

void Sha256Stream::add(std::string_view piece) {
  crypto_hash_sha256_update(state_in(state_.bytes),
                            reinterpret_cast<const unsigned char*>(piece.data()), piece.size());
}

Sha256 Sha256Stream::finish() {
  Sha256 digest;
  crypto_hash_sha256_final(state_in(state_.bytes), digest.bytes.data());
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
