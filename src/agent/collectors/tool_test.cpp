// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "agent/owned_fd.h"
#include "base/test_directory.h"
#include "base/text.h"

namespace muster::agent {
namespace {

class ToolTest : public testing::Test {
 protected:
  std::optional<std::string> run(const std::string& line,
                                 Duration timeout = std::chrono::minutes(1),
                                 std::size_t output_bytes = 100'000) {
    return run_tool({"/bin/sh", {"-c", line}, {"CACHE=/x"}, timeout, output_bytes}, bystanders_,
                    stop_);
  }

  Bystanders bystanders_;
  std::atomic<bool> stop_{false};
};

TEST_F(ToolTest, WhatItWritesIsRead) {
  EXPECT_EQ(run("echo \"$CACHE $LANG\"; echo noise >&2; cat"), "/x C.UTF-8\n");
  EXPECT_EQ(run("head -c 90000 /dev/zero").value_or("").size(), 90'000U);
}

TEST_F(ToolTest, AFailureIsNoOutput) {
  EXPECT_FALSE(run("echo partial; exit 3").has_value());
  EXPECT_FALSE(run("echo partial; kill -9 $$").has_value());
  EXPECT_FALSE(
      run_tool({"/no/such/program", {}, {}, std::chrono::minutes(1), 10}, bystanders_, stop_)
          .has_value());
}

TEST_F(ToolTest, TimeAndBytesAreBounded) {
  EXPECT_FALSE(run("sleep 1000", Duration(50)).has_value());
  EXPECT_FALSE(run("while :; do echo x; done", Duration(50), 1 << 30).has_value());
  EXPECT_FALSE(run("exec >&-; sleep 1000", Duration(50)).has_value()) << "closed, and goes on";
  EXPECT_FALSE(run("head -c 100001 /dev/zero; sleep 1000").has_value());
  stop_ = true;
  EXPECT_FALSE(run("sleep 1000").has_value());
}

TEST_F(ToolTest, NothingThatItStartedIsLeft) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/pid";
  EXPECT_TRUE(run("sleep 1000 >/dev/null & echo $! >" + file).has_value());
  std::string pid;
  std::ifstream(file) >> pid;
  // Whoever adopts an orphan reaps it, sooner or later: it must be dead, not gone.
  const OwnedFd orphan(static_cast<int>(
      syscall(SYS_pidfd_open, static_cast<pid_t>(parse_int(trim(pid)).value_or(0)), 0)));
  if (orphan) {
    pollfd ended = {orphan.get(), POLLIN, 0};
    EXPECT_EQ(poll(&ended, 1, 60'000), 1);
  }
  EXPECT_TRUE(bystanders_.with([](const auto& pids) { return pids.empty(); }));
}

TEST_F(ToolTest, NoDescriptorOfOursIsOpenInIt) {
  const OwnedFd secret(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(run("ls /proc/self/fd | wc -l").value_or(""), "4\n") << "three streams, and ls's own";
}

TEST(FindTool, OnlyWhatNobodyElseMayWriteIsRun) {
  EXPECT_TRUE(find_tool("sh").has_value());
  EXPECT_FALSE(find_tool("no-such-program-here").has_value());
}

}  // namespace
}  // namespace muster::agent
