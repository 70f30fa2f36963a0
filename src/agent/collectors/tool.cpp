// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "agent/owned_fd.h"
#include "base/argv.h"

namespace muster::agent {

namespace {

/// How the child begins: our signals unblocked, in a process group of its own, with three streams.
class Start {
 public:
  explicit Start(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
    ::posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    constexpr auto flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  ~Start() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;

  pid_t spawn(const Tool& tool) const {
    std::vector<std::string> words = tool.arguments;
    words.insert(words.begin(), tool.program);
    std::vector<std::string> variables = tool.variables;
    variables.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    variables.emplace_back("LANG=C.UTF-8");
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, tool.program.c_str(), &actions_, &attributes_,
                                     argv_of(words).data(), argv_of(variables).data());
    return failed == 0 ? pid : -1;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// Becomes readable after `timeout`, whatever happens meanwhile.
OwnedFd make_timer(Duration timeout) {
  OwnedFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec at{};
  at.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  at.it_value.tv_nsec = timeout.count() % 1000 * 1'000'000 + 1;  // all zeros would be never
  if (!fd || ::timerfd_settime(fd.get(), 0, &at, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a timer");
  }
  return fd;
}

/// Waits until `fd` is readable; false when time is up or `stop` is true first.
bool await(int fd, int timer, const std::atomic<bool>& stop) {
  constexpr int slice_ms = 250;  // how long a stop may go unseen
  while (!stop) {
    std::array<pollfd, 2> watched = {{{fd, POLLIN, 0}, {timer, POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), slice_ms);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (watched[1].revents != 0) return false;
    if (watched[0].revents != 0) return true;
  }
  return false;
}

/// The output up to its end; nothing if that does not come in time, or is too long.
std::optional<std::string> read_output(const Tool& tool, int fd, int timer,
                                       const std::atomic<bool>& stop) {
  std::string output;
  std::array<char, 16384> block;
  while (await(fd, timer, stop)) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return output;
    output.append(block.data(), static_cast<std::size_t>(got));
    if (output.size() > tool.output_bytes) return std::nullopt;
  }
  return std::nullopt;
}

int reap(pid_t pid) {
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

std::optional<std::string> find_tool(const std::string& name) {
  for (const char* folder :
       {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    std::string path = folder + name;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    const bool ours = facts.st_uid == 0 || facts.st_uid == ::geteuid();
    const bool closed = (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (ours && closed && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

std::optional<std::string> run_tool(const Tool& tool, Bystanders& bystanders,
                                    const std::atomic<bool>& stop) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
  }
  const OwnedFd from(pipe_ends[0]);
  OwnedFd into(pipe_ends[1]);
  const OwnedFd timer = make_timer(tool.timeout);
  const Start start(into.get());
  const pid_t pid = bystanders.add([&] { return start.spawn(tool); });
  if (pid < 0) return std::nullopt;
  into.reset();
  const OwnedFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  auto output = read_output(tool, from.get(), timer.get(), stop);
  // It may close its output and not end.
  const bool ends = output && await(ended.get(), timer.get(), stop);
  int status = -1;
  bystanders.remove(pid, [&] {
    // Also what it left running in its group.
    ::kill(-pid, SIGKILL);
    status = reap(pid);
  });
  if (!ends || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return output;
}

}  // namespace muster::agent
