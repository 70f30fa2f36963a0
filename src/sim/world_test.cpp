// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <set>
#include <string>

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
  std::set<std::string> waits_for{"enrolments",
                                  "results",
                                  "starts",
                                  "tasks.create",
                                  "tasks.cancel",
                                  "agents.disable",
                                  "agents.enable",
                                  "agents.rotate_key",
                                  "tokens.create",
                                  "keys.create",
                                  "feeds.import",
                                  "settings.set",
                                  "rotations by schedule",
                                  "agent lists",
                                  "heartbeats asked to wait",
                                  "agent crashes",
                                  "set-ups",
                                  "disk faults",
                                  "restarts"};
  for (std::uint64_t seed = 1; seed <= 12 && !waits_for.empty(); ++seed) {
    World world(seed, scenario_of(seed));
    world.run();
    if (world.lives() > 1) waits_for.erase("restarts");
    for (const auto& [what, times] : world.ledger().counts()) {
      if (times > 0) waits_for.erase(what);
    }
  }
  EXPECT_EQ(waits_for, std::set<std::string>());
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
