// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace muster::model {

/// Second since the Unix epoch at which a machine booted that says at `now` that it is up for so
/// long. 0 when that cannot be told: the uptime is 0, negative (not sent) or absurd.
std::uint32_t boot_second(double uptime_seconds, Instant now);

/// Where the boot time of an agent's machine moved. Apart by limits::boot_tolerance it is another
/// boot. A machine's goes forward: it boots again, or its clock of uptime stood still while it
/// slept. That it goes back is no machine's doing: another one calls with the same key, or, once,
/// some clock was corrected.
enum class BootMove : std::uint8_t { none, later, earlier };
BootMove move_between(std::uint32_t known, std::uint32_t told);

/// Two machines that call with one key, as they are told apart from one heartbeat to the next.
struct Twins {
  struct Machine {
    std::uint32_t boot = 0;  // second at which it booted, as last known
    std::string hostname;    // empty: it does not say
  };
  Machine older;  // booted first when it was found that there are two
  Machine newer;
  std::uint32_t stray = 0;  // boot of a heartbeat that was of neither: one of them booted again
};
enum class Twin : std::uint8_t { unknown, older, newer };

/// Which of the two a heartbeat is of, and what is known of them after it. The hostname tells where
/// the two have different ones. Else the boot time does; of a machine that boots again it is known
/// once the other is heard with the boot that it had: since boots go forward, that one did not
/// boot.
Twin recognise(Twins& twins, std::uint32_t boot, std::string_view hostname);

/// When the boot time of an agent went back. Two machines that call in turn make it go back with
/// every other call; a correction of a clock makes it go back once.
struct Turns {
  Instant last_but_one;
  Instant last;

  /// Takes another; whether there were three within limits::clone_window.
  bool take(Instant now);
};

}  // namespace muster::model
