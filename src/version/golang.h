// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Versions of Go modules and of Go itself: Go Modules Reference, "Versions",
/// https://go.dev/ref/mod#versions, and "Go Toolchains", https://go.dev/doc/toolchain
///
///     v1.2.3[-prerelease][+build]   semver's text with at most three numbers, missing ones 0; the
///                                   v may be absent, as in OSV. Pseudo-versions
///                                   (v0.0.0-20230922105210-14b16010c2ee) are prereleases
///     go1.21.3, go1.21rc2           Go itself; rc2 is rc.2, as the Go vulnerability database
///                                   writes it
///
/// `(devel)` is no version. Fails with invalid_field.
Result<void> validate_golang(std::string_view text);

/// The order of semver.h; `+incompatible` says nothing. Both texts must be valid.
std::weak_ordering compare_golang(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
