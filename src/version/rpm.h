// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// RPM's versions, `[epoch:]version[-release]`: rpm-version(7), and rpmvercmp of rpm 4.15 and later
/// for ~ and ^, https://rpm.org/docs/latest/manual/dependencies.html#versioning
///
///     epoch    decimal digits before the first colon; absent is 0. A colon after anything else is
///              one more separator
///     version  up to the last hyphen
///     release  after the last hyphen; absent is before any release
///
/// rpm orders any text. Here a version has a letter or a digit, no white space and no control
/// character. Fails with invalid_field saying which.
Result<void> validate_rpm(std::string_view text);

/// Epochs as numbers, then version, then release, each by segments of digits or of letters; all
/// else but ~ and ^ only separates. Numbers of any length after letters; ~ before the end; ^ after
/// the end and before any segment; the rest is greater where one text ends (`1.0a` after `1.0`).
/// Both texts must be valid.
std::weak_ordering compare_rpm(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
