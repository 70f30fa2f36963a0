// SPDX-License-Identifier: Apache-2.0
// Enrolments that are repeated because their answers were lost, walked through every state that two
// machines can lead them to. Rotation is walked with the agent's side
// (agent/key_rotation_test.cpp).
#include "model/agent_keys.h"

#include <array>
#include <deque>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr int none = -1;

struct Machine {
  int held = none;    // the key on its disk
  int answer = none;  // on its way to the installer
  auto operator<=>(const Machine&) const = default;
};

struct World {
  int issued = 0;
  int used = none;  // the key that the agent has once one was used
  std::array<Machine, 2> machines;
  auto operator<=>(const World&) const = default;

  AgentKeys keys() const {
    AgentKeys keys;
    keys.issued = issued;
    keys.used = used != none;
    keys.current = used == none ? 0 : used;
    return keys;
  }
};

/// Whether the call is accepted.
bool call(World& world, int generation) {
  const AgentKeys keys = world.keys();
  if (use_of(keys, generation) == KeyUse::refused) return false;
  const AgentKeys after = after_use(keys, generation);
  world.used = static_cast<int>(after.current);
  return true;
}

/// Every world with so many answers that `count` machines reach which enrol with the same token and
/// look the same. An agent is stopped while its installer runs.
std::set<World> worlds_of(std::size_t count, std::int64_t answers = enrolment_repeats) {
  std::set<World> seen;
  std::deque<World> queue;
  const auto reach = [&](const World& world) {
    if (seen.insert(world).second) queue.push_back(world);
  };
  World first;
  first.machines[0].answer = 0;
  reach(first);
  while (!queue.empty()) {
    const World world = queue.front();
    queue.pop_front();
    World next = world;
    if (may_repeat(world.keys()) && world.issued < answers) {
      // A proxy repeats the request, and nobody hears the answer.
      next.issued = static_cast<int>(repeated(world.keys()).issued);
      reach(next);
    }
    for (std::size_t who = 0; who < count; ++who) {
      const Machine& machine = world.machines[who];
      next = world;
      if (may_repeat(world.keys()) && world.issued < answers) {
        // The installer is run again; who waited for an answer is gone.
        next.issued = static_cast<int>(repeated(world.keys()).issued);
        next.machines[who].answer = next.issued;
        reach(next);
      }
      if (machine.answer != none) {
        next = world;
        next.machines[who] = {machine.answer, none};
        reach(next);
        next.machines[who] = {machine.held, none};  // lost
        reach(next);
      }
      if (machine.held != none && machine.answer == none) {
        next = world;
        call(next, machine.held);
        reach(next);
      }
    }
  }
  return seen;
}

TEST(RepeatedEnrolment, LocksTheMachineOutInNoState) {
  const std::set<World> worlds = worlds_of(1);
  std::cout << worlds.size() << " states\n";
  ASSERT_GT(worlds.size(), 100U);
  for (World world : worlds) {
    const Machine machine = world.machines[0];
    if (machine.held != none) {
      EXPECT_TRUE(call(world, machine.held));
    } else if (machine.answer == none) {
      // Nothing has reached it: it may ask again until the bound.
      EXPECT_TRUE(may_repeat(world.keys()) || world.issued == enrolment_repeats);
    }
    if (machine.answer != none && world.used == none) {
      EXPECT_TRUE(call(world, machine.answer));
    }
  }
}

TEST(RepeatedEnrolment, GivesOneAgentHoweverManyMachinesAsk) {
  const std::set<World> worlds = worlds_of(2, 5);
  std::cout << worlds.size() << " states\n";
  std::size_t ended = 0;
  for (const World& world : worlds) {
    ASSERT_LE(world.issued, enrolment_repeats);
    if (world.used == none) continue;
    EXPECT_FALSE(may_repeat(world.keys())) << "whose key was used has its answer";
    for (int generation = 0; generation <= world.issued + 1; ++generation) {
      World later = world;
      EXPECT_EQ(call(later, generation), generation == world.used);
      EXPECT_EQ(later, world) << "a use changes nothing any more";
      if (generation != world.used) ++ended;
    }
  }
  EXPECT_GT(ended, 0U);
}

TEST(RepeatedEnrolment, ANewKeyIsNeverOneThatAnAnswerCarried) {
  for (const World& world : worlds_of(2, 5)) {
    const AgentKeys offered = rotated(world.keys());
    EXPECT_GT(*offered.offered, world.issued);
    EXPECT_FALSE(may_repeat(offered)) << "an operator is at work";
    const AgentKeys after = after_use(offered, *offered.offered);
    for (int generation = 0; generation <= world.issued; ++generation) {
      EXPECT_EQ(use_of(after, generation), KeyUse::refused);
    }
  }
}

TEST(RepeatedEnrolment, OneOfTheOtherKeysIsRememberedAsFormer) {
  AgentKeys keys;
  keys.issued = 2;
  EXPECT_EQ(after_use(keys, 0).former, 2);
  EXPECT_EQ(after_use(keys, 2).former, 1);
  keys.issued = 0;
  EXPECT_EQ(after_use(keys, 0).former, std::nullopt);
}

}  // namespace
}  // namespace muster::model
