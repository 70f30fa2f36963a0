// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "version/parts.h"

/// The text that semver, golang and nuget share: numbers, prerelease identifiers, build.
namespace muster::version {

enum class LetterCase { kept, folded };

struct SemverText {
  /// Digits joined by dots.
  std::string_view release;
  std::optional<std::string_view> prerelease;
  std::optional<std::string_view> build;
  /// What follows and is none of these; empty in valid text.
  std::string_view rest;
  /// The prerelease follows the numbers without a hyphen: `1.21rc2`, `1.0.0.beta`.
  bool loose = false;
  /// Identifiers also end where digits follow letters: rc2 is rc.2.
  bool words_end_at_digits = false;
};

/// Splits `text`, which has no prefix any more. Never fails: what is wrong ends up in `rest` or is
/// left for fault_of.
SemverText split_semver(std::string_view text) noexcept;

/// What makes `parts` no version, in words; null when nothing does.
const char* fault_of(const SemverText& parts) noexcept;

/// Identifiers between dots (semver 2.0 §11.4): numbers as numbers and before words, words by
/// their bytes or in any case, fewer before more. No prerelease is after all of them.
std::weak_ordering compare_prereleases(const SemverText& a, const SemverText& b,
                                       LetterCase letters) noexcept;

}  // namespace muster::version
