// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyed_hash.h"

#include "base/check.h"
#include "crypto/sodium.h"

namespace muster::crypto {

namespace {

constexpr std::size_t block_bytes = 128;  // RFC 7693 §2.1

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

KeyedHash::KeyedHash(const SecretKey& secret) : keys_(secret) {
  start_sodium();
  const KeyHash sip = derive("content", "");
  std::memcpy(sip_key_.data(), sip.bytes.data(), sip_key_.size());
}

KeyedHash::~KeyedHash() {
  sodium_memzero(keys_.data(), keys_.size());
}

KeyHash KeyedHash::of(std::string_view presented) const {
  std::array<unsigned char, block_bytes> block;
  if (presented.size() > block.size() - keys_.size()) return derive("long secret", presented);
  std::memcpy(block.data(), keys_.data(), keys_.size());
  std::memcpy(block.data() + keys_.size(), presented.data(), presented.size());
  KeyHash hash;
  const int failed = crypto_generichash(hash.bytes.data(), hash.bytes.size(), block.data(),
                                        keys_.size() + presented.size(), nullptr, 0);
  sodium_memzero(block.data(), keys_.size());
  CHECK(failed == 0);
  return hash;
}

KeyHash KeyedHash::derive(std::string_view label, std::string_view input) const {
  // The length of the label keeps ("ab", "c") apart from ("a", "bc").
  crypto_generichash_state state;
  KeyHash hash;
  const std::uint64_t label_bytes = label.size() | (std::uint64_t{1} << 63);
  crypto_generichash_init(&state, keys_.data(), keys_.size(), hash.bytes.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&label_bytes),
                            sizeof label_bytes);
  crypto_generichash_update(&state, octets(label), label.size());
  crypto_generichash_update(&state, octets(input), input.size());
  crypto_generichash_final(&state, hash.bytes.data(), hash.bytes.size());
  return hash;
}

std::array<std::uint64_t, 2> KeyedHash::content_id(std::string_view content) const {
  std::array<std::uint64_t, 2> id{};
  crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(id.data()), octets(content),
                              content.size(), sip_key_.data());
  return id;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::array<std::uint8_t, 32> content_hash(std::span<const std::uint8_t> content) {
  std::array<std::uint8_t, 32> hash{};
  crypto_generichash(hash.data(), hash.size(), content.data(), content.size(), nullptr, 0);
  return hash;
}

}  // namespace muster::crypto
