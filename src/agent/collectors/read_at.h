// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace muster::agent {

/// Reads `size` octets of a file at `offset`; fewer at its end, nothing when it cannot be read.
using ReadAt = std::function<std::optional<std::string>(std::uint64_t offset, std::size_t size)>;

}  // namespace muster::agent
