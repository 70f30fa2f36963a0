// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "swarm/histogram.h"

namespace muster::swarm {

enum class Kind : std::uint8_t {
#define KIND(name, text) name,
#include "swarm/kinds.def"
#undef KIND
};
inline constexpr std::size_t kinds = static_cast<std::size_t>(Kind::task_order) + 1;
std::string_view kind_name(Kind kind);

/// How a call ended.
enum class End : std::uint8_t {
  good,       // 2xx
  limited,    // 429
  refused,    // another 4xx
  failed,     // 5xx
  no_peer,    // no connection
  no_trust,   // TLS
  timed_out,  // no whole answer in time
  closed,     // before the end of the answer
  malformed,  // no HTTP
  dropped,    // by the scenario: no error
};
inline constexpr std::size_t ends = static_cast<std::size_t>(End::dropped) + 1;
std::string_view end_name(End end);

/// What became of the calls of one kind.
struct KindTally {
  std::array<std::uint64_t, ends> by_end{};
  /// From when a call was due, not from when it was sent: a server that makes its callers late does
  /// not look fast (coordinated omission). All ends but `dropped`.
  Histogram latency;
  Histogram lag;  // from due to sent

  std::uint64_t of(End end) const { return by_end[static_cast<std::size_t>(end)]; }
  std::uint64_t calls() const;
  std::uint64_t errors() const { return calls() - of(End::good) - of(End::dropped); }
};

/// One call from when it was due.
struct Course {
  Micros due{0};
  Micros sent{0};
  Micros ended{0};
};

class Tally {
 public:
  void add(Kind kind, End end, const Course& course);
  /// Why calls failed, in words; of too many different ones the later are not kept.
  void explain(Kind kind, std::string_view why);

  const KindTally& of(Kind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }
  /// What the fleet's hosts called; without the operator.
  KindTally of_hosts() const;
  const std::map<std::string, std::uint64_t>& reasons() const { return reasons_; }

 private:
  std::array<KindTally, kinds> kinds_{};
  std::map<std::string, std::uint64_t> reasons_;
};

}  // namespace muster::swarm
