// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarm/scenario.h"
#include "swarm/tally.h"

namespace muster::swarm {

/// What a run saw.
struct Outcome {
  Scenario scenario;
  Tally setup;     // calls that were due before it was measured
  Tally measured;  // those after
  double setup_seconds = 0;
  double measured_seconds = 0;
  std::uint32_t hosts_up = 0;  // whose last heartbeat got through, in the end
  std::uint64_t enrolled = 0;
  double enrolling_seconds = 0;            // from the first to the last
  std::optional<double> all_back_seconds;  // the longest, if the fleet was cut off and came back
  /// Of the server's /metrics.
  std::optional<std::uint64_t> most_offline;
  std::optional<std::uint64_t> last_online;
  /// Of the server's process.
  std::optional<double> server_cpu_seconds;
  std::optional<std::uint64_t> server_resident_bytes;
  std::optional<std::uint64_t> server_written_bytes;
  std::optional<std::uint64_t> swarm_resident_bytes;
};

/// One of figures.def.
struct Figure {
  enum class Sense : std::uint8_t { at_most, at_least };
  std::string_view name;
  Sense sense = Sense::at_most;
  std::string_view meaning;
  std::optional<double> value;  // nothing: it was not measured
};
/// All of them, in that order.
std::vector<Figure> figures_of(const Outcome& outcome);

struct Verdict {
  Figure figure;
  double limit = 0;
  /// A figure that was not measured does not hold.
  bool holds = false;
};
std::vector<Verdict> judge(const std::vector<Figure>& figures,
                           const std::vector<Assertion>& assertions);
bool all_hold(const std::vector<Verdict>& verdicts);

/// The whole run as one JSON object.
std::string encode_outcome(const Outcome& outcome);

}  // namespace muster::swarm
