// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Debian's versions, `[epoch:]upstream[-revision]`: Debian Policy Manual §5.6.12,
/// https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
///
///     epoch     decimal digits; absent is 0. dpkg refuses more than 2^31-1, Policy sets no bound
///     upstream  starts with a digit; letters, digits and . + ~ -, and : after an epoch. Policy
///     says
///               "should" of the first digit and the archive enforces it; here it keeps texts such
///               as "unknown" from being versions
///     revision  after the last hyphen, not empty; letters, digits and + . ~; absent is 0
///
/// Fails with invalid_field naming the part and the offending character.
Result<void> validate_deb(std::string_view text);

/// Epochs as numbers, then upstream, then revision: runs of non-digits (a tilde before the end,
/// the end before letters, letters before all else) in turn with runs of digits as numbers of any
/// length. Both texts must be valid.
std::weak_ordering compare_deb(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
