// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Versions of Java runtimes: JEP 322 and java.lang.Runtime.Version for 9 and later, JEP 223's
/// table for what came before, https://openjdk.org/jeps/322
///
///     17.0.9.1[-pre][+build[-opt]]            numbers between dots
///     1.8.0_351, 8u351, 1.8.0-update351       the same as 8.0.351: the leading 1. is dropped, and
///                                             the update is the third number
///     -b10                                    a build; so is a number after _ where the third
///                                             number is there already (11.0.1_13)
///     pre                                     letters and digits; `ga` is no prerelease
///
/// Installers that number Java in their own way (8.0.3510.10) are the caller's affair.
/// Fails with invalid_field.
Result<void> validate_jvm(std::string_view text);

/// Numbers of any length, missing ones 0; then the prerelease, any before none, numbers before
/// words. Builds say nothing. Both texts must be valid.
std::weak_ordering compare_jvm(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
