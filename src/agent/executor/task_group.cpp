// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/task_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "agent/bounds.h"
#include "agent/files.h"
#include "base/text.h"

namespace muster::agent {

namespace fs = std::filesystem;

namespace {

constexpr const char* leaf = "supervisor";  // this process's own group
constexpr const char* command_folder = "task";
constexpr mode_t folder_mode = 0755;

Error cannot(const std::string& what, const fs::path& path) {
  return Error{Errc::unavailable,
               what + " " + path.string() + ": " + std::generic_category().message(errno)};
}

/// A file of a group is there already, and takes what is written in one call.
Result<void> set(const fs::path& path, std::string_view value) {
  const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd || ::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return cannot("cannot write", path);
  }
  return {};
}

std::vector<std::string> words_of(const fs::path& path) {
  const std::string text = read_small_file(path, bounds::proc_file_bytes).value_or("");
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// The group in the hierarchy of version 2: "0::/system.slice/muster-agent.service".
std::optional<std::string> unified_path(std::string_view membership) {
  constexpr std::string_view mark = "0::/";
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    if (line.starts_with(mark)) return std::string(line.substr(mark.size()));
  }
  return std::nullopt;
}

Result<void> enter_leaf(const fs::path& base, const std::string& own_pid) {
  const fs::path own = base / leaf;
  if (::mkdir(own.c_str(), folder_mode) != 0 && errno != EEXIST) {
    return cannot("cannot make", own);
  }
  return set(own / "cgroup.procs", own_pid);
}

void leave_leaf(const fs::path& base, const std::string& own_pid) {
  [[maybe_unused]] const auto back = set(base / "cgroup.procs", own_pid);
  ::rmdir((base / leaf).c_str());
}

Result<void> limit(const fs::path& folder, const GroupLimits& limits) {
  const auto text = [](std::uint64_t value) {
    return value == 0 ? std::string("max") : std::to_string(value);
  };
  TRY(set(folder / "memory.max", text(limits.memory_bytes)));
  // What does not fit is not to move to the disk instead; a kernel without swap has no such file.
  if (limits.memory_bytes != 0) {
    [[maybe_unused]] const auto no_swap = set(folder / "memory.swap.max", "0");
  }
  // A command of which a part was ended is no command any more.
  TRY(set(folder / "memory.oom.group", "1"));
  TRY(set(folder / "pids.max", text(limits.processes)));
  constexpr std::uint64_t period_us = 100'000;
  const std::string quota =
      limits.cpu_percent == 0 ? "max" : std::to_string(limits.cpu_percent * period_us / 100);
  return set(folder / "cpu.max", quota + " " + std::to_string(period_us));
}

}  // namespace

TaskGroup::~TaskGroup() {
  if (folder_.empty()) return;
  kill();
  ::rmdir(folder_.c_str());
}

void TaskGroup::kill() const {
  if (folder_.empty()) return;
  // Before Linux 5.14 there is no such file; the scan of the process tree ends them all the same.
  [[maybe_unused]] const auto killed = set(folder_ / "cgroup.kill", "1");
}

bool TaskGroup::ran_out_of_memory() const {
  if (folder_.empty()) return false;
  const auto words = words_of(folder_ / "memory.events");
  const auto count = std::find(words.begin(), words.end(), "oom_kill");
  return count != words.end() && std::next(count) != words.end() && *std::next(count) != "0";
}

TaskGroups TaskGroups::take_over(const fs::path& mount, std::string_view membership, int pid,
                                 GroupLimits limits) {
  const auto path = unified_path(membership);
  if (!path) return TaskGroups("this host has no control groups of version 2");
  fs::path base = mount / *path;
  // Another build of this agent, whose process this is, was here before.
  if (base.filename() == leaf) base = base.parent_path();
  if (base.extension() != ".service") {
    return TaskGroups("this process is not the service of a unit of its own");
  }
  const auto controllers = words_of(base / "cgroup.controllers");
  for (const char* needed : {"memory", "pids", "cpu"}) {
    if (std::find(controllers.begin(), controllers.end(), needed) == controllers.end()) {
      return TaskGroups("its control group lacks the controller " + std::string(needed));
    }
  }
  const std::string own_pid = std::to_string(pid);
  for (const std::string& other : words_of(base / "cgroup.procs")) {
    if (other != own_pid) return TaskGroups("its control group holds other processes");
  }
  Result<void> done = enter_leaf(base, own_pid);
  if (done.ok()) done = set(base / "cgroup.subtree_control", "+memory +pids +cpu");
  if (done.ok()) return TaskGroups(std::move(base), limits);
  leave_leaf(base, own_pid);
  return TaskGroups(done.error().message);
}

Result<TaskGroup> TaskGroups::begin() const {
  if (!in_force()) return TaskGroup();
  const fs::path folder = base_ / command_folder;
  ::rmdir(folder.c_str());  // what an agent that was killed left, with its counters
  if (::mkdir(folder.c_str(), folder_mode) != 0 && errno != EEXIST) {
    return cannot("cannot make", folder);
  }
  OwnedFd processes(::open((folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!processes) return cannot("cannot open", folder / "cgroup.procs");
  TaskGroup group(folder, std::move(processes));
  TRY(limit(folder, limits_));
  return group;
}

}  // namespace muster::agent
