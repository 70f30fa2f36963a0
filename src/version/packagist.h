// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Versions of PHP packages: version_compare() of PHP, https://www.php.net/version_compare, read as
/// Composer does, https://getcomposer.org/doc/articles/versions.md
///
/// Starts with a digit, after a `v` if need be, and consists of letters, digits and . - _ +.
/// Branches (`dev-main`, `1.x-dev`) are no versions. Fails with invalid_field.
Result<void> validate_packagist(std::string_view text);

/// Runs of digits and of letters in turn; all else separates. Where they differ: other words by
/// their letters < dev < alpha or a < beta or b < rc < the end < numbers < pl, p, patch or
/// post.
///
/// Three differences to PHP. The numbers at the front are filled up with zeros to four, as Composer
/// does before it compares (VersionParser::normalize() of composer/semver): 5.4 equals 5.4.0, and
/// comes after 5.4.0-beta. Letters count in any case, as Composer reads them: PHP has ALPHA equal
/// BETA. And PHP has all words that it does not know equal. Both texts must be valid.
std::weak_ordering compare_packagist(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
