// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "model/agent.h"

namespace muster::model {

/// Less than this free on the disk, and writing fails.
inline constexpr double low_disk_mb = 200;
/// More than this of the memory in use, and the system starts to kill.
inline constexpr double high_memory_share = 0.95;
/// More than this of all cores, and heartbeats wait for their turn.
inline constexpr double high_cpu_percent = 95;

/// What most likely silenced an agent, from the last it said of its machine: disk_pressure,
/// memory_pressure, cpu_saturation or unknown, in this order of how surely each ends a process.
/// Members that were not sent count for nothing. Every agent in the field sends total_memory_mb;
/// the fielded server then never looks at the CPU, so here each is judged by itself.
std::string_view probable_cause(const Vitals& vitals);

}  // namespace muster::model
