// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "http/transport_use.h"

namespace muster::endpoints {

/// What the server's process takes of its machine. A figure that the system does not tell is
/// absent.
struct MachineUse {
  http::TransportUse transport;
  std::optional<double> cpu_seconds;          // of all threads, since the start
  std::optional<std::uint64_t> memory_bytes;  // resident
  std::uint64_t memory_max_bytes = 0;  // the control group's bound, else the machine's memory
  std::optional<std::uint64_t>
      written_bytes;  // that the storage layer was asked for, since the start
  std::optional<std::uint64_t> disk_free_bytes;  // where the data directory is, for its owner
  std::uint64_t disk_bytes = 0;
  std::optional<bool> clock_is_synchronised;
};

}  // namespace muster::endpoints
