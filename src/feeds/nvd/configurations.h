// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "base/json_read.h"
#include "model/cpe_applicability.h"

namespace muster::feeds {

/// Calls with the path and the flaw of what was left out.
using SkipRemark = std::function<void(std::string_view path, std::string_view what)>;

/// The `configurations` of a cve object (parse_nvd says how flaws are met); empty when it has none.
model::CpeApplicability read_nvd_configurations(const Json& cve, const SkipRemark& skip);

}  // namespace muster::feeds
