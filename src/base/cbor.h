// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace muster {

/// A value in the form of CBOR (RFC 8949) that authenticators write: CTAP 2.1 §8, "CTAP2 canonical
/// CBOR encoding form". Lengths are definite and heads as short as can be, the keys of a map stand
/// in order and each once, and there are neither tags nor floating-point numbers. Integers are
/// those of 64 bits with a sign; text is UTF-8 without control characters. Everything views what
/// was read.
struct Cbor {
  enum class Kind : std::uint8_t { integer, octets, text, array, map, boolean, null };

  Kind kind = Kind::null;
  bool flag = false;        // boolean
  std::int64_t number = 0;  // integer
  std::string_view bytes;   // octets, text
  std::vector<Cbor> items;  // array: its elements; map: key, value, key, value, …

  /// The value of a map under that key; null if this is no map or has no such key.
  const Cbor* find(std::int64_t key) const;
  const Cbor* find(std::string_view key) const;
  /// The content, if it is of that kind.
  std::optional<std::int64_t> integer() const;
  std::optional<std::string_view> octets() const;
  std::optional<std::string_view> text() const;
};

/// Takes one value off the front of `bytes`. Nothing, with `bytes` as they were, if there is none
/// of that form, if it nests deeper than limits::cbor_depth, or has more than limits::cbor_values
/// values in all. Holds some 64 octets for each value, never more than that for what lengths claim.
std::optional<Cbor> take_cbor(std::string_view& bytes);

/// The one value that `bytes` are, from the first to the last of them.
std::optional<Cbor> parse_cbor(std::string_view bytes);

}  // namespace muster
