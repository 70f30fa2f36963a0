// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.h"

namespace muster::ctl {

/// Reads a whole number and its unit: "3600s", "30m", "24h", "7d", "2w". Fails with invalid_field
/// for anything else, also for a number without unit and for more than 100 years.
Result<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace muster::ctl
