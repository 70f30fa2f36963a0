// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "agent/executor/process.h"
#include "agent/owned_fd.h"
#include "base/test_directory.h"

namespace muster::agent {
namespace {

/// A process that does what an agent does to run a line, in a process group of its own.
class KilledAgent : public ::testing::Test {
 protected:
  void SetUp() override {
    // For whoever the command runs as.
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0711), 0);
    ASSERT_EQ(::mkfifo(words_.c_str(), 0600), 0);
    ASSERT_EQ(::chmod(words_.c_str(), 0622), 0);
    // Readable once something is written, and at its end once nobody has it open any more.
    ASSERT_EQ(::mkfifo(go_.c_str(), 0600), 0);
    ASSERT_EQ(::chmod(go_.c_str(), 0644), 0);
    alive_ = OwnedFd(::open(words_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(alive_);
  }
  void TearDown() override {
    if (agent_ > 0) ::waitpid(agent_, nullptr, 0);
  }

  void run(const std::string& line) {
    agent_ = ::fork();
    ASSERT_GE(agent_, 0);
    if (agent_ != 0) return;
    ::setpgid(0, 0);
    ::setenv("TMPDIR", folder_.path().c_str(), 1);
    Fence fence;
    fence.output_bytes = 1000;
    fence.processes_max = 256;
    fence.file_bytes_max = 1 << 20;
    if (::geteuid() == 0) fence.account = find_account("nobody").value();
    const Bystanders bystanders;
    const TaskGroups groups("none in this test");
    const OwnedFd cancel(::eventfd(0, EFD_CLOEXEC));
    run_shell(line, {}, std::chrono::minutes(10), fence, {bystanders, groups}, cancel.get());
    ::_exit(0);
  }
  /// What the command writes to the FIFO; empty once all that have it open have ended.
  std::string next_word() const {
    pollfd watched = {alive_.get(), POLLIN, 0};
    constexpr int patience_ms = 30'000;
    if (::poll(&watched, 1, patience_ms) != 1) return "(they live on)";
    char block[100];
    const ssize_t got = ::read(alive_.get(), block, sizeof block);
    return {block, got > 0 ? static_cast<std::size_t>(got) : 0};
  }

  TestDirectory folder_;
  std::string words_ = folder_.path() + "/alive";
  std::string go_ = folder_.path() + "/go";
  OwnedFd alive_;
  pid_t agent_ = -1;
};

/// All that a command may start: a child, one that nobody can find by its environment, one in a
/// session of its own whose parents have ended, and one that heeds no signal that it can ignore.
constexpr const char* all_kinds =
    "exec 3>$TMPDIR/../../alive\n"
    "sleep 60 &\n"
    "env -i setsid sleep 60 &\n"
    "(setsid sh -c 'sleep 60 & exit' &)\n"
    "(trap '' TERM HUP INT; sleep 60; sleep 60) &\n"
    "echo started >&3\n"
    "wait\n";

TEST_F(KilledAgent, TakesItsCommandWithItWhateverThatStarted) {
  run(all_kinds);
  ASSERT_EQ(next_word(), "started\n");
  ASSERT_EQ(::kill(agent_, SIGKILL), 0);
  EXPECT_EQ(next_word(), "");
}

TEST_F(KilledAgent, TakesItsCommandWithItAlsoIfItsWholeGroupIsKilled) {
  run(all_kinds);
  ASSERT_EQ(next_word(), "started\n");
  ASSERT_EQ(::kill(-agent_, SIGKILL), 0);
  EXPECT_EQ(next_word(), "");
}

TEST_F(KilledAgent, WhoEndsTheKeeperEndsTheCommand) {
  run("exec 3>$TMPDIR/../../alive; sleep 60 & echo $PPID >&3; wait");
  const pid_t keeper = std::stoi(next_word());
  ASSERT_NE(keeper, agent_);
  ASSERT_EQ(::kill(keeper, SIGKILL), 0);
  EXPECT_EQ(next_word(), "") << "the agent, which lives, ends what is left";
}

TEST_F(KilledAgent, AKeeperThatIsAskedToEndGoesOn) {
  run("exec 3>$TMPDIR/../../alive; echo $PPID >&3; read line <$TMPDIR/../../go; echo done >&3");
  const pid_t keeper = std::stoi(next_word());
  ASSERT_EQ(::kill(keeper, SIGTERM), 0);
  ASSERT_EQ(::kill(keeper, 0), 0);
  const OwnedFd fd(::open(go_.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(fd.get(), "go\n", 3), 3);
  EXPECT_EQ(next_word(), "done\n");
}

}  // namespace
}  // namespace muster::agent
