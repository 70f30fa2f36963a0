// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "agent/bounds.h"
#include "agent/executor/keeper.h"
#include "agent/executor/private_directory.h"
#include "agent/executor/process_tree.h"
#include "agent/executor/system_calls.h"
#include "agent/owned_fd.h"
#include "base/argv.h"
#include "base/limits.h"
#include "model/task_environment.h"

namespace muster::agent {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Duration steady_now() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

struct Pipe {
  OwnedFd read_end;
  OwnedFd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("cannot make a pipe");
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

/// Everything the child needs, made before fork(): after it, a child of a process with threads may
/// call nothing that allocates.
struct Launch {
  std::vector<std::string> variables;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::string directory;
  std::string shell = "/bin/sh";
  std::vector<std::string> words;
  std::vector<sock_filter> filter;
  Fence fence;
  pid_t parent = 0;
  int group_fd = -1;  // of the control group to join; -1: none
  int null_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  int failure_fd = -1;
};

/// A line for the shell, or a program.
struct Job {
  std::string line;
  const Variables& variables;
  const Program* program = nullptr;
};

/// Hardened hosts have /tmp so (CIS): a shell's lines run there, and no program starts.
bool is_mounted_noexec(const std::string& path) {
  struct statvfs facts {};
  return ::statvfs(path.c_str(), &facts) == 0 && (facts.f_flag & ST_NOEXEC) != 0;
}

/// The program as a file of the private directory, which is still ours, for the account that will
/// run it.
std::string bring_program(const Program& program, const Fence& fence,
                          const std::string& directory) {
  if (is_mounted_noexec(directory)) {
    errno = EACCES;
    fail("no program starts in a directory that is mounted noexec, as TMPDIR is here");
  }
  std::string path = directory + "/" + program.name;
  std::filesystem::copy_file(program.file, path);
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  constexpr mode_t own_only = 0500;
  const Account owner = fence.account.value_or(Account{::geteuid(), ::getegid()});
  if (!fd || ::fchmod(fd.get(), own_only) != 0 || ::fchown(fd.get(), owner.uid, owner.gid) != 0) {
    fail("cannot give away the program");
  }
  return path;
}

void prepare(Launch& launch, const Job& job, const std::string& directory) {
  launch.words = {"sh", "-c", "--", job.line};
  // Under its own name each stands once, so that programs do not choose.
  std::map<std::string, std::string> variables = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"LANG", "C.UTF-8"},
      {"HOME", directory},
      {"TMPDIR", directory}};
  if (job.program != nullptr) {
    launch.shell = bring_program(*job.program, launch.fence, directory);
    launch.words = job.program->arguments;
    launch.words.insert(launch.words.begin(), launch.shell);
    variables["F0_BUNDLE_DIR"] = directory;
  }
  for (const auto& [name, value] : job.variables) {
    if (!model::is_reserved_variable(name)) variables[name] = value;
  }
  for (const auto& [name, value] : variables) launch.variables.push_back(name + "=" + value);
  launch.directory = directory;
  launch.filter = command_filter();
  launch.arguments = argv_of(launch.words);
  launch.environment = argv_of(launch.variables);
}

// --- In the child, between fork() and execve(): async-signal-safe calls only -----------------

/// Tells the parent which step failed and why, and ends.
[[noreturn]] void give_up(int failure_fd, int step) {
  const std::array<int, 2> message = {step, errno};
  [[maybe_unused]] const auto written = ::write(failure_fd, message.data(), sizeof message);
  ::_exit(127);
}

/// As much as `value`, or the agent's own limit: beyond it goes only who has CAP_SYS_RESOURCE,
/// which the unit has not.
bool set_limit(__rlimit_resource which, std::uint64_t value) {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0) return false;
  const rlim_t most = std::min<rlim_t>(value, limit.rlim_max);
  limit = {most, most};
  return ::setrlimit(which, &limit) == 0;
}

bool drop_rights(const Account& account) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(account.gid, account.gid, account.gid) == 0 &&
         ::setresuid(account.uid, account.uid, account.uid) == 0 && ::setuid(0) != 0 &&
         ::setgid(0) != 0;
}

constexpr std::array<const char*, 12> step_names = {
    "redirect its streams",
    "start a session",
    "limit it",
    "enter its directory",
    "drop rights",
    "forbid new rights",
    "reset signals",
    "start the program",
    "limit its system calls",
    "join its control group",
    "close what is not its own, which takes Linux 5.9",
    "start its keeper"};

[[noreturn]] void become_command(const Launch& launch) {
  // The descriptor for failures goes to 3, the only one left above the streams, and closes by
  // itself when the shell starts.
  constexpr int report_fd = 3;
  const int failure_fd = ::fcntl(launch.failure_fd, F_DUPFD_CLOEXEC, 16);
  if (launch.group_fd >= 0 && ::write(launch.group_fd, "0", 1) != 1) give_up(failure_fd, 9);
  const int out = ::fcntl(launch.stdout_fd, F_DUPFD_CLOEXEC, 16);
  const int err = ::fcntl(launch.stderr_fd, F_DUPFD_CLOEXEC, 16);
  const int null = ::fcntl(launch.null_fd, F_DUPFD_CLOEXEC, 16);
  if (::dup3(failure_fd, report_fd, O_CLOEXEC) < 0) give_up(failure_fd, 0);
  if (::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) give_up(report_fd, 0);
  if (::syscall(SYS_close_range, 4U, ~0U, 0U) != 0) give_up(report_fd, 10);
  if (::setsid() < 0) give_up(report_fd, 1);
  ::umask(077);

  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) give_up(report_fd, 6);

  const Fence& fence = launch.fence;
  if (!set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_NOFILE, 1024) ||
      !set_limit(RLIMIT_FSIZE, fence.file_bytes_max) ||
      // Counted per user: without an account of their own it would count the owner's processes.
      (fence.account && !set_limit(RLIMIT_NPROC, fence.processes_max))) {
    give_up(report_fd, 2);
  }
  if (fence.account && !drop_rights(*fence.account)) give_up(report_fd, 4);
  if (::chdir(launch.directory.c_str()) != 0) give_up(report_fd, 3);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(report_fd, 5);
  // After the change of user, which clears it. If the keeper was killed in between, so is this.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(report_fd, 6);
  if (::getppid() != launch.parent) ::_exit(127);
  const sock_fprog filter = {static_cast<unsigned short>(launch.filter.size()),
                             const_cast<sock_filter*>(launch.filter.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) give_up(report_fd, 8);
  ::execve(launch.shell.c_str(), launch.arguments.data(), launch.environment.data());
  give_up(report_fd, 7);
}

// --- In the parent ---------------------------------------------------------------------------

/// One stream of output: keeps the first bytes, reads on to the end.
struct Stream {
  OwnedFd fd;
  std::string kept;
  bool truncated = false;

  static constexpr int block_bytes = 64 * 1024;  // what a pipe holds, as it is made

  /// Reads once; closes at the end. Not until nothing is there: whoever writes as fast as that
  /// would keep the time of the command, and its cancelling, from being seen to.
  bool take(std::size_t bytes_max) {
    std::array<char, block_bytes> block;
    ssize_t got = 0;
    do {
      got = ::read(fd.get(), block.data(), block.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      fd.reset();
      return false;
    }
    const std::size_t room = bytes_max - kept.size();
    const auto size = static_cast<std::size_t>(got);
    kept.append(block.data(), std::min(room, size));
    if (size > room) truncated = true;
    return true;
  }

  /// What those who have ended left in the pipe, and no more: others may still write to it.
  void take_rest(std::size_t bytes_max) {
    int left = fd ? ::fcntl(fd.get(), F_GETPIPE_SZ) : 0;
    for (; left > 0 && take(bytes_max); left -= block_bytes) continue;
  }
};

void make_nonblocking(int fd) {
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) fail("cannot set up a pipe");
}

enum class Ending { exited, timed_out, cancelled };

/// Reads output until the shell has ended, time is up, or somebody cancels.
Ending watch(int child_fd, int cancel_fd, Duration deadline, std::size_t bytes_max, Stream& out,
             Stream& err) {
  for (;;) {
    const Duration left = deadline - steady_now();
    if (left.count() <= 0) return Ending::timed_out;
    std::array<pollfd, 4> watched = {{{child_fd, POLLIN, 0},
                                      {cancel_fd, POLLIN, 0},
                                      {out.fd.get(), POLLIN, 0},
                                      {err.fd.get(), POLLIN, 0}}};
    constexpr std::int64_t one_hour_ms = 3600 * 1000;  // poll() counts in int
    const auto wait = static_cast<int>(std::min<std::int64_t>(left.count(), one_hour_ms));
    if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) fail("cannot wait");
    if (watched[2].revents != 0) out.take(bytes_max);
    if (watched[3].revents != 0) err.take(bytes_max);
    if (watched[1].revents != 0) return Ending::cancelled;
    if (watched[0].revents != 0) return Ending::exited;
  }
}

/// Why the child could not become the shell; empty if it did.
std::string start_failure(int failure_fd) {
  std::array<int, 2> message{};
  ssize_t got = 0;
  do {
    got = ::read(failure_fd, message.data(), sizeof message);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof message)) return {};
  const auto step = static_cast<std::size_t>(message[0]);
  return std::string("cannot ") + (step < step_names.size() ? step_names[step] : "start") + ": " +
         std::generic_category().message(message[1]);
}

/// What the program says of its controls; it may have left anything under that name.
std::string read_bundle_file(int directory) {
  const OwnedFd fd(
      ::openat(directory, "bundle_results.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  if (facts.st_size > static_cast<off_t>(bounds::bundle_bytes)) return {};
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void run_in(const PrivateDirectory& directory, const Job& job, Duration timeout, const Fence& fence,
            const Surroundings& around, int cancel_fd, Outcome& outcome) {
  const Result<TaskGroup> group = around.groups.begin();
  if (!group.ok()) {
    outcome.exit_code = -1;
    outcome.error = group.error().message;
    return;
  }
  Launch launch;
  launch.fence = fence;
  launch.group_fd = group->processes_fd();
  prepare(launch, job, directory.path());
  if (fence.account) directory.give_away(*fence.account);
  launch.parent = ::getpid();
  const OwnedFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) fail("cannot open /dev/null");
  Pipe out_pipe = make_pipe(), err_pipe = make_pipe(), failure_pipe = make_pipe();
  launch.null_fd = null.get();
  launch.stdout_fd = out_pipe.write_end.get();
  launch.stderr_fd = err_pipe.write_end.get();
  launch.failure_fd = failure_pipe.write_end.get();
  make_nonblocking(out_pipe.read_end.get());
  make_nonblocking(err_pipe.read_end.get());

  const pid_t child = ::fork();
  if (child < 0) fail("cannot start a process");
  if (child == 0) {
    launch.parent = begin_kept_command(launch.parent);
    if (launch.parent < 0) give_up(launch.failure_fd, 11);
    become_command(launch);
  }
  out_pipe.write_end.reset();
  err_pipe.write_end.reset();
  failure_pipe.write_end.reset();
  const OwnedFd child_fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const int why_unwatched = errno;
  outcome.error = start_failure(failure_pipe.read_end.get());
  if (!child_fd && outcome.error.empty()) {
    outcome.error = "cannot watch it: " + std::generic_category().message(why_unwatched);
  }
  Stream out{std::move(out_pipe.read_end), {}, false};
  Stream err{std::move(err_pipe.read_end), {}, false};
  Ending ending = Ending::exited;
  if (outcome.error.empty()) {
    ending = watch(child_fd.get(), cancel_fd, steady_now() + timeout, fence.output_bytes, out, err);
  }
  group->kill();
  const int wait_status = end_process_tree(child, around.bystanders);
  out.take_rest(fence.output_bytes);
  err.take_rest(fence.output_bytes);
  if (job.program != nullptr) outcome.bundle = read_bundle_file(directory.fd());

  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  if (ending == Ending::timed_out) {
    outcome.error = "killed after " + std::to_string(seconds) + " s (execution_timeout)";
  }
  if (ending == Ending::cancelled) outcome.error = "killed: the agent is stopping";
  if (ending == Ending::exited && group->ran_out_of_memory()) {
    outcome.error = "killed: it ran out of memory (executor.memory_bytes_max)";
  }
  outcome.exit_code = outcome.error.empty() ? exit_code_of(wait_status) : -1;
  outcome.stdout_text = std::move(out.kept);
  outcome.stderr_text = std::move(err.kept);
  outcome.stdout_truncated = out.truncated;
  outcome.stderr_truncated = err.truncated;
}

}  // namespace

Result<Account> find_account(const std::string& user) {
  std::vector<char> buffer(16 * muster::limits::KiB);
  passwd entry{};
  passwd* found = nullptr;
  const int failure = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failure != 0 || found == nullptr) {
    return invalid_field("executor.user", "there is no user \"" + user + "\" on this host");
  }
  if (entry.pw_uid == 0 || entry.pw_gid == 0) {
    return invalid_field("executor.user", "must not be root");
  }
  return Account{entry.pw_uid, entry.pw_gid};
}

CommandUser command_user(const std::string& named, bool is_default) {
  if (!is_default || find_account(named).ok()) return {named, false};
  return {"nobody", true};
}

namespace {

/// Makes orphans among the descendants children of this process, so that none gets away.
void adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("cannot adopt orphans");
}

Outcome run_job(const Job& job, Duration timeout, const Fence& fence, const Surroundings& around,
                int cancel_fd) {
  Outcome outcome;
  const SystemClock clock;
  outcome.started_at = clock.now();
  const Duration start = steady_now();
  try {
    adopt_orphans();
    const PrivateDirectory directory;
    run_in(directory, job, timeout, fence, around, cancel_fd, outcome);
  } catch (const std::system_error& failure) {
    outcome.exit_code = -1;
    outcome.error = failure.what();
  }
  outcome.completed_at = clock.now();
  outcome.took = steady_now() - start;
  return outcome;
}

}  // namespace

Outcome run_shell(const std::string& line, const Variables& variables, Duration timeout,
                  const Fence& fence, const Surroundings& around, int cancel_fd) {
  return run_job({line, variables, nullptr}, timeout, fence, around, cancel_fd);
}

Outcome run_program(const Program& program, Duration timeout, const Fence& fence,
                    const Surroundings& around, int cancel_fd) {
  return run_job({"", program.variables, &program}, timeout, fence, around, cancel_fd);
}

}  // namespace muster::agent
