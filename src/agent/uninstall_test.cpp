// SPDX-License-Identifier: Apache-2.0
// An agent goes from its host when the owner allows it, and not before that was told.
#include <gtest/gtest.h>

#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

struct LeavingWorld : FakeWorld {
  LeavingWorld() { settings.policy_allow = {"execute_command", "uninstall"}; }

  TaskId order(const std::string& command = "", int number = 1) {
    const std::string id = "0192c0de-0000-7000-8000-00000000000" + std::to_string(number);
    return server.add_task(id, R"({"id": ")" + id + R"(", "agent_id": ")" + server.agent_id +
                                   R"(", "type": "uninstall", "payload": {"command": ")" + command +
                                   R"(", "execution_timeout": 300}})");
  }
  /// A process that lives until it is to go, for an hour at most.
  Removal live() {
    rest.stop_at = rest.steady + std::chrono::hours(1);
    auto runner = make_runner(false);
    EXPECT_TRUE(runner->run().ok());
    return runner->removal();
  }
};

TEST(Uninstall, GoesOnceItsOutcomeIsAcknowledged) {
  LeavingWorld world;
  const TaskId task = world.order();
  EXPECT_EQ(world.live(), Removal::program);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  const std::size_t calls = world.server.calls.size();
  EXPECT_EQ(world.live(), Removal::program) << "killed before it went, it goes at its next start";
  EXPECT_EQ(world.server.calls.size(), calls) << "with a key that is ended there is nothing to say";
}

TEST(Uninstall, AHostThatIsEnrolledAnewStays) {
  LeavingWorld world;
  const TaskId task = world.order();
  ASSERT_EQ(world.live(), Removal::program);
  Identity anew = world.identity();
  world.server.agent_id = "0192c0de-aaaa-7000-8000-000000000002";
  anew.agent = AgentId{parse_uuid(world.server.agent_id).value()};
  world.files.write(Identity::file, encode_identity(anew));
  const std::size_t before = world.server.heartbeats.size();
  EXPECT_EQ(world.live(), Removal::none) << "that order was for the identity before it";
  EXPECT_GT(world.server.heartbeats.size(), before);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  world.order("", 2);
  EXPECT_EQ(world.live(), Removal::program) << "and this one can be uninstalled as well";
}

TEST(Uninstall, RecordsOfFormerVersionsNameNobody) {
  LeavingWorld world;
  const std::string file = Journal::file_of(world.order());
  ASSERT_EQ(world.live(), Removal::program);
  Record record = decode_record(*world.files.read(file)).value();
  record.removal_of.reset();
  world.files.write(file, encode_record(record));
  EXPECT_EQ(world.live(), Removal::none) << "who has an identity since then is not to go";
  record.delivered = false;
  world.files.write(file, encode_record(record));
  EXPECT_EQ(world.live(), Removal::program) << "what was not told yet is";
}

TEST(Uninstall, StaysUntilTheServerHasItsOutcome) {
  LeavingWorld world;
  const TaskId task = world.order();
  world.server.change = [](const Call& call, Answer& answer) {
    if (call.target.ends_with("/result")) answer = {503, {}, "{}"};
  };
  world.server.forgets_results = true;
  EXPECT_EQ(world.live(), Removal::none);
  world.server.change = {};
  world.server.forgets_results = false;
  world.server.tasks[task].came_back = false;
  EXPECT_EQ(world.live(), Removal::program);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(Uninstall, IsRefusedUnlessTheOwnerAllowsIt) {
  LeavingWorld world;
  world.settings.policy_allow = {"execute_command", "execute_test"};
  const TaskId task = world.order();
  EXPECT_EQ(world.live(), Removal::none);
  EXPECT_EQ(world.server.tasks[task].statuses, std::vector<std::string>{"failed"});
  EXPECT_NE(world.server.tasks[task].errors[0].find("does not allow uninstall"), std::string::npos);
}

TEST(Uninstall, TakesConfigurationOnlyIfBothSayIt) {
  for (const bool allowed : {false, true}) {
    for (const bool asked : {false, true}) {
      LeavingWorld world;
      world.settings.policy_purge_on_uninstall = allowed;
      world.order(asked ? "cleanup" : "");
      EXPECT_EQ(world.live(), allowed && asked ? Removal::all : Removal::program);
    }
  }
}

TEST(Uninstall, TakesNoFurtherWork) {
  LeavingWorld world;
  world.order("", 1);
  const TaskId other = world.server.add_command("true", 2);
  EXPECT_EQ(world.live(), Removal::program);
  EXPECT_EQ(world.executor.runs[other], 0);
}

TEST(Uninstall, NotWantedByTheServerIsNoOrder) {
  LeavingWorld world;
  const TaskId task = world.order();
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!call.target.ends_with("/result")) return;
    answer = {404, {}, R"({"success": false, "error": "Task not found", "code": "unknown_task"})"};
    world.server.tasks[task].cancelled = true;
  };
  EXPECT_EQ(world.live(), Removal::none);
}

TEST(Uninstall, NoCrashMakesItGoUntoldOrStay) {
  bool crashed = true;
  int points = 0;
  for (; crashed; ++points) {
    LeavingWorld world;
    const TaskId task = world.order();
    world.files.crash_at(points, points % 2 == 0);
    crashed = false;
    try {
      world.live();
    } catch (const testing::Crash&) {
      crashed = true;
      world.lose_power();
    }
    world.files.crash_never();
    EXPECT_EQ(world.live(), Removal::program) << points;
    EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << points;
  }
  EXPECT_GT(points, 3);
}

}  // namespace
}  // namespace muster::agent
