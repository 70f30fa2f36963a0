// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Python's versions, `[epoch!]release[pre][.post][.dev][+local]`: PEP 440, now
/// https://packaging.python.org/en/latest/specifications/version-specifiers/
///
///     pre    a, b or rc with a number; alpha, beta, c, pre and preview are other spellings
///     post   post with a number, or a hyphen and a number; rev and r are other spellings
///     dev    dev with a number
///     local  letters and digits between . - _
///
/// All that the section "Normalization" reads is read: capitals, a `v` before, white space around,
/// separators . - _ or none around the words, absent numbers of words as 0. Versions from before
/// PEP 440 ("0.4m1", dates with times) have no order that is defined and are refused.
/// Fails with invalid_field.
Result<void> validate_pep440(std::string_view text);

/// Epoch, release with missing numbers 0, then dev < a < b < rc < none < post: a dev release comes
/// before the release, prerelease or post release that it leads to. Last the local part, none
/// first: word by word, numbers after letters. That is the order of versions; the specifiers == and
/// <= of a range ignore the local part, which is the caller's affair. Both texts must be valid.
std::weak_ordering compare_pep440(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
