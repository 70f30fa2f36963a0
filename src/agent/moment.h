// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/time.h"

namespace muster::agent {

/// Now, on two clocks. `wall` may jump and is only told to others; every interval is counted on
/// `steady`, which also counts suspended time (CLOCK_BOOTTIME).
struct Moment {
  Instant wall;
  Duration steady{0};
};

}  // namespace muster::agent
