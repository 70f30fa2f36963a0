// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace muster::model {

/// Versions from `introduced` (empty: from the first) up to, but without, `fixed`, or up to and
/// including `last_affected`. With neither end it is open: no fix is known.
struct VersionRange {
  std::string introduced;
  std::string fixed;
  std::string last_affected;
  std::string after = {};  // as `introduced`, but without that version itself
  friend auto operator<=>(const VersionRange&, const VersionRange&) = default;
};

}  // namespace muster::model
