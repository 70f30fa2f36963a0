// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace muster::ctl {

/// A curve in one line of at most `width` columns, from the least value (▁) to the greatest (█),
/// both named behind it. Several values that share a column show as the greatest of them; a column
/// of none is a space. Empty without any value.
std::string sparkline(const std::vector<std::optional<double>>& values, std::size_t width);

}  // namespace muster::ctl
