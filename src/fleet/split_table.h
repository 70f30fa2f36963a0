// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/guarded.h"
#include "base/ids.h"
#include "model/lineage.h"

namespace muster::store {
struct CloneRow;
}

namespace muster::fleet {

/// Agents whose key two machines use and one of which is to become another agent: few. Follows the
/// store, but for what later heartbeats showed of the machines. Safe from several threads.
class SplitTable {
 public:
  /// As the row is now; without a split there is none.
  void follow(AgentId agent, const std::optional<store::CloneRow>& row);
  bool has(AgentId agent) const;

  /// Takes a heartbeat with the key that both machines have. The agent that its machine is to
  /// become, if it is the one that was copied.
  std::optional<AgentId> take(AgentId agent, std::uint32_t boot, std::string_view hostname);

 private:
  struct Split {
    AgentId into;
    model::Twins twins;
  };
  using Splits = std::unordered_map<AgentId, Split>;
  Guarded<Splits> splits_;
};

}  // namespace muster::fleet
