// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Alpine's versions: apk-package(5), "Package versions", and apk-tools 2.14 and 3,
/// https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/master/doc/apk-package.5.scd
///
///     number{.number}[letter[number]]{_suffix[number]}[~commit][-rnumber]
///
///     letter  one small letter; a number after it (`6.6.2p1`) is not in the manual page but in
///             Alpine's own archive of packages
///     suffix  alpha beta pre rc | cvs svn git hg p
///     commit  hexadecimal digits
///
/// Fails with invalid_field: apk itself calls other texts invalid and orders them only by chance.
Result<void> validate_apk(std::string_view text);

/// Part by part. Numbers as numbers of any length; after the first, where one of two starts with 0,
/// as text, as the digits of a fraction (1.05 < 1.1). Suffixes in the order above, where no suffix
/// stands at the bar. Where different parts meet or one text ends: suffix before the bar, end,
/// revision, commit, number of a suffix, suffix after the bar, number of a letter, letter, number.
/// Both texts must be valid.
std::weak_ordering compare_apk(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
