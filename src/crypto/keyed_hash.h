// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

namespace muster::crypto {

/// 256 secret bits: the server's key for keyed hashes.
using SecretKey = std::array<std::uint8_t, 32>;

/// What is stored instead of a key or token. It is itself the look-up key: an attacker who can
/// choose keys cannot steer it without the server's secret, so a map look-up leaks nothing.
struct KeyHash {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const KeyHash&, const KeyHash&) = default;
};

/// Keyed BLAKE2b-256 (RFC 7693). Each use has its own label, so that a hash of one kind of secret
/// is never valid as another. Stateless after construction; safe from several threads.
///
/// of() runs for every request: there the secret is a prefix of the message, in the same block.
/// BLAKE2b has no length extension, so a secret prefix is a MAC; the keyed mode would hash a block
/// of its own for the key.
class KeyedHash {
 public:
  explicit KeyedHash(const SecretKey& secret);
  ~KeyedHash();

  /// Hash of a key or token as presented.
  KeyHash of(std::string_view presented) const;
  /// A 256-bit value derived from the secret for `label` and `input`.
  KeyHash derive(std::string_view label, std::string_view input) const;
  /// 128 bits of SipHash-2-4: fast, keyed identity of content (packages), never a proof.
  std::array<std::uint64_t, 2> content_id(std::string_view content) const;

 private:
  SecretKey keys_;
  std::array<std::uint8_t, 16> sip_key_;
};

/// Equality in time that depends on the sizes only.
bool equal_constant_time(std::string_view a, std::string_view b);

/// BLAKE2b-256 of content, unkeyed: names of stored blobs.
std::array<std::uint8_t, 32> content_hash(std::span<const std::uint8_t> content);

}  // namespace muster::crypto

template <>
struct std::hash<muster::crypto::KeyHash> {
  std::size_t operator()(const muster::crypto::KeyHash& key) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
  }
};
