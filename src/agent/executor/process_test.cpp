// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/process.h"

#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "agent/executor/private_directory.h"
#include "agent/executor/process_tree.h"
#include "agent/executor/shell.h"
#include "agent/executor/system_calls.h"
#include "agent/files.h"
#include "agent/testing/control_group.h"
#include "base/test_directory.h"
#include "base/text.h"

namespace muster::agent {
namespace {

class ShellTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fence_.output_bytes = 1 << 20;
    fence_.processes_max = 256;
    fence_.file_bytes_max = 1 << 30;
    if (geteuid() == 0) fence_.account = find_account("nobody").value();
    cancel_ = OwnedFd(eventfd(0, EFD_CLOEXEC));
  }

  Outcome run(const std::string& line, Duration timeout = std::chrono::seconds(60),
              const Variables& variables = {}) {
    return run_shell(line, variables, timeout, fence_, {bystanders_, groups_}, cancel_.get());
  }

  /// A process that the command printed the id of: is it still there?
  static bool alive(const std::string& pid) {
    return ::kill(static_cast<pid_t>(parse_int(trim(pid)).value()), 0) == 0;
  }

  Fence fence_;
  Bystanders bystanders_;
  TaskGroups groups_{"none in this test"};
  OwnedFd cancel_;
};

TEST_F(ShellTest, ExitCodesAreTheCommandsOwn) {
  EXPECT_EQ(run("exit 0").exit_code, 0);
  EXPECT_EQ(run("exit 101").exit_code, 101);
  EXPECT_EQ(run("no-such-program-here").exit_code, 127);
  EXPECT_EQ(run("kill -9 $$").exit_code, 128 + 9);
  EXPECT_EQ(run("kill -9 $$").error, "");
}

TEST_F(ShellTest, ACommandHasTheVariablesOfItsTaskAndKeepsTheAgents) {
  const Outcome outcome =
      run("echo \"$TOKEN|$LANG|$LD_PRELOAD\"; echo $PATH", std::chrono::seconds(60),
          {{"TOKEN", "a b$c"}, {"LANG", "C"}, {"LD_PRELOAD", "/x"}, {"PATH", "/x"}});
  EXPECT_EQ(outcome.stdout_text,
            "a b$c|C|\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
      << outcome.stderr_text;
}

TEST_F(ShellTest, SystemCallsThatChangeTheMachineAreRefused) {
  // Each of these works, or fails with other words, without the filter.
  const Outcome outcome = run("unshare --user true; hostname changed; exit 0");
  EXPECT_NE(outcome.stderr_text.find("unshare failed: Operation not permitted"), std::string::npos)
      << outcome.stderr_text;
  const Outcome plain = run("(sleep 0 & wait; echo done) | cat");
  EXPECT_EQ(plain.stdout_text, "done\n") << "processes are made as ever";
}

TEST_F(ShellTest, TheFilterIsInForceForEveryDescendant) {
  const Outcome outcome = run("grep Seccomp: /proc/self/status; (grep Seccomp: /proc/self/status)");
  EXPECT_EQ(outcome.stdout_text, "Seccomp:\t2\nSeccomp:\t2\n");
}

TEST_F(ShellTest, AProgramRunsInItsDirectoryWithItsArgumentsAndLeavesItsBundle) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/0123";
  std::ofstream(file) << "#!/bin/sh\necho \"$1|$2|$TOKEN|$(pwd)\" >&2\n"
                         "echo '{\"bundle_id\": \"x\"}' >\"$F0_BUNDLE_DIR/bundle_results.json\"\n"
                         "exit 101\n";
  ASSERT_EQ(chmod(file.c_str(), 0700), 0);
  const Outcome outcome =
      run_program({file, "check", {"-v", "a b"}, {{"TOKEN", "secret"}}}, std::chrono::seconds(60),
                  fence_, {bystanders_, groups_}, cancel_.get());
  EXPECT_EQ(outcome.exit_code, 101) << outcome.error;
  EXPECT_TRUE(outcome.stderr_text.starts_with("-v|a b|secret|/")) << outcome.stderr_text;
  EXPECT_EQ(outcome.bundle, "{\"bundle_id\": \"x\"}\n");
}

TEST_F(ShellTest, AProgramThatCannotStartWhereItIsSaysThatItIsTheMount) {
  const TestDirectory directory;
  const std::string folder = directory.path() + "/noexec";
  std::filesystem::create_directory(folder);
  if (mount("none", folder.c_str(), "tmpfs", MS_NOEXEC, "mode=1777") != 0) {
    GTEST_SKIP() << "needs root that may mount";
  }
  const std::string file = directory.path() + "/0123";
  std::ofstream(file) << "#!/bin/sh\nexit 0\n";
  const char* before = getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  setenv("TMPDIR", folder.c_str(), 1);
  const Outcome outcome = run_program({file, "check", {}, {}}, std::chrono::seconds(60), fence_,
                                      {bystanders_, groups_}, cancel_.get());
  kept.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
  umount(folder.c_str());
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_NE(outcome.error.find("mounted noexec"), std::string::npos) << outcome.error;
}

TEST_F(ShellTest, ABundleThatIsALinkOrTooLargeIsNone) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/0123";
  for (const char* line : {"ln -s /etc/passwd $F0_BUNDLE_DIR/bundle_results.json",
                           "mkfifo $F0_BUNDLE_DIR/bundle_results.json",
                           "head -c 5000000 /dev/zero >$F0_BUNDLE_DIR/bundle_results.json"}) {
    std::ofstream(file) << "#!/bin/sh\n" << line << "\n";
    ASSERT_EQ(chmod(file.c_str(), 0700), 0);
    const Outcome outcome = run_program({file, "check", {}, {}}, std::chrono::seconds(60), fence_,
                                        {bystanders_, groups_}, cancel_.get());
    EXPECT_EQ(outcome.exit_code, 0) << line << outcome.stderr_text;
    EXPECT_EQ(outcome.bundle, "") << line;
  }
}

TEST_F(ShellTest, WhatACollectorStartedIsNoPartOfACommand) {
  const pid_t bystander = bystanders_.add([] {
    const pid_t pid = fork();
    if (pid == 0) {
      pause();
      _exit(0);
    }
    return pid;
  });
  ASSERT_GT(bystander, 0);
  const Outcome outcome = run("sleep 1000 & echo $!; exit 3");
  EXPECT_EQ(outcome.exit_code, 3) << outcome.error;
  EXPECT_FALSE(alive(outcome.stdout_text)) << "the command's own is ended as ever";
  int status = 0;
  EXPECT_EQ(waitpid(bystander, &status, WNOHANG), 0) << "neither ended nor reaped by others";
  bystanders_.remove(bystander, [&] {
    kill(bystander, SIGKILL);
    EXPECT_EQ(waitpid(bystander, &status, 0), bystander);
  });
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(ShellTest, ACommandJoinsItsControlGroupAndIsEndedWithIt) {
  const TestDirectory mount;
  const std::filesystem::path base = std::filesystem::path(mount.path()) / "a.service";
  testing::put_group(base, "memory pids cpu", "7\n");
  testing::put_group(base / "supervisor", "", "");
  testing::put_group(base / "task", "", "");
  groups_ = TaskGroups::take_over(mount.path(), "0::/a.service\n", 7, {1 << 20, 20, 50});
  ASSERT_TRUE(groups_.in_force()) << groups_.why_none();
  EXPECT_EQ(run("exit 4").exit_code, 4);
  EXPECT_EQ(read_small_file(base / "task/cgroup.procs", 100), "0");
  EXPECT_EQ(read_small_file(base / "task/cgroup.kill", 100), "1");

  std::ofstream(base / "task/memory.events") << "low 0\noom 1\noom_kill 1\n";
  const Outcome starved = run("exit 137");
  EXPECT_EQ(starved.exit_code, -1);
  EXPECT_EQ(starved.error, "killed: it ran out of memory (executor.memory_bytes_max)");

  std::filesystem::remove(base / "task/memory.max");
  const Outcome unlimited = run("echo ran");
  EXPECT_EQ(unlimited.exit_code, -1) << "without its limits it does not run";
  EXPECT_EQ(unlimited.stdout_text, "");
}

TEST_F(ShellTest, StreamsAreKeptApartAndInputIsEmpty) {
  const Outcome outcome = run("echo out; echo err >&2; cat; echo end");
  EXPECT_EQ(outcome.stdout_text, "out\nend\n");
  EXPECT_EQ(outcome.stderr_text, "err\n");
  EXPECT_FALSE(outcome.stdout_truncated);
}

TEST_F(ShellTest, ALineThatLooksLikeAnOptionIsACommand) {
  EXPECT_EQ(run("-x").exit_code, 127);
}

TEST_F(ShellTest, LargeOutputIsCutWithoutDeadlock) {
  fence_.output_bytes = 1000;
  const Outcome outcome =
      run("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo done >&2; exit 7");
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.stdout_text.size(), 1000U);
  EXPECT_EQ(outcome.stderr_text.size(), 1000U);
  EXPECT_TRUE(outcome.stdout_truncated);
  EXPECT_TRUE(outcome.stderr_truncated);
}

/// Opens the standard output of the process that `file` names, once it does, and writes to it.
void write_without_end(const std::string& file, const std::atomic<bool>& stop) {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  OwnedFd output;
  while (!output && !stop) {
    const auto pid = parse_int(trim(read_small_file(file, 100).value_or("")));
    if (pid) {
      const std::string stream = "/proc/" + std::to_string(*pid) + "/fd/1";
      output = OwnedFd(::open(stream.c_str(), O_WRONLY | O_CLOEXEC));
    }
    if (!output) std::this_thread::yield();
  }
  const std::string block(std::size_t{1} << 16U, 'x');
  while (!stop && ::write(output.get(), block.data(), block.size()) > 0) continue;
}

TEST_F(ShellTest, WhoWritesWithoutEndKeepsNoCommandFromItsEnd) {
  const TestDirectory shared;
  constexpr mode_t open_to_all = 0777;
  ASSERT_EQ(::chmod(shared.path().c_str(), open_to_all), 0);
  const std::string file = shared.path() + "/pid";
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) writers.emplace_back([&] { write_without_end(file, stop); });
  // Those writers are no part of the command, so its end is not theirs.
  const Outcome outcome = run("echo $$ > '" + file + "'; exec sleep 60", std::chrono::seconds(1));
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_NE(outcome.error.find("execution_timeout"), std::string::npos) << outcome.error;
  EXPECT_LT(outcome.took, std::chrono::seconds(20));
  EXPECT_LE(outcome.stdout_text.size(), fence_.output_bytes);
}

TEST_F(ShellTest, OutputOfExactlyTheLimitIsNotCut) {
  fence_.output_bytes = 1000;
  const Outcome outcome = run("head -c 1000 /dev/zero");
  EXPECT_EQ(outcome.stdout_text.size(), 1000U);
  EXPECT_FALSE(outcome.stdout_truncated);
}

TEST_F(ShellTest, TheEnvironmentIsClean) {
  ::setenv("MUSTER_TEST_SECRET", "hidden", 1);
  const Outcome outcome = run("env | sed 's/=.*//' | sort | tr '\\n' ' '; pwd; echo $HOME");
  ::unsetenv("MUSTER_TEST_SECRET");
  const std::string names = outcome.stdout_text.substr(0, outcome.stdout_text.find('/'));
  EXPECT_EQ(names, "HOME LANG PATH PWD TMPDIR ");  // PWD is the shell's own
  const std::string directories = outcome.stdout_text.substr(names.size());
  const std::string pwd = directories.substr(0, directories.find('\n'));
  EXPECT_EQ(directories, pwd + "\n" + pwd + "\n");
}

TEST_F(ShellTest, NoDescriptorOfTheAgentIsInherited) {
  const OwnedFd leaked(::open("/dev/null", O_RDONLY));  // on purpose without O_CLOEXEC
  ASSERT_GE(leaked.get(), 3);
  const Outcome outcome = run("ls /proc/self/fd | tr '\\n' ' '");
  EXPECT_EQ(outcome.stdout_text, "0 1 2 3 ");  // 3 is the one ls reads the folder with
}

TEST_F(ShellTest, ItsDirectoryIsPrivateAndGoneAfterwards) {
  const Outcome outcome = run("mkdir -p a/b && echo x > a/b/c && chmod 0 a && stat -c %a . && pwd");
  const std::size_t line = outcome.stdout_text.find('\n');
  EXPECT_EQ(outcome.stdout_text.substr(0, line), "700");
  const std::string path(trim(outcome.stdout_text.substr(line)));
  ASSERT_TRUE(path.starts_with("/"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PrivateDirectoryTest, WhatAKilledAgentLeftGoesAndWhatIsInUseStays) {
  const TestDirectory base;
  const char* former = std::getenv("TMPDIR");
  const std::string kept = former != nullptr ? former : "";
  ::setenv("TMPDIR", base.path().c_str(), 1);
  const std::string left = base.path() + "/muster-agent-abcdef";
  const std::string other = base.path() + "/muster-agent-bench-1";
  std::filesystem::create_directories(left + "/own/a");
  std::filesystem::create_directories(other);
  const std::string fresh = base.path() + "/muster-agent-fresh1";
  std::filesystem::create_directories(fresh);
  {
    const PrivateDirectory in_use;
    const std::string used = std::filesystem::path(in_use.path()).parent_path();
    for (const std::string& path : {left, other, used}) {
      const std::array<timespec, 2> hour_ago = {
          {{std::time(nullptr) - 3600, 0}, {std::time(nullptr) - 3600, 0}}};
      ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), hour_ago.data(), 0), 0);
    }
    remove_left_directories();
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(other)) << "of no command";
    EXPECT_TRUE(std::filesystem::exists(fresh)) << "it may be locked in a moment";
    EXPECT_TRUE(std::filesystem::exists(in_use.path()));
  }
  former != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
}

TEST_F(ShellTest, ItsDirectoryCannotBePutAwayForLater) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to drop rights from";
  const Outcome outcome = run("touch kept; pwd; cd ..; mv own away 2>/dev/null || echo refused");
  const std::size_t line = outcome.stdout_text.find('\n');
  EXPECT_EQ(outcome.stdout_text.substr(line + 1), "refused\n");
  const std::filesystem::path path = outcome.stdout_text.substr(0, line);
  EXPECT_EQ(path.filename(), "own");
  EXPECT_FALSE(std::filesystem::exists(path.parent_path()));
}

TEST_F(ShellTest, ATimeoutKillsGrandchildrenInSessionsOfTheirOwn) {
  const Outcome outcome = run("setsid sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000' & sleep 1000",
                              std::chrono::milliseconds(1500));
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_EQ(outcome.error, "killed after 1 s (execution_timeout)");
  ASSERT_FALSE(trim(outcome.stdout_text).empty());
  EXPECT_FALSE(alive(outcome.stdout_text));
}

TEST_F(ShellTest, WhatACommandLeavesRunningIsEndedWithIt) {
  const Outcome outcome = run("setsid sleep 1000 & echo $!");
  EXPECT_EQ(outcome.exit_code, 0);
  ASSERT_FALSE(trim(outcome.stdout_text).empty());
  EXPECT_FALSE(alive(outcome.stdout_text));
  EXPECT_LT(outcome.took, std::chrono::seconds(30));
}

TEST_F(ShellTest, CancellingEndsItAtOnce) {
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(cancel_.get(), &one, sizeof one), 8);
  const Outcome outcome = run("sleep 1000");
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_EQ(outcome.error, "killed: the agent is stopping");
}

TEST_F(ShellTest, RunsUnprivilegedWithoutAWayBack) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to drop rights from";
  const Outcome outcome = run("id -u; id -g; id -G; grep NoNewPrivs /proc/self/status");
  const std::string uid = std::to_string(fence_.account->uid);
  const std::string gid = std::to_string(fence_.account->gid);
  EXPECT_EQ(outcome.stdout_text, uid + "\n" + gid + "\n" + gid + "\nNoNewPrivs:\t1\n");
}

TEST_F(ShellTest, CannotReadTheAgentsState) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to drop rights from";
  const std::filesystem::path root =
      std::filesystem::path("/tmp") / ("muster-state-" + std::to_string(getpid()));
  DiskFiles files(root);
  files.write("identity.json", "secret");
  std::filesystem::permissions(root / "identity.json", std::filesystem::perms::all);
  const Outcome outcome = run("cat " + (root / "identity.json").string());
  std::filesystem::remove_all(root);
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(outcome.stdout_text, "");
}

TEST_F(ShellTest, FilesAndProcessesAreLimited) {
  fence_.file_bytes_max = 1000;
  EXPECT_NE(run("head -c 5000 /dev/zero > big").exit_code, 0);
  EXPECT_EQ(run("ulimit -c; ulimit -n").stdout_text, "0\n1024\n");
}

TEST_F(ShellTest, NoLimitIsBeyondTheAgentsOwn) {
  // In a process of its own, since not everybody can take back a limit.
  const auto run_limited = [&] {
    const rlimit mebibyte = {1 << 20, 1 << 20};
    const bool limited = ::setrlimit(RLIMIT_FSIZE, &mebibyte) == 0;
    const Outcome outcome = run("ulimit -f");  // in blocks of 512 octets (POSIX)
    std::cerr << outcome.stdout_text << outcome.error << "\n";
    std::_Exit(limited && outcome.stdout_text == "2048\n" ? 0 : 1);
  };
  EXPECT_EXIT(run_limited(), ::testing::ExitedWithCode(0), "");
}

TEST_F(ShellTest, WhatCannotStartSaysWhy) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  fence_.account = Account{0, 0};  // dropping to root must be noticed
  const Outcome outcome = run("id -u");
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_EQ(outcome.stdout_text, "");
  EXPECT_TRUE(outcome.error.starts_with("cannot drop rights")) << outcome.error;
}

TEST(Account, RootAndUnknownUsersAreRefused) {
  EXPECT_EQ(find_account("root").error().field, "executor.user");
  EXPECT_EQ(find_account("no-such-user-here").error().field, "executor.user");
}

TEST(Account, WithoutTheirOwnUserCommandsRunAsNobodyUnlessOneIsNamed) {
  const CommandUser missing = command_user("no-such-user-here", true);
  EXPECT_EQ(missing.name, "nobody");
  EXPECT_TRUE(missing.shared);
  EXPECT_EQ(command_user("no-such-user-here", false).name, "no-such-user-here");
  const CommandUser there = command_user("daemon", true);
  EXPECT_EQ(there.name, "daemon");
  EXPECT_FALSE(there.shared);
}

TEST(ProcessTree, ParentsAreFoundBehindAnyProgramName) {
  EXPECT_EQ(parse_parent("12 (a) b) (c) S 34 12"), 34);
  EXPECT_FALSE(parse_parent("12 (a) S").has_value());
  EXPECT_FALSE(parse_parent("").has_value());
}

TEST(SystemCalls, NoneIsMissingHereAndAFilterIsSeen) {
  EXPECT_EQ(missing_system_calls(), std::vector<std::string>{});
  const pid_t child = fork();
  if (child == 0) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(close_range), 0);
    if (seccomp_load(filter) != 0) _exit(99);
    _exit(missing_system_calls() == std::vector<std::string>{"close_range (Linux 5.9)"} ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ShellExecutor, RunsBesideItsCallerAndCanBeKilled) {
  Fence fence;
  fence.output_bytes = 1000;
  fence.processes_max = 256;
  fence.file_bytes_max = 1 << 20;
  const auto user = geteuid() == 0 ? std::optional<std::string>("nobody") : std::nullopt;
  const Bystanders bystanders;
  const TaskGroups groups("none in this test");
  ShellExecutor executor(fence, user, {bystanders, groups}, "/");
  const TaskId task{parse_uuid("0192c0de-0000-7000-8000-000000000001").value()};
  const auto wait = [&] {
    pollfd ended = {executor.ended_fd(), POLLIN, 0};
    ASSERT_EQ(poll(&ended, 1, 60'000), 1);
  };
  executor.start({task, "echo one", std::chrono::seconds(60)});
  wait();
  auto ended = executor.take_ended();
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->task, task);
  EXPECT_EQ(ended->outcome.stdout_text, "one\n");
  EXPECT_FALSE(executor.take_ended().has_value());

  executor.start({task, "sleep 1000", std::chrono::seconds(600)});
  executor.kill();
  wait();
  EXPECT_EQ(executor.take_ended()->outcome.exit_code, -1);
}

TEST(ShellExecutor, WithoutItsUserACommandFailsAndSaysSo) {
  const Bystanders bystanders;
  const TaskGroups groups("none in this test");
  ShellExecutor executor({}, "no-such-user-here", {bystanders, groups}, "/");
  executor.start({TaskId{}, "echo one", std::chrono::seconds(60)});
  pollfd waited = {executor.ended_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&waited, 1, 60'000), 1);
  const auto ended = executor.take_ended();
  EXPECT_EQ(ended->outcome.exit_code, -1);
  EXPECT_EQ(ended->outcome.stdout_text, "");
  EXPECT_NE(ended->outcome.error.find("no user \"no-such-user-here\""), std::string::npos)
      << ended->outcome.error;
}

}  // namespace
}  // namespace muster::agent
