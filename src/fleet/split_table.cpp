// SPDX-License-Identifier: Apache-2.0
#include "fleet/split_table.h"

#include "store/sql/clones.h"

namespace muster::fleet {

void SplitTable::follow(AgentId agent, const std::optional<store::CloneRow>& row) {
  splits_.with([&](Splits& splits) {
    if (!row || !row->split_agent) {
      splits.erase(agent);
      return;
    }
    Split split;
    split.into = *row->split_agent;
    split.twins.older = {static_cast<std::uint32_t>(row->older_boot), row->older_hostname};
    split.twins.newer = {static_cast<std::uint32_t>(row->newer_boot), row->newer_hostname};
    splits.insert_or_assign(agent, std::move(split));
  });
}

bool SplitTable::has(AgentId agent) const {
  return splits_.with([&](const Splits& splits) { return splits.contains(agent); });
}

std::optional<AgentId> SplitTable::take(AgentId agent, std::uint32_t boot,
                                        std::string_view hostname) {
  return splits_.with([&](Splits& splits) -> std::optional<AgentId> {
    const auto found = splits.find(agent);
    if (found == splits.end()) return std::nullopt;
    Split& split = found->second;
    if (model::recognise(split.twins, boot, hostname) != model::Twin::newer) return std::nullopt;
    return split.into;
  });
}

}  // namespace muster::fleet
