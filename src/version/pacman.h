// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Arch Linux's versions, `[epoch:]pkgver[-pkgrel]`: vercmp(8), PKGBUILD(5) and alpm of pacman 6,
/// https://man.archlinux.org/man/vercmp.8
///
///     epoch   decimal digits; absent is 0
///     pkgver  ends in a letter or a digit; no colon, slash, hyphen or white space
///     pkgrel  digits joined by dots
///
/// Fails with invalid_field naming the part.
Result<void> validate_pacman(std::string_view text);

/// Epochs as numbers, then pkgver, then pkgrel, but only where both have one: 1.0 equals 1.0-1 and
/// 1.0-2. So it is an order among versions with a pkgrel, and among those without.
///
/// In pkgver runs of digits as numbers of any length and after runs of letters; all else separates,
/// and where one text has more separators it is greater. Where one ends, more letters are a
/// prerelease (1.0rc < 1.0) and more of anything else is greater (1.0 < 1.0.1, 1.0 < 1.0.rc,
/// 1.0 < 1.0~rc: a tilde is nothing special here). Both texts must be valid.
std::weak_ordering compare_pacman(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
