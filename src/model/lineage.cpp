// SPDX-License-Identifier: Apache-2.0
#include "model/lineage.h"

#include "base/limits.h"

namespace muster::model {

std::uint32_t boot_second(double uptime_seconds, Instant now) {
  const auto now_seconds = static_cast<double>(now.unix_ms / 1000);
  // So written that what is no number is refused, too.
  if (!(uptime_seconds > 0 && uptime_seconds < now_seconds)) return 0;
  return static_cast<std::uint32_t>(now_seconds - uptime_seconds);
}

BootMove move_between(std::uint32_t known, std::uint32_t told) {
  if (known == 0 || told == 0) return BootMove::none;
  const Duration forward = std::chrono::seconds(std::int64_t{told} - std::int64_t{known});
  if (forward > limits::boot_tolerance) return BootMove::later;
  if (forward < -limits::boot_tolerance) return BootMove::earlier;
  return BootMove::none;
}

bool Turns::take(Instant now) {
  const bool third = now - last_but_one <= limits::clone_window;
  last_but_one = last;
  last = now;
  return third;
}

}  // namespace muster::model
