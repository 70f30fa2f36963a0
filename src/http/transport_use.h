// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace muster::http {

/// Places that a listening server has and how many are taken (base/limits.h has the reasons).
struct Places {
  std::size_t taken = 0;
  std::size_t most = 0;  // that were taken at one time since the start
  std::size_t max = 0;
};

struct TransportUse {
  Places connections;
  Places reads;             // requests that wait for a worker
  Places slow;              // requests that wait for a thread for what takes long
  Places streams;           // answers that are read piece by piece; `most` is not kept
  Places stranger_streams;  // of these, to callers without a key; likewise
  Places bodies;            // octets of large bodies
  Places waiting_writes;    // octets of requests that wait for a place with the writer
  std::size_t waiting = 0;  // requests that do, and those that wait to be refused
};

}  // namespace muster::http
