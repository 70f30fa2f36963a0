// SPDX-License-Identifier: Apache-2.0
#include "crypto/signing.h"

#include <algorithm>

#include <sodium.h>

#include "base/text.h"

namespace muster::crypto {

namespace {

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <typename Octets>
std::optional<Octets> array_of(const std::optional<std::string>& octets) {
  Octets out{};
  if (!octets || octets->size() != out.size()) return std::nullopt;
  std::copy(octets->begin(), octets->end(), out.begin());
  return out;
}

}  // namespace

SigningKey::SigningKey(const Seed& seed) {
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
}

SigningKey::~SigningKey() {
  sodium_memzero(secret_key_.data(), secret_key_.size());
}

SigningKey::Seed SigningKey::make_seed(Rng& rng) {
  Seed seed{};
  rng.fill(std::as_writable_bytes(std::span(seed)));
  return seed;
}

Signature SigningKey::sign(std::string_view message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, octets(message), message.size(),
                       secret_key_.data());
  return signature;
}

std::optional<PublicKey> parse_public_key(std::string_view text) {
  constexpr std::size_t hex_digits = 64;
  return array_of<PublicKey>(text.size() == hex_digits ? from_hex(text) : from_base64(text));
}

std::optional<Signature> parse_signature(std::string_view text) {
  return array_of<Signature>(from_hex(text));
}

bool verify(std::string_view message, const Signature& signature, const PublicKey& key) {
  return crypto_sign_verify_detached(signature.data(), octets(message), message.size(),
                                     key.data()) == 0;
}

std::string to_base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), octets(bytes), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);  // libsodium writes the terminating zero
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

}  // namespace muster::crypto
