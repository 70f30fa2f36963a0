// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "store/store.h"

namespace muster::store {

/// Octets of a fixed length (a key, a signature) in a column. What octets_of() gives is a view.
template <std::size_t N>
Blob octets_of(const std::array<std::uint8_t, N>& bytes) {
  return {{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

/// Throws StoreError for another length: somebody changed the row.
template <std::size_t N>
void read_octets(const Rows& rows, int column, std::array<std::uint8_t, N>& out) {
  const std::string_view bytes = rows.blob(column);
  if (bytes.size() != out.size()) throw StoreError("octets of another length than was written");
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

}  // namespace muster::store
