// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/vitals.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "agent/files.h"
#include "base/text.h"

namespace muster::agent {

namespace {

std::optional<std::int64_t> kilobytes_of(std::string_view meminfo, std::string_view key) {
  const std::size_t at = meminfo.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = meminfo.substr(at + key.size());
  return parse_int(take_word(rest));
}

std::int64_t percent(std::int64_t part, std::int64_t whole, std::int64_t max) {
  if (whole <= 0 || part <= 0) return 0;
  return std::min((part * 100 + whole / 2) / whole, max);
}

}  // namespace

std::optional<CpuTicks> parse_cpu_ticks(std::string_view text) {
  if (take_word(text) != "cpu") return std::nullopt;
  // user nice system idle iowait irq softirq steal; guest time is within user time already.
  CpuTicks ticks;
  for (int column = 0; column < 8; ++column) {
    const auto value = parse_int(take_word(text));
    if (!value || *value < 0) return std::nullopt;
    ticks.total += *value;
    const bool waiting = column == 3 || column == 4;
    if (!waiting) ticks.busy += *value;
  }
  return ticks;
}

std::optional<MemoryUse> parse_memory(std::string_view text) {
  const auto total = kilobytes_of(text, "MemTotal:");
  const auto available = kilobytes_of(text, "MemAvailable:");
  if (!total || !available) return std::nullopt;
  return MemoryUse{*total / 1024, std::max<std::int64_t>(*total - *available, 0) / 1024};
}

std::optional<std::int64_t> parse_uptime(std::string_view text) {
  const std::string_view word = take_word(text);
  return parse_int(word.substr(0, word.find('.')));
}

std::optional<std::int64_t> parse_process_ticks(std::string_view text) {
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string_view::npos) return std::nullopt;
  text.remove_prefix(end_of_name + 1);
  for (int skipped = 0; skipped < 11; ++skipped) take_word(text);  // state to cmajflt
  const auto user = parse_int(take_word(text));
  const auto system = parse_int(take_word(text));
  if (!user || !system) return std::nullopt;
  return *user + *system;
}

std::optional<std::int64_t> parse_resident_pages(std::string_view text) {
  take_word(text);
  return parse_int(take_word(text));
}

VitalsProbe::VitalsProbe(std::filesystem::path root) : root_(std::move(root)) {
  measure();
}

Vitals VitalsProbe::measure() {
  const auto file = [&](const char* name) {
    return read_small_file(root_ / name, bounds::proc_file_bytes).value_or("");
  };
  Vitals vitals;
  vitals.uptime_seconds = parse_uptime(file("proc/uptime")).value_or(0);
  if (const auto memory = parse_memory(file("proc/meminfo"))) {
    vitals.memory_mb = memory->used_mb;
    vitals.total_memory_mb = memory->total_mb;
  }
  const auto cpu = parse_cpu_ticks(file("proc/stat"));
  const std::int64_t own = parse_process_ticks(file("proc/self/stat")).value_or(0);
  if (cpu && last_cpu_) {
    const std::int64_t passed = cpu->total - last_cpu_->total;
    vitals.cpu_percent = percent(cpu->busy - last_cpu_->busy, passed, 100);
    const std::int64_t processors = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
    vitals.process_cpu_percent =
        percent((own - last_process_ticks_) * processors, passed, 100 * processors);
  }
  last_cpu_ = cpu;
  last_process_ticks_ = own;
  const std::int64_t pages = parse_resident_pages(file("proc/self/statm")).value_or(0);
  vitals.process_memory_mb = pages * sysconf(_SC_PAGESIZE) / (1024 * 1024);
  struct statvfs disk {};
  if (statvfs(root_.c_str(), &disk) == 0) {
    vitals.disk_free_mb = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize / (1024 * 1024));
  }
  return vitals;
}

}  // namespace muster::agent
