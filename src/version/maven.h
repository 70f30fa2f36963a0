// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Maven's versions: POM Reference, "Version Order Specification", as ComparableVersion of Maven
/// 3.9 has it, https://maven.apache.org/pom.html#version-order-specification
///
/// Maven orders any text. Here a version begins with a letter or a digit, has a digit, and consists
/// of letters, digits and . - _ + ~. Fails with invalid_field saying which.
Result<void> validate_maven(std::string_view text);

/// Tokens between dots, hyphens and the changes from digits to other characters and back, where
/// such a change is a hyphen; an empty token is 0. In any case of letters.
///
/// The words ga, final and release, and 0, are null: nulls that come before a hyphen, a word or the
/// end say nothing (1.0.0-foo = 1-foo, 1-ga = 1). Where tokens differ: alpha < beta < milestone <
/// rc or cr < snapshot < null or the end < sp < other words, by their letters < numbers after a
/// hyphen < numbers after a dot. a, b and m with digits right after them are alpha, beta and
/// milestone. A dot before a word is a hyphen (1.x = 1-x). Both texts must be valid.
std::weak_ordering compare_maven(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
