// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "agent/owned_fd.h"
#include "base/result.h"

namespace muster::agent {

/// Limits of all processes of one command together; 0 is none.
struct GroupLimits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t processes = 0;    // and threads
  std::uint64_t cpu_percent = 0;  // 100 is one processor
};

/// The control group of one command (cgroup v2, Documentation/admin-guide/cgroup-v2.rst). Without
/// one every call does nothing.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(std::filesystem::path folder, OwnedFd processes)
      : folder_(std::move(folder)), processes_(std::move(processes)) {}
  /// Ends what is left in it, and the group.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  TaskGroup(TaskGroup&& other) noexcept
      : folder_(std::exchange(other.folder_, {})), processes_(std::move(other.processes_)) {}

  /// A child joins by writing "0" here; -1: there is no group.
  int processes_fd() const { return processes_.get(); }
  /// Kills all its processes in one step, whatever they fork meanwhile.
  void kill() const;
  /// Whether the kernel ended any of them for the group's memory.
  bool ran_out_of_memory() const;

 private:
  std::filesystem::path folder_;
  OwnedFd processes_;
};

/// Where the groups of commands are made: below the control group of this process's own service,
/// if systemd delegated that (Delegate= of the unit).
class TaskGroups {
 public:
  /// There are none, and why: commands have the limits of setrlimit(2) alone.
  explicit TaskGroups(std::string why_none) : why_none_(std::move(why_none)) {}
  /// Moves this process into a leaf of its service's group, as the rule "no processes in inner
  /// groups" asks, and enables the controllers for those beside it. `mount` is where the hierarchy
  /// of version 2 is, `membership` the text of /proc/self/cgroup, `pid` this process. When anything
  /// of that is not to be had, all is left as it was and there are no groups.
  static TaskGroups take_over(const std::filesystem::path& mount, std::string_view membership,
                              int pid, GroupLimits limits);

  bool in_force() const { return !base_.empty(); }
  const std::string& why_none() const { return why_none_; }

  /// The group of the one command that runs. Fails with unavailable when it cannot be made or
  /// limited: a command without the limits that its host asks for is not run.
  Result<TaskGroup> begin() const;

 private:
  TaskGroups(std::filesystem::path base, GroupLimits limits)
      : base_(std::move(base)), limits_(limits) {}

  std::filesystem::path base_;
  GroupLimits limits_;
  std::string why_none_;
};

}  // namespace muster::agent
