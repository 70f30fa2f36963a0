// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <set>

#include "base/guarded.h"

namespace muster::agent {

/// Children of this process that are no part of a task's command: the programs that collectors ask
/// (collectors/tool.h). What ends a command with all its descendants leaves them and theirs alone.
/// Any thread may call.
class Bystanders {
 public:
  /// Starts one: `start` gives its pid, or -1. Nobody looks for a command's descendants meanwhile.
  template <typename F>
  pid_t add(F&& start) {
    return pids_.with([&](std::set<pid_t>& pids) {
      const pid_t pid = start();
      if (pid > 0) pids.insert(pid);
      return pid;
    });
  }
  /// It was reaped by `reap`, which runs before its pid can be another's.
  template <typename F>
  void remove(pid_t pid, F&& reap) {
    pids_.with([&](std::set<pid_t>& pids) {
      reap();
      pids.erase(pid);
    });
  }
  /// Those that live, and none begins or ends while `use` has them.
  template <typename F>
  auto with(F&& use) const {
    return pids_.with([&](const std::set<pid_t>& pids) { return use(pids); });
  }

 private:
  Guarded<std::set<pid_t>> pids_;
};

}  // namespace muster::agent
