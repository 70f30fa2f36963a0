// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/keeper.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/bystanders.h"
#include "agent/executor/process_tree.h"

namespace muster::agent {

namespace {

constexpr int agent_ended = SIGTERM;  // as the kernel tells it; others may send it too

[[noreturn]] void keep(pid_t agent, pid_t command) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, agent_ended);
  for (;;) {
    ::sigwaitinfo(&awaited, nullptr);
    if (::getppid() != agent) {
      // This allocates, which after fork() is glibc's to allow (it does), not POSIX's.
      ::_exit(exit_code_of(end_process_tree(command, Bystanders())));
    }
    // What the command leaves running is the agent's to end, which adopts it.
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == command) ::_exit(exit_code_of(status));
    }
  }
}

}  // namespace

pid_t begin_kept_command(pid_t agent) {
  ::setsid();
  ::prctl(PR_SET_NAME, "muster-command");
  sigset_t all;
  sigfillset(&all);
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  const bool ready = ::sigprocmask(SIG_SETMASK, &all, nullptr) == 0 &&
                     ::sigaction(SIGCHLD, &plain, nullptr) == 0 &&
                     ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 &&
                     ::prctl(PR_SET_PDEATHSIG, agent_ended) == 0;
  if (!ready) return -1;
  if (::getppid() != agent) ::_exit(127);  // killed in between
  const pid_t keeper = ::getpid();
  const pid_t command = ::fork();
  if (command < 0) return -1;
  if (command == 0) return keeper;
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  keep(agent, command);
}

}  // namespace muster::agent
