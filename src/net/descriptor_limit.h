// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"

namespace muster::net {

/// Lets this process open `wanted` descriptors: raises RLIMIT_NOFILE where it is lower. Fails with
/// unavailable, naming the limit, when the system does not let it.
Result<void> allow_descriptors(std::uint64_t wanted);

}  // namespace muster::net
