// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Semantic versions, `release[-prerelease][+build]`: Semantic Versioning 2.0.0, §§2-11,
/// https://semver.org/spec/v2.0.0.html
///
///     release     numbers between dots. The specification wants three without leading zeros;
///                 feeds bound ranges with `2` and `2.3`, and packages have four, so any count
///                 is read, and missing numbers are 0
///     prerelease  letters, digits and - between dots; also without its hyphen where a letter
///                 follows the numbers (`1.21rc2`, `1.0.0.beta`), as npm's loose reading has it
///     build       as the prerelease; says nothing about the order
///
/// A `v` before and white space around are dropped. Fails with invalid_field naming the part.
Result<void> validate_semver(std::string_view text);

/// Releases number by number, then prereleases: identifiers of digits as numbers of any length and
/// before words, words by their bytes, fewer before more, and any prerelease before none. Both
/// texts must be valid.
std::weak_ordering compare_semver(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
