// SPDX-License-Identifier: Apache-2.0
// A disk that takes nothing costs what has to be written down, and not the host's presence.
#include <gtest/gtest.h>

#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

/// A host that has been at work, and whose disk takes nothing from now until `mended`.
struct FullWorld : FakeWorld {
  FullWorld() {
    EXPECT_TRUE(run_once().ok());
    rest.on_wait = [this] {
      if (rest.steady >= mended) files.read_only = false;
    };
  }
  Duration mended = rest.steady + std::chrono::minutes(30);
};

TEST(AgentDisk, ThatTakesNothingLeavesTheHostOnline) {
  FullWorld world;
  world.files.read_only = true;
  world.mended = std::chrono::hours(1000);
  const TaskId task = world.server.add_command("true");
  const std::size_t heartbeats = world.server.heartbeats.size();
  const std::size_t polls = world.server.count("/api/agent/tasks");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_GE(world.server.heartbeats.size(), heartbeats + 50);
  EXPECT_EQ(world.executor.runs[task], 0) << "it might run a second time";
  EXPECT_LE(world.server.count("/api/agent/tasks"), polls + 2) << "no further work is asked for";
}

TEST(AgentDisk, ThatWorksAgainLetsTheTaskRunInTheSameProcess) {
  FullWorld world;
  world.files.read_only = true;
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.executor.runs[task], 1);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_TRUE(world.files.content.contains(Journal::file_of(task)));
}

TEST(AgentDisk, ATaskWhoseStartCannotBeWrittenDownDoesNotRun) {
  FullWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target.ends_with("/status")) world.files.read_only = true;
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.executor.runs[task], 0);
  ASSERT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_NE(world.server.tasks[task].results[0].find("cannot write its state directory"),
            std::string::npos);
}

TEST(AgentDisk, AnOutcomeWaitsForTheDiskAndIsNotLost) {
  FullWorld world;
  const TaskId task = world.server.add_command("true");
  world.executor.next.stdout_text = "the outcome";
  world.rest.command_ended = [&] {
    if (world.executor.ended() && world.rest.steady < world.mended) world.files.read_only = true;
    return world.executor.ended();
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  ASSERT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_NE(world.server.tasks[task].results[0].find("the outcome"), std::string::npos);
}

TEST(AgentDisk, AKeyThatIsOnNoDiskIsNotUsed) {
  FullWorld world;
  world.files.read_only = true;
  world.mended = std::chrono::hours(1000);
  world.server.pending_key = "ak_new";
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.server.key, "ak_old") << "its first use would end the one that the disk has";
  world.files.read_only = false;
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.server.key, "ak_new");
}

TEST(AgentDisk, ThatTakesNothingFailsARunThatOnlyDoesWhatIsDue) {
  FullWorld world;
  world.files.read_only = true;
  world.server.add_command("true");
  const auto outcome = world.run_once();
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().message.find("cannot create"), std::string::npos);
}

TEST(AgentDisk, NoRestartForgetsWhatTheDiskDidNotTake) {
  FullWorld world;
  for (int number = 1; number <= 3; ++number) {
    world.server.add_command("true", number);
    world.files.read_only = true;
    ASSERT_TRUE(world.run_for(std::chrono::minutes(5)).ok());
  }
  world.files.read_only = false;
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  for (const auto& [id, task] : world.server.tasks) {
    EXPECT_EQ(world.executor.runs[id], 1);
    EXPECT_EQ(task.results.size(), 1U);
  }
}

TEST(AgentDisk, AFileThatItDoesNotGiveBackCostsWhatThatSaid) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.forgets_results = true;
  ASSERT_TRUE(world.run_for(std::chrono::minutes(5)).ok());
  ASSERT_EQ(world.executor.runs[task], 1);
  for (const auto& [name, content] : world.files.content) {
    if (name != Identity::file) world.files.damaged.insert(name);
  }
  ASSERT_GE(world.files.damaged.size(), 3U) << "its progress, its software and the task";
  const std::size_t heartbeats = world.server.heartbeats.size();
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_GE(world.server.heartbeats.size(), heartbeats + 50);
  EXPECT_EQ(world.executor.runs[task], 1) << "that task may have run";
  EXPECT_EQ(world.server.tasks[task].statuses.back(), "failed");
  EXPECT_EQ(world.server.software, world.expected_software());
  EXPECT_EQ(decode_progress(*world.files.read(Progress::file))->outcomes_lost, 1);
  EXPECT_TRUE(world.files.damaged.empty()) << "what replaced them can be read";
}

TEST(AgentDisk, AnOutcomeThatIsGoneFromItIsToldAsLostAndCounted) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.rest.on_wait = [&] {
    if (world.executor.ended()) return;
    // Written, and not delivered yet.
    if (world.executor.runs[task] == 1) world.files.damaged.insert(Journal::file_of(task));
  };
  world.server.change = [&](const Call& call, Answer& answer) {
    const bool result = call.target.ends_with("/result");
    if (result && world.rest.steady < std::chrono::hours(1) + std::chrono::minutes(5)) {
      answer = {503, {}, ""};
      world.server.tasks[task].results.clear();
    }
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(20)).ok());
  EXPECT_TRUE(world.server.tasks[task].results.empty());
  EXPECT_EQ(world.server.tasks[task].statuses.back(), "failed");
  EXPECT_EQ(decode_progress(*world.files.read(Progress::file))->outcomes_lost, 1);
}

TEST(AgentDisk, AnOutcomeThatTheServerRefusesForGoodIsCounted) {
  FakeWorld world;
  world.server.add_command("true");
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!call.target.ends_with("/result")) return;
    answer = {400, {}, R"({"success": false, "error": "no", "code": "validation"})"};
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(1)).ok());
  EXPECT_EQ(decode_progress(*world.files.read(Progress::file))->outcomes_lost, 1);
}

}  // namespace
}  // namespace muster::agent
