// SPDX-License-Identifier: Apache-2.0
#include "crypto/seal.h"

#include <sodium.h>

namespace muster::crypto {

namespace {

unsigned char* octets(std::string& text, std::size_t at) {
  return reinterpret_cast<unsigned char*>(text.data() + at);
}
const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
constexpr std::size_t nonce_bytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t overhead_bytes = nonce_bytes + crypto_secretbox_MACBYTES;

}  // namespace

std::string seal(std::string_view secret, const SecretKey& key, Rng& rng) {
  std::string sealed(overhead_bytes + secret.size(), '\0');
  rng.fill(std::as_writable_bytes(std::span(sealed.data(), nonce_bytes)));
  crypto_secretbox_easy(octets(sealed, nonce_bytes), octets(secret), secret.size(),
                        octets(sealed, 0), key.data());
  return sealed;
}

std::optional<std::string> unseal(std::string_view sealed, const SecretKey& key) {
  if (sealed.size() < overhead_bytes) return std::nullopt;
  std::string secret(sealed.size() - overhead_bytes, '\0');
  const std::string_view box = sealed.substr(nonce_bytes);
  const int failed = crypto_secretbox_open_easy(octets(secret, 0), octets(box), box.size(),
                                                octets(sealed), key.data());
  if (failed != 0) return std::nullopt;
  return secret;
}

}  // namespace muster::crypto
