// SPDX-License-Identifier: Apache-2.0
#include "swarm/process_use.h"

#include <unistd.h>

#include <string_view>

#include "agent/collectors/vitals.h"
#include "agent/files.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::swarm {

namespace {

std::optional<std::int64_t> number_after(std::string_view text, std::string_view label) {
  const auto found = text.find(label);
  if (found == std::string_view::npos) return std::nullopt;
  text.remove_prefix(found + label.size());
  return parse_int(trim(text.substr(0, text.find('\n'))));
}

}  // namespace

std::optional<ProcessUse> read_process_use(const std::string& pid) {
  const std::string folder = "/proc/" + pid + "/";
  const auto stat = agent::read_small_file(folder + "stat", 64 * limits::KiB);
  const auto statm = agent::read_small_file(folder + "statm", 64 * limits::KiB);
  const auto io = agent::read_small_file(folder + "io", 64 * limits::KiB);
  if (!stat || !statm || !io) return std::nullopt;
  const auto ticks = agent::parse_process_ticks(*stat);
  const auto pages = agent::parse_resident_pages(*statm);
  const auto written = number_after(*io, "\nwrite_bytes:");
  if (!ticks || !pages || !written) return std::nullopt;
  ProcessUse use;
  use.cpu_seconds = static_cast<double>(*ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  use.resident_bytes =
      static_cast<std::uint64_t>(*pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  use.written_bytes = static_cast<std::uint64_t>(*written);
  return use;
}

}  // namespace muster::swarm
