// SPDX-License-Identifier: Apache-2.0
#include "fleet/refusals.h"

#include <algorithm>

#include "base/limits.h"
#include "fleet/history.h"
#include "store/store.h"

namespace muster::fleet {

std::string_view refusal_reason_name(RefusalReason reason) {
  constexpr std::array<std::string_view, refusal_reasons> names = {"clock_skew", "disabled",
                                                                   "retired_key", "ended"};
  return names.at(static_cast<std::size_t>(reason));
}

void RefusalWatch::note(OrgId org, HostId host, AgentId agent, const Refusal& refusal) {
  counts_[static_cast<std::size_t>(refusal.reason)].fetch_add(1, std::memory_order_relaxed);
  agents_.with([&](Agents& agents) {
    auto found = agents.find(agent);
    if (found == agents.end()) {
      if (agents.size() >= limits::refused_agents) {
        std::erase_if(agents, [&](const auto& entry) {
          const Known& known = entry.second;
          return !known.told && refusal.at - known.last.at > limits::refusal_memory;
        });
      }
      if (agents.size() >= limits::refused_agents) return;
      found = agents.try_emplace(agent).first;
    }
    Known& known = found->second;
    known.org = org;
    known.host = host;
    known.last = refusal;
    // A call with a key that has ended may be another machine's, with a clock of its own.
    if (refusal.reason == RefusalReason::clock_skew) known.skewed = true;
  });
}

void RefusalWatch::clock_is_right(AgentId agent) {
  agents_.with([&](Agents& agents) {
    const auto found = agents.find(agent);
    if (found != agents.end()) found->second.skewed = false;
  });
}

std::optional<Refusal> RefusalWatch::find(AgentId agent) const {
  return agents_.with([&](const Agents& agents) -> std::optional<Refusal> {
    const auto found = agents.find(agent);
    if (found == agents.end()) return std::nullopt;
    return found->second.last;
  });
}

std::size_t RefusalWatch::skewed() const {
  return agents_.with([](const Agents& agents) {
    return static_cast<std::size_t>(std::count_if(
        agents.begin(), agents.end(), [](const auto& entry) { return entry.second.skewed; }));
  });
}

std::vector<RefusalWatch::Told> RefusalWatch::to_tell(Instant now) {
  return agents_.with([&](const Agents& agents) {
    std::vector<Told> all;
    for (const auto& [agent, known] : agents) {
      if (known.skewed == known.told) continue;
      if (known.skewed && now - known.told_at < limits::skew_silence) continue;
      all.push_back({agent, known});
      if (all.size() == limits::skew_events) break;
    }
    // The order of the events must not depend on the table's.
    std::sort(all.begin(), all.end(),
              [](const Told& a, const Told& b) { return a.agent.uuid < b.agent.uuid; });
    return all;
  });
}

std::size_t RefusalWatch::tell(store::Store& store, NumberIds& ids, Instant now) {
  const std::vector<Told> all = to_tell(now);
  if (all.empty()) return 0;
  store.write([&](store::Tx& tx) {
    for (const auto& [agent, known] : all) {
      const Refusal& last = known.last;
      record_event(
          tx, ids, known.org,
          known.skewed ? model::EventType::clock_skewed : model::EventType::clock_corrected, agent,
          known.host,
          [&, &known = known](JsonWriter& details) {
            if (!known.skewed) return;
            details.key("skew_seconds");
            if (last.skew) {
              details.value(last.skew->count() / 1000);
            } else {
              details.null();
            }
            details.member("address", last.address);
          },
          now);
    }
  });
  agents_.with([&](Agents& agents) {
    for (const Told& told : all) {
      const auto found = agents.find(told.agent);
      if (found == agents.end()) continue;
      found->second.told = told.known.skewed;
      if (told.known.skewed) found->second.told_at = now;
    }
  });
  return all.size();
}

}  // namespace muster::fleet
