// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Versions of software that follows no published rule, as installers, app bundles and CPE ranges
/// write them. There is no specification; these are our rules.
///
/// Dropped before reading: white space around; `v`, `ver`, `version`, `r`, `rel`, `release`,
/// `build` and one of . - _ before the first number (`RELEASE.2024-06-26T01-06-18Z`, `r2023`); a
/// remark in parentheses after white space (`22.01 (x64)`, `5.11.6 (9890)`), while parentheses
/// inside only separate (`7.2(3)6`); at the end a word for an architecture (`-amd64`, ` 64-bit`)
/// and a locale (` en-US`).
///
/// The rest starts with a digit and consists of letters, digits and . - _ + ~ , / ( ) and spaces.
/// Fails with invalid_field saying what is wrong.
Result<void> validate_generic(std::string_view text);
/// The same refusal in words, for schemes that read versions as this one does; null for none.
const char* generic_fault(std::string_view text) noexcept;

/// Numbers of any length, up to a word or the end, with missing ones 0 (16.0.1 = 16.0.1.0, 15.2 =
/// 15.02); then words, in any case of letters; then again numbers, and so on. All else separates.
/// A word for what comes before a release (dev, snapshot, nightly, canary, alpha, beta, milestone,
/// pre or preview or ea, rc or cr, in this order) is before the end, `~` before those, and every
/// other word is a later patch, by its letters: 4.2.8 < 4.2.8p9 < 4.2.8p15, 95SE < 98SP1. The
/// letters a, b and m are such words right before a number (3.6b2, 9.0.0.M1), and a after a hyphen
/// is alpha; 1.0.2a is a patch. A word for the release itself (final, ga, release, stable) says
/// nothing where no number follows: 4.1.9.Final = 4.1.9.
/// Both texts must be valid.
std::weak_ordering compare_generic(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
