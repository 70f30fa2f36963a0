// SPDX-License-Identifier: Apache-2.0
#include "model/lineage.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::model {
namespace {

constexpr Instant start{1'800'000'000'000};
constexpr Duration minute = std::chrono::minutes(1);

struct Beat {
  Instant at;
  double uptime_seconds;
};

/// What the server does with the heartbeats of one key: whether it finds two machines.
bool finds_two(const std::vector<Beat>& beats) {
  std::uint32_t boot = 0;
  Turns turns;
  bool found = false;
  for (const Beat& beat : beats) {
    const std::uint32_t told = boot_second(beat.uptime_seconds, beat.at);
    const BootMove move = move_between(boot, told);
    if (boot == 0 || move != BootMove::none) boot = told == 0 ? boot : told;
    if (move == BootMove::earlier && turns.take(beat.at)) found = true;
  }
  return found;
}

/// Of a machine that booted so long before `start`.
Beat beat_of(Duration up_at_start, Instant at) {
  return {at, static_cast<double>((at - start + up_at_start).count()) / 1000};
}

TEST(Lineages, EveryAlternationOfTwoMachinesIsFoundAtTheThirdReturnToTheOlder) {
  constexpr int beats = 14;
  for (unsigned order = 0; order < 1U << beats; ++order) {
    std::vector<Beat> seen;
    int returns = 0;
    for (unsigned i = 0; i < beats; ++i) {
      const bool newer = (order >> i & 1U) != 0;
      if (i > 0 && !newer && (order >> (i - 1) & 1U) != 0) ++returns;
      seen.push_back(beat_of(std::chrono::hours(newer ? 2 : 90), start + minute * i));
      ASSERT_EQ(finds_two(seen), returns >= 3) << order << " after " << i + 1;
    }
  }
}

TEST(Lineages, ThreeMachinesAreFoundToo) {
  std::vector<Beat> seen;
  for (int i = 0; i < 9; ++i) {
    seen.push_back(beat_of(std::chrono::hours(1 + 2 * (i % 3)), start + minute * i));
  }
  EXPECT_TRUE(finds_two(seen));
}

TEST(Lineages, EverySequenceOfRebootsSleepAndSilenceIsOneMachine) {
  enum Step { beats, reboots, sleeps, says_nothing, steps };
  constexpr int length = 7;
  static_assert(steps == 4);
  constexpr unsigned sequences = 1U << 2 * length;
  for (unsigned order = 0; order < sequences; ++order) {
    std::vector<Beat> seen;
    Duration up = std::chrono::hours(5);
    unsigned rest = order;
    for (int i = 0; i < length; ++i, rest /= steps) {
      const Instant at = start + minute * 10 * i;
      up += minute * 10;
      if (rest % steps == reboots) up = std::chrono::seconds(20);
      // Its clock of uptime stands still meanwhile.
      if (rest % steps == sleeps) up -= minute * 9;
      const bool silent = rest % steps == says_nothing;
      seen.push_back({at, silent ? 0 : static_cast<double>(up.count()) / 1000});
    }
    ASSERT_FALSE(finds_two(seen)) << order;
  }
}

TEST(Lineages, ClockCorrectionsAreOneMachine) {
  std::vector<Beat> seen;
  // The clock that uptime is measured against is set forward by an hour, twice; and there are the
  // small steps of a clock that is always a little off.
  for (int i = 0; i < 60; ++i) {
    Beat beat = beat_of(std::chrono::hours(50), start + minute * i);
    beat.uptime_seconds += (i > 20 ? 3600 : 0) + (i > 40 ? 3600 : 0) + (i % 2 == 0 ? 140 : -140);
    seen.push_back(beat);
  }
  EXPECT_FALSE(finds_two(seen));
}

TEST(Lineages, ThreeReturnsCountOnlyWithinTheWindow) {
  const auto find = [](Duration apart) {
    std::vector<Beat> seen;
    for (int i = 0; i < 20; ++i) {
      seen.push_back(beat_of(std::chrono::hours(90), start + apart * i));
      seen.push_back(beat_of(std::chrono::hours(2), start + apart * i + Duration(1)));
    }
    return finds_two(seen);
  };
  EXPECT_TRUE(find(limits::clone_window / 2));
  EXPECT_FALSE(find(limits::clone_window / 2 + Duration(1)));
}

TEST(BootSecond, OfAnUptimeThatSaysNothingIsNone) {
  for (const double uptime : {0.0, -1.0, 1e18, std::nan(""), 1'800'000'000.0}) {
    EXPECT_EQ(boot_second(uptime, start), 0U) << uptime;
  }
  EXPECT_EQ(boot_second(60.5, start), 1'799'999'939U);
}

TEST(BootMove, BeginsBeyondTheTolerance) {
  constexpr std::uint32_t boot = 1'800'000'000;
  EXPECT_EQ(move_between(boot, boot + 300), BootMove::none);
  EXPECT_EQ(move_between(boot, boot + 301), BootMove::later);
  EXPECT_EQ(move_between(boot, boot - 300), BootMove::none);
  EXPECT_EQ(move_between(boot, boot - 301), BootMove::earlier);
  EXPECT_EQ(move_between(0, boot), BootMove::none);
  EXPECT_EQ(move_between(boot, 0), BootMove::none);
}

}  // namespace
}  // namespace muster::model
