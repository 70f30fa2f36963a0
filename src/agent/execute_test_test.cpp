// SPDX-License-Identifier: Apache-2.0
// Tasks of the type execute_test: fetched, checked, run once, and told with what the test says.
#include <gtest/gtest.h>

#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

const std::string uuid = "0190f1c2-0000-7000-8000-00000000000a";
const std::string target = "/api/agent/binary/check?test_uuid=" + uuid;

struct TestWorld : FakeWorld {
  TestWorld() {
    settings.policy_allow = {"execute_test"};
    server.binaries[target] = program;
    executor.next.exit_code = 101;
    executor.next.bundle =
        R"({"bundle_id": ")" + uuid + R"(", "controls": [{"control_id": "c1", "exit_code": 101}]})";
    task = add(crypto::sha256(program).text());
  }

  TaskId add(const std::string& sha256) {
    return server.add_task("0192c0de-0000-7000-8000-000000000001",
                           R"({"id": "0192c0de-0000-7000-8000-000000000001", "agent_id": ")" +
                               server.agent_id + R"(", "type": "execute_test", "payload": {)" +
                               R"("test_uuid": ")" + uuid + R"(", "binary_name": "check", )" +
                               R"("binary_sha256": ")" + sha256 + R"(", "binary_size": )" +
                               std::to_string(program.size()) +
                               R"(, "arguments": ["-v"], "env_vars": {"TOKEN": "hush"}, )" +
                               R"("execution_timeout": 60}})");
  }
  std::vector<std::string>& results() { return server.tasks[task].results; }
  std::vector<std::string>& errors() { return server.tasks[task].errors; }

  std::string program = std::string(2500, 'x') + "end";
  TaskId task;
};

TEST(ExecuteTest, IsFetchedInPiecesRunOnceAndToldWithItsControls) {
  TestWorld world;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.count(target), 3U);
  EXPECT_EQ(world.executor.runs[world.task], 1);
  ASSERT_EQ(world.results().size(), 1U);
  const Json result = thread_json().parse(world.results()[0]).value();
  EXPECT_EQ(result.find("test_uuid")->string(), uuid);
  EXPECT_EQ(result.find("binary_sha256")->string(), crypto::sha256(world.program).text());
  EXPECT_EQ(result.find("exit_code")->integer(), 101);
  EXPECT_EQ(result.find("bundle_results")->find("controls")->size(), 1U);
  EXPECT_TRUE(world.files.list("tests").empty()) << "the program is gone";
}

TEST(ExecuteTest, SecretsOfATaskAreOnNoDisk) {
  TestWorld world;
  world.server.change = [&](const Call&, Answer&) {
    for (const auto& [name, content] : world.files.content) {
      EXPECT_EQ(content.find("hush"), std::string::npos) << name;
    }
  };
  ASSERT_TRUE(world.run_once().ok());
}

TEST(ExecuteTest, IsRefusedUnlessThePolicyAllowsIt) {
  TestWorld world;
  world.settings.policy_allow = {"execute_command"};
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[world.task], 0);
  EXPECT_EQ(world.server.count(target), 0U);
  EXPECT_NE(world.errors().back().find("execute_test"), std::string::npos);
}

TEST(ExecuteTest, AProgramThatIsNotTheOneNamedDoesNotRun) {
  TestWorld world;
  world.server.binaries[target][7] = 'y';
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[world.task], 0);
  EXPECT_NE(world.errors().back().find("digest"), std::string::npos);
  EXPECT_EQ(world.server.count(target), 6U) << "fetched a second time, then given up";
  EXPECT_TRUE(world.files.list("tests").empty());
}

TEST(ExecuteTest, AProgramThatIsGoneFailsTheTaskWithTheReason) {
  TestWorld world;
  world.server.binaries.clear();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_NE(world.errors().back().find("does not have it"), std::string::npos);
}

TEST(ExecuteTest, AServerThatSendsTheFirstPieceForEveryOneIsGivenUp) {
  TestWorld world;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target != target) return;
    const std::string total = std::to_string(world.program.size());
    answer = {206, {{"Content-Range", "bytes 0-999/" + total}}, world.program.substr(0, 1000)};
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.server.count(target), 2U);
  EXPECT_NE(world.errors().back().find("another piece"), std::string::npos);
  EXPECT_TRUE(world.files.list("tests").empty());
}

TEST(ExecuteTest, OnASlowLineItsPiecesGetSmaller) {
  TestWorld world;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target != target) return;
    if (answer.body.size() > 300) world.server.lost_answers.insert(world.server.calls.size() - 1);
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.executor.runs[world.task], 1);
  EXPECT_EQ(world.results().size(), 1U);
}

TEST(ExecuteTest, WhatCameOfAProgramGoesWhenTheRestDoesNot) {
  TestWorld world;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target == target && world.server.count(target) == 2) answer = {404, {}, "{}"};
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_NE(world.errors().back().find("does not have it"), std::string::npos);
  EXPECT_EQ(world.files.list("tests"), std::vector<std::string>{});
}

TEST(ExecuteTest, ABundleOfAnotherTestIsLeftOut) {
  TestWorld world;
  world.executor.next.bundle = R"({"bundle_id": "another", "controls": []})";
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.results().size(), 1U);
  EXPECT_EQ(world.results()[0].find("bundle_results"), std::string::npos);
}

TEST(ExecuteTest, AHeartbeatNamesItWhileItIsFetched) {
  TestWorld world;
  world.settings.intervals_heartbeat_seconds = 5;
  // The server is slow with its pieces: heartbeats fall due between two of them.
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target == target) world.rest.steady += std::chrono::seconds(30);
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(5)).ok());
  bool named = false;
  for (const std::string& beat : world.server.heartbeats) {
    named = named || beat.find(world.task.text()) != std::string::npos;
  }
  EXPECT_TRUE(named);
  EXPECT_EQ(world.results().size(), 1U);
}

TEST(ExecuteTest, AKillAtAnyChangeOfTheDiskNeverRunsItTwiceAndAlwaysTellsHowItEnded) {
  for (const bool after : {false, true}) {
    bool crashed = true;
    for (int at = 0; crashed; ++at) {
      TestWorld world;
      world.files.crash_at(at, after);
      crashed = world.crashes_once();
      world.files.crash_never();
      ASSERT_TRUE(world.run_once().ok()) << at;
      EXPECT_LE(world.executor.runs[world.task], 1) << at;
      EXPECT_TRUE(world.server.tasks[world.task].over()) << at;
      EXPECT_TRUE(world.files.list("tests").empty()) << at;
    }
  }
}

}  // namespace
}  // namespace muster::agent
