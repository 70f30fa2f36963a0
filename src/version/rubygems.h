// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Ruby's versions: Gem::Version of RubyGems, https://docs.ruby-lang.org/en/3.3/Gem/Version.html
///
///     number{.part}[-prerelease][-platform]
///
/// Parts are letters and digits; the prerelease also has hyphens. A platform (java, x86_64-linux,
/// arm64-darwin) belongs to the name of a built gem, not to its version, and is dropped from its
/// first word on. White space around is dropped. Fails with invalid_field.
Result<void> validate_rubygems(std::string_view text);

/// Segments of digits or of letters, where a hyphen is the segment `pre`: numbers of any length,
/// words by their bytes and before numbers, missing segments as 0. Zeros before the first word or
/// the end are dropped, so 1.a = 1.0.0.a < 1 = 1.0. Both texts must be valid.
std::weak_ordering compare_rubygems(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
