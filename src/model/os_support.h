// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace muster::model {

/// Whether a release of a distribution still gets security updates.
struct OsSupport {
  /// `extended`: from its long-term support, which may be for subscribers alone.
  enum class State : std::uint8_t { unknown, supported, extended, end_of_life };

  State state = State::unknown;
  std::string_view until =
      {};  // "2026-07-11": the last day of this state, or before the end of life
  /// Whether the publisher's advisories still tell everybody of new flaws. Without them, that a
  /// package has no advisory says nothing.
  bool advised = true;
};
std::string_view os_support_name(OsSupport::State state);

/// Of a release as canonical_distro() names it; unknown for one that os_support.def does not have.
OsSupport os_support(std::string_view distro, Instant now);

/// The first moment of a day that `text` starts with ("2026-07-11", "2025.08.25"); nothing if it is
/// none.
std::optional<Instant> leading_day(std::string_view text);

}  // namespace muster::model
