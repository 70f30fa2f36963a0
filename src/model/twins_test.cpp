// SPDX-License-Identifier: Apache-2.0
// The split of two machines that have one key, walked through every state that reboots, lost
// answers, crashes before a key is saved and restarts of the server can lead them to.
#include <array>
#include <deque>
#include <iostream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "model/lineage.h"

namespace muster::model {
namespace {

constexpr std::int8_t none = -1;
/// Boots are numbered as they happen, the first two are of the machines as they were found.
constexpr std::int8_t last_boot = 5;

struct Machine {
  std::int8_t boot = 0;
  bool saved = false;    // the new agent's key is on its disk,
  bool held = false;     // and in its memory
  bool offered = false;  // an answer with it is on its way
  auto operator<=>(const Machine&) const = default;
  bool has_new_key() const { return saved || held || offered; }
};

struct World {
  std::array<Machine, 2> machines = {Machine{0, false, false, false},
                                     Machine{1, false, false, false}};
  std::int8_t boots = 1;                            // the last that happened
  std::int8_t older = 0, newer = 1, stray = none;   // as memory has them
  std::int8_t stored_older = 0, stored_newer = 1;   // as the store has
  std::array<std::int8_t, 2> heard = {none, none};  // boots heard with the old key since the offer
  std::int8_t done = none;                          // the machine that used the new key
  bool found_again = false;                         // what was known of the two was replaced
  auto operator<=>(const World&) const = default;
};

constexpr std::uint32_t second_of(std::int8_t boot) {
  return boot == none ? 0 : 1'800'000'000U + 1000U * static_cast<std::uint32_t>(boot);
}
constexpr std::int8_t boot_of(std::uint32_t second) {
  return second == 0 ? none : static_cast<std::int8_t>((second - 1'800'000'000U) / 1000U);
}

class Walk {
 public:
  explicit Walk(std::array<std::string, 2> names) : names_(std::move(names)) {}

  const std::set<World>& all() {
    reach(World{});
    while (!queue_.empty()) {
      const World world = queue_.front();
      queue_.pop_front();
      step(world);
    }
    return seen_;
  }

  /// A heartbeat with the key that the machine has.
  void beat(World& world, std::size_t who) const {
    Machine& machine = world.machines[who];
    if (machine.held) {
      if (world.done == none) world.done = static_cast<std::int8_t>(who);
      return;
    }
    world.heard[who] = machine.boot;
    if (world.done != none) return;
    Twins twins{{second_of(world.older), names_[0]},
                {second_of(world.newer), names_[1]},
                second_of(world.stray)};
    const Twin twin = recognise(twins, second_of(machine.boot), names_[who]);
    world.older = boot_of(twins.older.boot);
    world.newer = boot_of(twins.newer.boot);
    world.stray = boot_of(twins.stray);
    if (twin != Twin::newer) return;
    machine.offered = true;
    world.heard = {none, none};
  }

  /// Both were heard in turn again: what is known of them is what they were last.
  void find_again(World& world) const {
    if (world.done != none || world.heard[0] == none || world.heard[1] == none) return;
    // Where the names differ they go with the boots.
    if (!names_[0].empty() && names_[0] != names_[1]) {
      world.older = world.heard[0];
      world.newer = world.heard[1];
    } else {
      world.older = std::min(world.heard[0], world.heard[1]);
      world.newer = std::max(world.heard[0], world.heard[1]);
    }
    world.stored_older = world.older;
    world.stored_newer = world.newer;
    world.stray = none;
    world.found_again = true;
  }

  /// Without faults, for as long as it takes to find two machines.
  bool ends(World world) const {
    for (int round = 0; round < 2; ++round) {
      for (int beats = 0; beats < 3; ++beats) {
        for (std::size_t who = 0; who < 2; ++who) {
          Machine& machine = world.machines[who];
          if (machine.offered) take(machine);
          beat(world, who);
        }
      }
      find_again(world);
    }
    return world.done != none && !world.machines[1U - static_cast<std::size_t>(world.done)].held;
  }

 private:
  static void take(Machine& machine) {
    machine.offered = false;
    machine.held = machine.saved = true;
  }
  void reach(const World& world) {
    if (seen_.insert(world).second) queue_.push_back(world);
  }
  template <typename F>
  void move(const World& world, F&& change) {
    World next = world;
    change(next);
    reach(next);
  }
  void step(const World& world) {
    move(world, [&](World& next) { find_again(next); });
    move(world, [](World& next) {  // the server starts again
      next.older = next.stored_older;
      next.newer = next.stored_newer;
      next.stray = none;
      next.heard = {none, none};
    });
    for (std::size_t who = 0; who < 2; ++who) {
      const Machine& machine = world.machines[who];
      if (machine.offered) {
        move(world, [&](World& next) { take(next.machines[who]); });
        move(world, [&](World& next) { next.machines[who].offered = false; });  // lost
        move(world, [&](World& next) {  // taken, and not saved
          next.machines[who].offered = false;
          next.machines[who].held = true;
        });
      } else {
        move(world, [&](World& next) { beat(next, who); });
      }
      // The agent starts again, with what is on its disk; so does its machine.
      const auto restart = [&](World& next) {
        next.machines[who].offered = false;
        next.machines[who].held = next.machines[who].saved;
      };
      move(world, restart);
      if (world.boots == last_boot) continue;
      move(world, [&](World& next) {
        restart(next);
        next.machines[who].boot = ++next.boots;
      });
    }
  }

  std::array<std::string, 2> names_;
  std::set<World> seen_;
  std::deque<World> queue_;
};

class Split : public ::testing::TestWithParam<std::array<std::string, 2>> {};

TEST_P(Split, GivesTheNewKeyToOneMachineOnlyAndComesToAnEndInEveryState) {
  Walk walk(GetParam());
  const auto& worlds = walk.all();
  std::cout << worlds.size() << " states\n";
  ASSERT_GT(worlds.size(), 1000U);
  std::size_t split = 0;
  for (const World& world : worlds) {
    ASSERT_FALSE(world.machines[0].has_new_key() && world.machines[1].has_new_key())
        << "both would be one agent again";
    ASSERT_TRUE(walk.ends(world));
    if (world.done == none) continue;
    ++split;
    if (!world.found_again) {
      EXPECT_EQ(world.done, 1) << "the one that was there first stays who it is";
    }
  }
  EXPECT_GT(split, 0U);
}

INSTANTIATE_TEST_SUITE_P(Of, Split,
                         ::testing::Values(std::array<std::string, 2>{"m", "m"},
                                           std::array<std::string, 2>{"", ""},
                                           std::array<std::string, 2>{"first", "copy"}),
                         [](const auto& names) {
                           if (names.param[0].empty()) return "MachinesWithoutNames";
                           return names.param[0] == names.param[1] ? "MachinesOfOneName"
                                                                   : "MachinesOfTwoNames";
                         });

TEST(Recognise, ABootTellsOnlyWhatItCan) {
  const Twins known{{1000, "m"}, {9000, "m"}, 0};
  Twins twins = known;
  EXPECT_EQ(recognise(twins, 0, "m"), Twin::unknown) << "no uptime was sent";
  EXPECT_EQ(twins.stray, 0U);
  EXPECT_EQ(recognise(twins, 1300, "m"), Twin::older);
  EXPECT_EQ(recognise(twins, 8700, "m"), Twin::newer);
  EXPECT_EQ(recognise(twins, 20'000, "m"), Twin::unknown) << "one of them booted again";
  EXPECT_EQ(recognise(twins, 1000, "m"), Twin::older) << "and it was not this one";
  EXPECT_EQ(recognise(twins, 20'000, "m"), Twin::newer);
  EXPECT_EQ(recognise(twins, 9000, "m"), Twin::unknown) << "that boot is over";

  twins = known;
  EXPECT_EQ(recognise(twins, 20'000, "m"), Twin::unknown);
  EXPECT_EQ(recognise(twins, 9000, "m"), Twin::newer);
  EXPECT_EQ(recognise(twins, 20'000, "m"), Twin::older);

  twins = {{1000, "m"}, {1200, "m"}, 0};
  EXPECT_EQ(recognise(twins, 1100, "m"), Twin::unknown) << "both booted then";
}

TEST(Recognise, ANameThatOnlyOneHasTells) {
  Twins twins{{1000, "first"}, {9000, "copy"}, 0};
  EXPECT_EQ(recognise(twins, 20'000, "COPY"), Twin::newer);
  EXPECT_EQ(twins.newer.boot, 20'000U);
  EXPECT_EQ(recognise(twins, 20'000, "first"), Twin::older) << "they booted together";
  EXPECT_EQ(recognise(twins, 0, "copy"), Twin::newer);
  EXPECT_EQ(recognise(twins, 1000, "third"), Twin::unknown) << "the older one booted since";
}

}  // namespace
}  // namespace muster::model
