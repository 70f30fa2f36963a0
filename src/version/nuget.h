// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// NuGet's versions, `release[-prerelease][+build]`: "NuGet Package Version Reference",
/// https://learn.microsoft.com/en-us/nuget/concepts/package-versioning
///
/// The text of semver 2.0, but for one to four numbers, with leading zeros if need be. White space
/// around is dropped. Fails with invalid_field.
Result<void> validate_nuget(std::string_view text);

/// The order of semver.h, with missing numbers 0 and letters of prereleases in any case; the build
/// says nothing. Both texts must be valid.
std::weak_ordering compare_nuget(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
