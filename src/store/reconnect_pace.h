// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace muster::store {

/// When a database that went away may be tried again: at once, then after a delay that doubles. A
/// stopwatch, for no answer and no row depends on it.
class ReconnectPace {
 public:
  using Clock = std::chrono::steady_clock;

  bool may_try() const { return Clock::now() >= next_try_; }
  Clock::time_point next_try() const { return next_try_; }
  void succeeded() { delay_ = {}; }
  void failed() {
    delay_ =
        std::clamp<Duration>(2 * delay_, limits::reconnect_delay_min, limits::reconnect_delay_max);
    next_try_ = Clock::now() + delay_;
  }

 private:
  Clock::time_point next_try_;
  Duration delay_{0};
};

}  // namespace muster::store
