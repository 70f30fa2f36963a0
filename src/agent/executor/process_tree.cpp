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
#include <utility>
#include <vector>

#include "agent/bounds.h"
#include "agent/files.h"
#include "base/text.h"

namespace muster::agent {

namespace {

/// All processes and their parents.
std::vector<std::pair<pid_t, pid_t>> read_processes() {
  std::vector<std::pair<pid_t, pid_t>> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), &closedir);
  if (folder == nullptr) return processes;
  while (const dirent* entry = readdir(folder.get())) {
    const auto pid = parse_int(entry->d_name);
    if (!pid) continue;
    const auto stat =
        read_small_file("/proc/" + std::string(entry->d_name) + "/stat", bounds::proc_file_bytes);
    const auto parent = parse_parent(stat.value_or(""));
    if (parent) processes.emplace_back(static_cast<pid_t>(*pid), *parent);
  }
  return processes;
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  const auto processes = read_processes();
  std::vector<pid_t> found = {ancestor};
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const auto& [pid, parent] : processes) {
      const bool known = std::find(found.begin(), found.end(), pid) != found.end();
      if (parent == found[next] && !known) found.push_back(pid);
    }
  }
  found.erase(found.begin());
  return found;
}

/// Reaps one child; false if none has ended, or none is left when it may wait.
bool reap(pid_t child, int options, int& wait_status) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(-1, &status, options);
  } while (ended < 0 && errno == EINTR);
  if (ended == child) wait_status = status;
  return ended > 0;
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

int end_process_tree(pid_t child) {
  int wait_status = 0;
  for (;;) {
    // What ended by itself goes first: its own status counts, and its pid is not signalled again.
    while (reap(child, WNOHANG, wait_status)) continue;
    const std::vector<pid_t> left = descendants_of(::getpid());
    if (left.empty()) return wait_status;
    // Stopped first, so that the tree cannot grow while it is cut down.
    for (const pid_t pid : left) ::kill(pid, SIGSTOP);
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    reap(child, 0, wait_status);
  }
}

}  // namespace muster::agent
