// SPDX-License-Identifier: Apache-2.0
// What a server that serves nobody, or only this build not, means for a trial.
#include <optional>

#include <gtest/gtest.h>

#include "agent/testing/update_world.h"

namespace muster::agent {
namespace {

using testing::Behaviour;
using testing::day;
using testing::UpdateWorld;

TEST(AgentUpdate, ABusyServerEndsNoTrial) {
  for (const int status : {429, 500, 503}) {
    UpdateWorld world;
    world.publish("1.3.0", Behaviour::works);
    std::optional<Duration> began;
    world.server.change = [&](const Call&, Answer& answer) {
      if (world.version != "1.3.0") return;
      if (!began) began = world.rest.steady;
      if (world.rest.steady - *began < std::chrono::minutes(90)) answer = {status, {}, "{}"};
    };
    world.live_on(day);
    EXPECT_EQ(world.started, (std::vector<std::string>{"1.2.0", "1.3.0"})) << status;
    EXPECT_EQ(world.record().current->version, "1.3.0") << status;
  }
}

TEST(AgentUpdate, AServerThatAsksForPatienceTakesNoTimeFromATrial) {
  UpdateWorld world;
  world.server.next_in = "600";  // as long as the trial
  world.publish("1.3.0", Behaviour::works);
  world.live_on(day);
  EXPECT_EQ(world.started, (std::vector<std::string>{"1.2.0", "1.3.0"}));
  EXPECT_TRUE(world.record().failures.empty());
}

TEST(AgentUpdate, OneWhoseCallsTheServerFailsIsGivenUp) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.server.change = [&](const Call&, Answer& answer) {
    if (world.version == "1.3.0") answer = {500, {}, "{}"};  // a defect that only it meets
  };
  world.live_on(2 * day);
  EXPECT_EQ(world.started.back(), "1.2.0");
  EXPECT_EQ(world.record().failures.size(), 1U);
  EXPECT_GT(world.rest.steady, std::chrono::hours(48)) << "and the host was never lost";
}

TEST(AgentUpdate, AServerThatFailsEverybodyIsNoVerdict) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  std::optional<Duration> began;
  world.server.change = [&](const Call&, Answer& answer) {
    if (world.version == "1.3.0" && !began) began = world.rest.steady;
    if (began && world.rest.steady - *began < day) answer = {500, {}, "{}"};
  };
  world.live_on(3 * day);
  EXPECT_EQ(world.started.back(), "1.3.0");
  EXPECT_TRUE(world.record().failures.empty());
}

}  // namespace
}  // namespace muster::agent
