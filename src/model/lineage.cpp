// SPDX-License-Identifier: Apache-2.0
#include "model/lineage.h"

#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

std::uint32_t boot_second(double uptime_seconds, Instant now) {
  const std::int64_t whole_seconds = now.unix_ms / 1000;
  const auto now_seconds = static_cast<double>(whole_seconds);
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

namespace {

bool is_boot_of(const Twins::Machine& machine, std::uint32_t boot) {
  return machine.boot != 0 && boot != 0 && move_between(machine.boot, boot) == BootMove::none;
}

Twin name_tells(const Twins& twins, std::string_view hostname) {
  const std::string& older = twins.older.hostname;
  const std::string& newer = twins.newer.hostname;
  if (hostname.empty() || older.empty() || newer.empty() || equal_folded(older, newer)) {
    return Twin::unknown;
  }
  if (equal_folded(hostname, older)) return Twin::older;
  return equal_folded(hostname, newer) ? Twin::newer : Twin::unknown;
}

}  // namespace

Twin recognise(Twins& twins, std::uint32_t boot, std::string_view hostname) {
  const Twin named = name_tells(twins, hostname);
  if (named != Twin::unknown) {
    if (boot != 0) (named == Twin::older ? twins.older : twins.newer).boot = boot;
    return named;
  }
  const bool as_older = is_boot_of(twins.older, boot);
  const bool as_newer = is_boot_of(twins.newer, boot);
  if (as_older == as_newer) {
    // Of neither, or of machines that booted together and cannot be told apart.
    if (boot != 0 && !as_older) twins.stray = boot;
    return Twin::unknown;
  }
  if (twins.stray != 0) (as_older ? twins.newer : twins.older).boot = twins.stray;
  twins.stray = 0;
  return as_older ? Twin::older : Twin::newer;
}

bool Turns::take(Instant now) {
  const bool third = now - last_but_one <= limits::clone_window;
  last_but_one = last;
  last = now;
  return third;
}

}  // namespace muster::model
