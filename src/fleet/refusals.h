// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Agents whose refusals are remembered; 200 bytes each. When the server's own clock is wrong, all
/// are refused: then the rest is only counted.
inline constexpr std::size_t refused_agents = 20'000;
/// Refusals of agents that were not refused since are forgotten after so long when room is needed.
inline constexpr Duration refusal_memory = std::chrono::hours(1);
/// A clock that goes wrong again is told again after so long: of a copied machine one of the two
/// may be right.
inline constexpr Duration skew_silence = std::chrono::hours(1);
/// Events of a look; the others follow with the next.
inline constexpr std::size_t skew_events = 1000;

/// Why a call was refused that proved a key of an agent.
enum class RefusalReason : std::uint8_t {
  clock_skew,
  disabled,
  retired_key,  // which the agent has given up for a newer one
  ended,        // superseded or uninstalled
};
inline constexpr std::size_t refusal_reasons = 4;
std::string_view refusal_reason_name(RefusalReason reason);

/// The last refusal of an agent.
struct Refusal {
  RefusalReason reason = RefusalReason::clock_skew;
  Instant at;
  std::optional<Duration> skew;  // how far the agent's clock is ahead; none: it sent no time
  std::string address;           // of the peer
};

/// Agents that are refused though they prove a key: they see no difference, and their operators
/// would not either. In memory alone; a restart forgets. Safe from several threads.
class RefusalWatch {
 public:
  void note(OrgId org, HostId host, AgentId agent, const Refusal& refusal);
  /// A call of an agent whose clock was wrong has passed.
  void clock_is_right(AgentId agent);

  std::optional<Refusal> find(AgentId agent) const;
  /// How often since the start.
  std::uint64_t count(RefusalReason reason) const {
    return counts_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }
  /// Agents that are refused for their clock, as far as they are remembered.
  std::size_t skewed() const;

  /// Writes an event for each agent that is refused for its clock since the last look, and for each
  /// that is not any more. What could not be written is told with the next look. Returns how many.
  /// Throws store::StoreError.
  std::size_t tell(store::Store& store, NumberIds& ids, Instant now);

 private:
  struct Known {
    OrgId org;
    HostId host;
    Refusal last;
    bool skewed = false;  // now
    bool told = false;    // that it is
    Instant told_at;
  };
  using Agents = std::unordered_map<AgentId, Known>;
  struct Told {
    AgentId agent;
    Known known;
  };
  std::vector<Told> to_tell(Instant now);

  Guarded<Agents> agents_;
  std::array<std::atomic<std::uint64_t>, refusal_reasons> counts_{};
};

}  // namespace muster::fleet
