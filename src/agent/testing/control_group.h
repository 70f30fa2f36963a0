// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace muster::agent::testing {

/// A folder with the files that the kernel gives a control group, as plain files.
inline void put_group(const std::filesystem::path& folder, const std::string& controllers,
                      const std::string& processes) {
  std::filesystem::create_directories(folder);
  for (const char* name : {"cgroup.subtree_control", "cgroup.kill", "memory.max", "memory.swap.max",
                           "memory.oom.group", "memory.events", "pids.max", "cpu.max"}) {
    std::ofstream(folder / name) << "";
  }
  std::ofstream(folder / "cgroup.controllers") << controllers;
  std::ofstream(folder / "cgroup.procs") << processes;
}

}  // namespace muster::agent::testing
