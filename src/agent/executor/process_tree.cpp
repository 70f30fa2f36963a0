// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/process_tree.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "agent/bounds.h"
#include "agent/files.h"
#include "base/text.h"

namespace muster::agent {

namespace {

struct Process {
  pid_t pid;
  pid_t parent;
};

std::vector<Process> read_processes() {
  std::vector<Process> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), &closedir);
  if (folder == nullptr) return processes;
  while (const dirent* entry = readdir(folder.get())) {
    const auto pid = parse_int(entry->d_name);
    if (!pid) continue;
    const auto stat =
        read_small_file("/proc/" + std::string(entry->d_name) + "/stat", bounds::proc_file_bytes);
    const auto parent = parse_parent(stat.value_or(""));
    if (parent) processes.push_back({static_cast<pid_t>(*pid), *parent});
  }
  return processes;
}

/// Without those that are `spared`, and without their descendants.
std::vector<Process> descendants_of(pid_t ancestor, const std::set<pid_t>& spared) {
  const auto processes = read_processes();
  std::vector<Process> found = {{ancestor, 0}};
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const Process& process : processes) {
      if (process.parent != found[next].pid || spared.contains(process.pid)) continue;
      const bool known = std::any_of(found.begin(), found.end(),
                                     [&](const Process& f) { return f.pid == process.pid; });
      if (!known) found.push_back(process);
    }
  }
  found.erase(found.begin());
  return found;
}

/// Reaps one child; false if it has not ended.
bool reap(pid_t pid, int options, pid_t child, int& wait_status) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(pid, &status, options);
  } while (ended < 0 && errno == EINTR);
  if (ended == pid && pid == child) wait_status = status;
  return ended == pid;
}

}  // namespace

std::optional<pid_t> parse_parent(std::string_view text) {
  const std::size_t end_of_name = text.rfind(')');  // "pid (name) state ppid ..."
  if (end_of_name == std::string_view::npos || end_of_name + 4 > text.size()) return std::nullopt;
  text.remove_prefix(end_of_name + 4);
  const auto parent = parse_int(text.substr(0, text.find(' ')));
  if (!parent) return std::nullopt;
  return static_cast<pid_t>(*parent);
}

int exit_code_of(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return -1;
}

int end_process_tree(pid_t child, const Bystanders& bystanders) {
  const pid_t self = ::getpid();
  int wait_status = 0;
  for (;;) {
    const std::vector<Process> left = bystanders.with(
        [&](const std::set<pid_t>& spared) { return descendants_of(self, spared); });
    if (left.empty()) return wait_status;
    // What ended by itself goes first: its own status counts, and its pid is not signalled again.
    bool reaped = false;
    for (const auto& [pid, parent] : left) {
      if (parent == self && reap(pid, WNOHANG, child, wait_status)) reaped = true;
    }
    if (reaped) continue;
    // Stopped first, so that the tree cannot grow while it is cut down.
    for (const Process& process : left) ::kill(process.pid, SIGSTOP);
    for (const Process& process : left) ::kill(process.pid, SIGKILL);
    for (const auto& [pid, parent] : left) {
      if (parent == self) reap(pid, 0, child, wait_status);
    }
  }
}

}  // namespace muster::agent
