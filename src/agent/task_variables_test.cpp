// SPDX-License-Identifier: Apache-2.0
// The environment of a command: it reaches the command, and no disk.
#include <gtest/gtest.h>

#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

struct VariablesWorld : FakeWorld {
  explicit VariablesWorld(const std::string& env_vars) {
    const std::string id = "0192c0de-0000-7000-8000-000000000001";
    task =
        server.add_task(id, R"({"id": ")" + id + R"(", "agent_id": ")" + server.agent_id +
                                R"(", "type": "execute_command", "payload": {"command": "env", )" +
                                R"("execution_timeout": 60, "env_vars": )" + env_vars + "}}");
  }
  TaskId task;
};

TEST(TaskVariables, ReachTheCommand) {
  VariablesWorld world(R"({"TOKEN": "hush", "LANG": "C"})");
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.lines, std::vector<std::string>{"env"});
  EXPECT_EQ(world.executor.variables, (Variables{{"TOKEN", "hush"}, {"LANG", "C"}}));
  EXPECT_EQ(world.server.tasks[world.task].results.size(), 1U);
}

TEST(TaskVariables, AreOnNoDiskAndInNoLog) {
  VariablesWorld world(R"({"TOKEN": "hush"})");
  world.server.change = [&](const Call&, Answer&) {
    for (const auto& [name, content] : world.files.content) {
      EXPECT_EQ(content.find("hush"), std::string::npos) << name;
    }
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[world.task], 1);
  EXPECT_EQ(world.logged.find("hush"), std::string::npos);
}

TEST(TaskVariables, NamesThatNoTaskMaySetRefuseTheTaskWithTheReason) {
  for (const char* name : {"LD_PRELOAD", "PATH", "bash_env"}) {
    VariablesWorld world(std::string("{\"") + name + R"(": "/tmp/hush"})");
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(world.executor.runs[world.task], 0);
    const auto& errors = world.server.tasks[world.task].errors;
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_TRUE(errors[0].starts_with("refused: env_vars: ")) << errors[0];
    EXPECT_NE(errors[0].find(name), std::string::npos) << errors[0];
    EXPECT_EQ(errors[0].find("hush"), std::string::npos) << errors[0];
  }
}

TEST(TaskVariables, WhereThePowerFailsACommandRunsWithItsOwnVariablesOrNotAtAll) {
  int crashes = 0;
  for (int mutation = 0; mutation < 40; ++mutation) {
    for (const bool after : {false, true}) {
      VariablesWorld world(R"({"TOKEN": "hush"})");
      world.files.crash_at(mutation, after);
      if (!world.crashes_once()) continue;
      ++crashes;
      world.files.crash_never();
      ASSERT_TRUE(world.run_once().ok());
      EXPECT_LE(world.executor.runs[world.task], 1) << mutation;
      if (!world.executor.variables.empty()) {
        EXPECT_EQ(world.executor.variables, (Variables{{"TOKEN", "hush"}}));
      }
      for (const std::string& line : world.executor.lines) EXPECT_EQ(line, "env") << mutation;
      const auto& task = world.server.tasks[world.task];
      EXPECT_GE(task.results.size() + task.errors.size(), 1U) << "it is told either way";
    }
  }
  EXPECT_GT(crashes, 4);
}

}  // namespace
}  // namespace muster::agent
