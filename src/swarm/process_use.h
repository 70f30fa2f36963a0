// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace muster::swarm {

/// What a process has used so far (proc(5)).
struct ProcessUse {
  double cpu_seconds = 0;  // of all its threads, those that ended included
  std::uint64_t resident_bytes = 0;
  /// What it had the storage layer write: pages of files once they are dirty, so a page that is
  /// written twice before it reaches the disk counts once. 0 on file systems in memory.
  std::uint64_t written_bytes = 0;
};

/// Of process `pid` ("self" for this one); nothing when it is gone or may not be looked at.
std::optional<ProcessUse> read_process_use(const std::string& pid);

}  // namespace muster::swarm
