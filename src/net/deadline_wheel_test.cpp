// SPDX-License-Identifier: Apache-2.0
#include "net/deadline_wheel.h"

#include <vector>

#include <gtest/gtest.h>

namespace muster::net {
namespace {

struct Timed : DeadlineWheel::Entry {};

/// How many ticks until `entry` expires; 0 if it does not within `most`.
int ticks_until(DeadlineWheel& wheel, const Timed& entry, int most = 2000) {
  for (int tick = 1; tick <= most; ++tick) {
    bool expired = false;
    wheel.advance([&](DeadlineWheel::Entry& due) { expired = expired || &due == &entry; });
    if (expired) return tick;
  }
  return 0;
}

TEST(DeadlineWheel, ExpiresAtItsTickAndOnce) {
  for (const int ticks : {1, 2, 255, 256, 257, 1000}) {
    DeadlineWheel wheel;
    Timed entry;
    wheel.set(entry, static_cast<std::uint64_t>(ticks));
    EXPECT_EQ(ticks_until(wheel, entry), ticks);
    EXPECT_EQ(ticks_until(wheel, entry), 0);
  }
}

TEST(DeadlineWheel, MovesADeadlineBothWays) {
  DeadlineWheel wheel;
  Timed entry;
  wheel.set(entry, 10);
  EXPECT_EQ(ticks_until(wheel, entry, 9), 0);
  wheel.set(entry, 300);
  EXPECT_EQ(ticks_until(wheel, entry), 300);
  wheel.set(entry, 300);
  wheel.set(entry, 3);
  EXPECT_EQ(ticks_until(wheel, entry), 3);
}

TEST(DeadlineWheel, ForgetsWhatWasClearedOrDestroyed) {
  DeadlineWheel wheel;
  Timed cleared;
  wheel.set(cleared, 5);
  wheel.clear(cleared);
  EXPECT_EQ(ticks_until(wheel, cleared), 0);
  {
    Timed destroyed;
    wheel.set(destroyed, 5);
  }
  Timed after;
  wheel.set(after, 5);
  EXPECT_EQ(ticks_until(wheel, after), 5);
}

TEST(DeadlineWheel, AnExpiringEntryMayBeSetAgainOrEndAnother) {
  DeadlineWheel wheel;
  Timed again;
  auto other = std::make_unique<Timed>();
  wheel.set(again, 1);
  wheel.set(*other, 1);
  int calls = 0;
  for (int tick = 0; tick < 10; ++tick) {
    wheel.advance([&](DeadlineWheel::Entry& due) {
      ++calls;
      if (&due == &again) {
        other.reset();
        wheel.set(again, 3);
      }
    });
  }
  EXPECT_EQ(calls, 4);  // at ticks 1, 4, 7 and 10
}

}  // namespace
}  // namespace muster::net
