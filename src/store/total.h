// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace muster::store {

/// How many rows a list has over all its pages: `value`, or at least that many if not `exact`.
struct Total {
  std::int64_t value = 0;
  bool exact = true;
};

}  // namespace muster::store
