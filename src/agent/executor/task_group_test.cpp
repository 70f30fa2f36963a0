// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/task_group.h"

#include <gtest/gtest.h>

#include "agent/files.h"
#include "agent/testing/control_group.h"
#include "base/test_directory.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;

class TaskGroupTest : public ::testing::Test {
 protected:
  TaskGroups take_over(std::string_view membership = "0::/system.slice/agent.service\n",
                       GroupLimits limits = {}) {
    return TaskGroups::take_over(mount_.path(), membership, 7, limits);
  }
  std::string content(const std::string& path) {
    return read_small_file(base_ / path, 1000).value_or("(no such file)");
  }

  TestDirectory mount_;
  fs::path base_ = fs::path(mount_.path()) / "system.slice/agent.service";
};

TEST_F(TaskGroupTest, TheAgentMovesIntoALeafAndEnablesTheControllers) {
  testing::put_group(base_, "cpuset cpu io memory pids\n", "7\n");
  testing::put_group(base_ / "supervisor", "", "");
  const TaskGroups groups = take_over("12:pids:/x\n0::/system.slice/agent.service\n");
  EXPECT_TRUE(groups.in_force()) << groups.why_none();
  EXPECT_EQ(content("supervisor/cgroup.procs"), "7");
  EXPECT_EQ(content("cgroup.subtree_control"), "+memory +pids +cpu");
}

TEST_F(TaskGroupTest, AnotherBuildOfTheSameProcessFindsItsPlace) {
  testing::put_group(base_, "cpu memory pids", "");
  testing::put_group(base_ / "supervisor", "", "7\n");
  EXPECT_TRUE(take_over("0::/system.slice/agent.service/supervisor\n").in_force());
  EXPECT_FALSE(fs::exists(base_ / "supervisor/supervisor"));
}

TEST_F(TaskGroupTest, WithoutADelegatedGroupAllStaysAsItIs) {
  const auto why = [&](std::string_view membership = "0::/system.slice/agent.service\n") {
    const TaskGroups groups = take_over(membership);
    EXPECT_FALSE(groups.in_force());
    EXPECT_FALSE(fs::exists(base_ / "supervisor"));
    return groups.why_none();
  };
  EXPECT_EQ(why("4:memory:/a\n"), "this host has no control groups of version 2");
  EXPECT_EQ(why("0::/\n"), "this process is not the service of a unit of its own");
  EXPECT_EQ(why("0::/user.slice/session-3.scope\n"),
            "this process is not the service of a unit of its own");
  testing::put_group(base_, "cpu pids", "7\n");
  EXPECT_EQ(why(), "its control group lacks the controller memory");
  testing::put_group(base_, "cpu memory pids", "7\n8\n");
  EXPECT_EQ(why(), "its control group holds other processes");
  // A group that is another's, or read-only: the new folder has no files to write.
  testing::put_group(base_, "cpu memory pids", "7\n");
  EXPECT_TRUE(why().starts_with("cannot write ")) << why();
}

TEST_F(TaskGroupTest, ACommandGetsItsLimits) {
  testing::put_group(base_, "cpu memory pids", "7\n");
  testing::put_group(base_ / "supervisor", "", "");
  testing::put_group(base_ / "task", "", "");
  {
    const auto groups = take_over("0::/system.slice/agent.service\n", {1 << 20, 20, 150});
    const auto group = groups.begin();
    ASSERT_TRUE(group.ok()) << group.error().message;
    EXPECT_GE(group->processes_fd(), 0);
    EXPECT_EQ(content("task/memory.max"), "1048576");
    EXPECT_EQ(content("task/memory.swap.max"), "0");
    EXPECT_EQ(content("task/memory.oom.group"), "1");
    EXPECT_EQ(content("task/pids.max"), "20");
    EXPECT_EQ(content("task/cpu.max"), "150000 100000");
    EXPECT_EQ(content("task/cgroup.kill"), "");
    EXPECT_FALSE(group->ran_out_of_memory());
  }
  EXPECT_EQ(content("task/cgroup.kill"), "1") << "what is left in it ends with the group";
  const auto unlimited = take_over().begin();
  ASSERT_TRUE(unlimited.ok());
  EXPECT_EQ(content("task/memory.max"), "max");
  EXPECT_EQ(content("task/cpu.max"), "max 100000");
}

TEST_F(TaskGroupTest, WithoutGroupsACommandHasNone) {
  const auto group = TaskGroups("not here").begin();
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->processes_fd(), -1);
  EXPECT_FALSE(group->ran_out_of_memory());
}

}  // namespace
}  // namespace muster::agent
