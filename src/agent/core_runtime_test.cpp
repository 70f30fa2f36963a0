// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/messages.h"
#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

model::Runtime runtime_of(int port) {
  model::Runtime runtime;
  runtime.listening = {{"tcp", "0.0.0.0", port, "sshd"}};
  return runtime;
}

std::string told(int port) {
  return R"({"listening": [{"protocol": "tcp", "address": "0.0.0.0", "port": )" +
         std::to_string(port) + R"(, "process": "sshd"}], "services": null})";
}

TEST(AgentRuntime, IsToldOnceTheServerHasSaidWhatItHas) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.reports.size(), 2U);
  EXPECT_EQ(world.server.reports[0].find("\"runtime\""), std::string::npos);
  EXPECT_NE(world.server.reports[1].find("\"delta\": true"), std::string::npos);
  EXPECT_EQ(world.server.runtimes, std::vector<std::string>{told(22)});
  EXPECT_EQ(world.server.runtime_hash, hash_of_runtime(runtime_of(22)));
}

TEST(AgentRuntime, UnchangedCostsNoCall) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  EXPECT_EQ(world.server.reports.size(), 2U);
}

TEST(AgentRuntime, AChangeIsToldThoughNoSoftwareChanged) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  world.host.runtime = runtime_of(2222);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.runtimes, (std::vector<std::string>{told(22), told(2222)}));
  EXPECT_EQ(world.server.reports.size(), 3U);
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentRuntime, AServerOfTheSeedIsToldNothing) {
  FakeWorld world;
  world.server.takes_runtimes = false;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  world.host.runtime = runtime_of(2222);
  ASSERT_TRUE(world.run_for(std::chrono::hours(3)).ok());
  EXPECT_EQ(world.server.reports.size(), 1U);
  EXPECT_EQ(world.server.reports[0].find("\"runtime\""), std::string::npos);
}

TEST(AgentRuntime, AServerThatLostItIsToldWithTheNextFullReport) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  world.server.runtime_hash.clear();
  world.server.force_full_scan = true;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.runtimes, (std::vector<std::string>{told(22), told(22)}));
}

TEST(AgentRuntime, AServerThatNeverTakesItInIsNotAskedForEver) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  world.server.change = [](const Call& call, Answer& answer) {
    if (call.target != "/api/agent/report") return;
    answer.body = R"({"status": "accepted", "asset_id": 1, "runtime_hash": "another"})";
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  // At most one for each look for changes.
  EXPECT_LE(world.server.reports.size(), 7U);
}

TEST(AgentRuntime, WhereItIsNotLookedAtNothingIsSaid) {
  FakeWorld world;
  world.host.runtime = model::Runtime{};
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.reports.size(), 1U);
  EXPECT_EQ(world.server.reports[0].find("runtime_hash"), std::string::npos);
}

TEST(AgentRuntime, WhatIsLookedAtNoMoreIsTakenBack) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  world.host.runtime = model::Runtime{};
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.runtimes.back(), R"({"listening": null, "services": null})");
}

TEST(AgentRuntime, WhatCannotBeReadStaysAsItWas) {
  FakeWorld world;
  world.host.runtime = runtime_of(22);
  ASSERT_TRUE(world.run_once().ok());
  world.host.runtime.reset();
  ASSERT_TRUE(world.run_for(std::chrono::hours(2)).ok());
  EXPECT_EQ(world.server.runtimes.size(), 1U);
}

}  // namespace
}  // namespace muster::agent
