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

}  // namespace
}  // namespace muster::agent
