// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace muster::agent {

/// How a host and this process are, for heartbeats (device-endpoints.txt, `system`).
struct Vitals {
  std::int64_t uptime_seconds = 0;
  std::int64_t cpu_percent = 0;  // of all processors, since the last measurement
  std::int64_t memory_mb = 0;    // in use
  std::int64_t total_memory_mb = 0;
  std::int64_t disk_free_mb = 0;         // of the root file system, for unprivileged users
  std::int64_t process_cpu_percent = 0;  // of one processor, since the last measurement
  std::int64_t process_memory_mb = 0;    // resident
};

/// Clock ticks of all processors since boot: the first line of /proc/stat (proc(5)).
struct CpuTicks {
  std::int64_t busy = 0;
  std::int64_t total = 0;
};
std::optional<CpuTicks> parse_cpu_ticks(std::string_view proc_stat);

struct MemoryUse {
  std::int64_t total_mb = 0;
  std::int64_t used_mb = 0;  // total without MemAvailable
};
/// /proc/meminfo; nothing if it lacks MemTotal or MemAvailable.
std::optional<MemoryUse> parse_memory(std::string_view proc_meminfo);

/// Whole seconds of /proc/uptime.
std::optional<std::int64_t> parse_uptime(std::string_view proc_uptime);

/// Ticks of user and system time in /proc/self/stat; the program's name may hold anything.
std::optional<std::int64_t> parse_process_ticks(std::string_view proc_self_stat);

/// Resident pages in /proc/self/statm.
std::optional<std::int64_t> parse_resident_pages(std::string_view proc_self_statm);

/// Measures this host; remembers the counters of the last time for the percentages.
class VitalsProbe {
 public:
  /// Files below `root` ("/" outside tests).
  explicit VitalsProbe(std::filesystem::path root);
  /// What cannot be read stays 0.
  Vitals measure();

 private:
  std::filesystem::path root_;
  std::optional<CpuTicks> last_cpu_;
  std::int64_t last_process_ticks_ = 0;
};

}  // namespace muster::agent
