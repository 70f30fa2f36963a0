// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace muster::agent {

/// What must outlive the process but is no secret and no outcome: state.json. Lost or damaged it
/// costs one full report, nothing else.
struct Progress {
  static constexpr const char* file = "state.json";

  std::string boot_id;  // of the last good heartbeat
  std::string version;  // that sent it
  /// Of the set the server acknowledged last, as text; empty: none, so the next report is full.
  std::string set_hash;
  /// A report was sent and its fate is unknown: the next one is full.
  bool report_open = false;
  /// Of what runs on the host, as the server has it; none: it takes no such thing.
  std::optional<std::string> runtime_hash;
  Instant last_full_at;
  Instant last_report_at;
  std::string last_task;  // id of the last task handled
  std::int64_t tasks_executed = 0;
  std::int64_t tasks_refused = 0;
  /// Outcomes that a damaged record held, or that the server refused for good.
  std::int64_t outcomes_lost = 0;
  std::int64_t reports_acknowledged = 0;
};

std::string encode_progress(const Progress& progress);
/// Nothing for a damaged file.
std::optional<Progress> decode_progress(std::string_view json);

}  // namespace muster::agent
