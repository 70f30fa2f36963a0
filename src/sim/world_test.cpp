// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <map>

#include <gtest/gtest.h>

namespace muster::sim {
namespace {

std::string explain(std::uint64_t seed, const World& world) {
  std::string text = "./check sim --seed " + std::to_string(seed) + "\n";
  for (const Breach& breach : world.ledger().breaches()) {
    text += std::string(claim_sentence(breach.claim)) + " " + breach.detail + "\n";
  }
  return text;
}

class Seeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Seeds, KeepEveryClaim) {
  World world(GetParam(), scenario_of(GetParam()));
  world.run();
  EXPECT_TRUE(world.ledger().breaches().empty()) << explain(GetParam(), world);
}

INSTANTIATE_TEST_SUITE_P(Twenty, Seeds, testing::Range<std::uint64_t>(1, 21));

TEST(World, GivesEverythingAChanceToHappen) {
  std::map<std::string, int> happened;
  int restarts = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    World world(seed, scenario_of(seed));
    world.run();
    restarts += world.lives() - 1;
    for (const auto& [what, times] : world.ledger().counts()) happened[what] += times;
  }
  EXPECT_GT(restarts, 0);
  for (const char* what : {"enrolments", "results", "starts", "tasks.create", "tasks.cancel",
                           "agents.disable", "agents.enable", "agents.rotate_key", "tokens.create",
                           "keys.create", "feeds.import", "settings.set", "rotations by schedule",
                           "agent lists", "agent crashes", "set-ups", "disk faults"}) {
    EXPECT_GT(happened[what], 0) << what;
  }
}

TEST(World, IsTheSameForTheSameSeed) {
  const auto hash = [](std::uint64_t seed) {
    World world(seed, scenario_of(seed));
    world.run();
    return world.trace().hash();
  };
  const std::uint64_t first = hash(3);
  EXPECT_EQ(hash(3), first);
  EXPECT_NE(hash(4), first);
}

}  // namespace
}  // namespace muster::sim
