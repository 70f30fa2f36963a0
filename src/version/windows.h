// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// Versions of Windows and of programs on it, as uninstall keys, file resources and the bounds of
/// NVD and MSRC write them: builds (10.0.19045.4046), file versions (`6, 0, 2, 1`), installers'
/// free text (`23.01 (x64)`). They follow no rule of their own, so generic.h's rules hold. The
/// scheme has its name because packages and evidence state it. Fails with invalid_field.
Result<void> validate_windows(std::string_view text);

/// The order of generic.h: 16.0.35907 = 16.0.35907.0, 95SE < 98SP1. Both texts must be valid.
std::weak_ordering compare_windows(std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
