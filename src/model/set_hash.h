// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/sha256.h"

namespace muster::model {

/// What two sides compare a set of packages by without sending it: the sum, modulo 2^256, of the
/// SHA-256 of each package's canonical text (model/package.h), read as big-endian numbers. It does
/// not depend on an order, and a change of the set costs only what changed. The empty set is 0.
///
/// A sum and not an exclusive or: with the latter anybody who may name 257 packages finds a set of
/// them that cancels out by linear algebra. Against a sum that takes a generalised birthday attack
/// (Wagner 2002), far beyond what accidents do; and who could mount it reports the software anyway.
struct SetHash {
  crypto::Sha256 sum;

  void add(std::string_view canonical);
  /// Of a package that was added.
  void remove(std::string_view canonical);

  friend auto operator<=>(const SetHash&, const SetHash&) = default;
  /// 64 lower-case hexadecimal digits.
  std::string text() const { return sum.text(); }
};

/// Reads 64 hexadecimal digits in any case, nothing for any other text.
std::optional<SetHash> parse_set_hash(std::string_view text);

}  // namespace muster::model
