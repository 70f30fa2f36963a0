// SPDX-License-Identifier: Apache-2.0
// How the agent keeps to the pace that the server asks for (docs/adr/0034).
#include <gtest/gtest.h>

#include "agent/core.h"
#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeServer;
using testing::FakeWorld;
using testing::reason_of;

/// Between each call of that path and the next.
std::vector<Duration> waits_between(const FakeServer& server, std::string_view path) {
  std::vector<Duration> waits;
  std::optional<Duration> last;
  for (std::size_t i = 0; i < server.calls.size(); ++i) {
    if (server.calls[i].target != path) continue;
    if (last) waits.push_back(server.moments[i] - *last);
    last = server.moments[i];
  }
  return waits;
}

TEST(AgentPace, HeartbeatsAndPollsWaitAsLongAsTheServerAsks) {
  FakeWorld world;
  world.server.next_in = "120";
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  for (const std::string_view path : {"/api/agent/heartbeat", "/api/agent/tasks"}) {
    const std::vector<Duration> waits = waits_between(world.server, path);
    EXPECT_GE(waits.size(), 25U) << path;
    EXPECT_GE(std::set<Duration>(waits.begin(), waits.end()).size(), 10U) << "no two in step";
    for (const Duration wait : waits) {
      EXPECT_GE(wait, std::chrono::seconds(120)) << path;
      EXPECT_LE(wait, std::chrono::seconds(135)) << path;
    }
  }
}

TEST(AgentPace, IsTheAgentsOwnAgainOnceTheServerAsksForNothing) {
  FakeWorld world;
  world.server.next_in = "120";
  const Duration start = world.rest.steady;
  world.rest.on_wait = [&] {
    if (world.rest.steady - start > std::chrono::minutes(10)) world.server.next_in.clear();
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(30)).ok());
  // Some six of each, and then one in 60 and one in 30 s.
  EXPECT_GE(world.server.heartbeats.size(), 21U);
  EXPECT_GE(world.server.count("/api/agent/tasks"), 35U);
}

TEST(AgentPace, AnEarlierMomentThanItsOwnChangesNothing) {
  FakeWorld world;
  world.server.next_in = "1";
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  const std::vector<Duration> waits = waits_between(world.server, "/api/agent/heartbeat");
  EXPECT_GE(waits.size(), 58U);
  // The first ends at the agent's own phase (agent/phase_test.cpp).
  for (std::size_t i = 1; i < waits.size(); ++i) EXPECT_EQ(waits[i], std::chrono::seconds(60)) << i;
  EXPECT_EQ(world.logged.find("next_in_refused"), std::string::npos);
}

TEST(AgentPace, WhatNoServerOfOursAsksForIsRefusedAndLogged) {
  for (const char* absurd : {"601", "86400", "9223372036854775807", "-1"}) {
    FakeWorld world;
    world.server.next_in = absurd;
    ASSERT_TRUE(world.run_for(std::chrono::minutes(20)).ok());
    EXPECT_GE(world.server.heartbeats.size(), 17U) << absurd;
    EXPECT_NE(world.logged.find("next_in_refused"), std::string::npos) << absurd;
  }
  // Of another type it is no number of seconds at all.
  for (const char* unreadable : {"\"120\"", "null", "120.5", "{}"}) {
    FakeWorld world;
    world.server.next_in = unreadable;
    ASSERT_TRUE(world.run_for(std::chrono::minutes(20)).ok());
    EXPECT_GE(world.server.heartbeats.size(), 17U) << unreadable;
  }
}

TEST(AgentPace, WorkInHandIsDoneMeanwhile) {
  FakeWorld world;
  world.server.next_in = "600";
  const TaskId task = world.server.add_command("true");
  // A heartbeat, the poll that was due with it, and perhaps ten minutes later the call that ends
  // the run: all else of the task waits for no clock.
  ASSERT_TRUE(world.run_for(std::chrono::minutes(5)).ok());
  EXPECT_LE(world.server.heartbeats.size(), 2U);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(AgentPace, NobodyWaitsForItWhoRunsTheAgentOnce) {
  FakeWorld world;
  world.server.next_in = "600";
  const Duration start = world.rest.steady;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_LT(world.rest.steady - start, std::chrono::minutes(1));
}

TEST(AgentPace, AWaitThatTheServerAskedForIsNoGap) {
  FakeWorld world;
  world.server.next_in = "200";
  bool lose = false;  // the first try of each heartbeat but the first
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target != "/api/agent/heartbeat") return;
    if (lose) answer = {502, {}, "bad gateway"};
    lose = !lose;
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(40)).ok());
  EXPECT_GE(world.server.heartbeats.size(), 20U);
  for (const std::string& heartbeat : world.server.heartbeats) {
    EXPECT_NE(reason_of(heartbeat), "network_recovery");
  }
}

}  // namespace
}  // namespace muster::agent
