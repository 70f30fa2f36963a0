// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace muster::agent {

/// Where an agent, or a machine that is none yet, stands in every interval: a hash (BLAKE2b, the
/// first 64 bits) of its id, so that a fleet is spread evenly whatever happens to all of it at
/// once.
std::uint64_t phase_of(std::string_view id);

/// How long from `now` to the next moment of that phase, of which there is one in every `period`
/// (more than 0) since the epoch: 0 up to, and without, `period`. Of two periods, one a multiple of
/// the other, the moments of the longer are among those of the shorter.
Duration until_phase(std::uint64_t phase, Instant now, Duration period);

}  // namespace muster::agent
