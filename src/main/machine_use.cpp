// SPDX-License-Identifier: Apache-2.0
#include "main/machine_use.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace muster {

namespace {

std::uint64_t page_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::optional<double> cpu_seconds() {
  rusage use{};
  if (::getrusage(RUSAGE_SELF, &use) != 0) return std::nullopt;
  return seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(file >> size >> resident)) return std::nullopt;
  return resident * page_bytes();
}

std::optional<std::uint64_t> written_bytes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return std::nullopt;
}

/// A bound of a control group; "max" is none.
std::optional<std::uint64_t> bound_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

/// The least of this process's control groups' bounds and the machine's memory.
std::uint64_t memory_bound() {
  std::uint64_t bound = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes();
  const auto narrow = [&](const std::filesystem::path& path) {
    if (const auto value = bound_in(path)) bound = std::min(bound, *value);
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto second = line.find(':', line.find(':') + 1);
    if (second == std::string::npos) continue;
    const bool unified = line.starts_with("0::");
    if (!unified && line.find(":memory:") == std::string::npos) continue;
    const std::filesystem::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    // A group's bound holds for all below it.
    for (auto group = std::filesystem::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      narrow(root / group / (unified ? "memory.max" : "memory.limit_in_bytes"));
      if (group.empty()) break;
    }
  }
  return bound;
}

}  // namespace

endpoints::MachineUse read_machine_use(const std::string& data) {
  endpoints::MachineUse use;
  use.cpu_seconds = cpu_seconds();
  use.memory_bytes = resident_bytes();
  use.memory_max_bytes = memory_bound();
  use.written_bytes = written_bytes();
  struct statvfs disk {};
  if (::statvfs(data.c_str(), &disk) == 0) {
    use.disk_free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    // Without what is kept for root: full is when its owner can write no more.
    use.disk_bytes = (std::uint64_t{disk.f_blocks} - disk.f_bfree + disk.f_bavail) * disk.f_frsize;
  }
  timex clock{};
  if (::adjtimex(&clock) != -1) use.clock_is_synchronised = (clock.status & STA_UNSYNC) == 0;
  return use;
}

}  // namespace muster
