// SPDX-License-Identifier: Apache-2.0
#include "model/agent.h"

#include <algorithm>

namespace muster::model {

std::string_view agent_status_name(AgentStatus status) {
  static constexpr std::string_view names[] = {"active", "disabled", "superseded", "decommissioned",
                                               "uninstalled"};
  return names[static_cast<std::size_t>(status)];
}

std::optional<AgentStatus> parse_agent_status(std::string_view text) {
  for (const AgentStatus status :
       {AgentStatus::active, AgentStatus::disabled, AgentStatus::superseded,
        AgentStatus::decommissioned, AgentStatus::uninstalled}) {
    if (text == agent_status_name(status)) return status;
  }
  return std::nullopt;
}

std::string_view presence_name(Presence presence) {
  static constexpr std::string_view names[] = {"online", "offline", "unknown"};
  return names[static_cast<std::size_t>(presence)];
}

Presence presence_of(Instant last_seen, Instant server_started, Duration offline_after,
                     Instant now) {
  if (now - last_seen < offline_after) return Presence::online;
  if (last_seen < server_started && now - server_started < offline_after) return Presence::unknown;
  return Presence::offline;
}

std::vector<std::string> all_tags(const Host& host) {
  std::vector<std::string> tags = host.tags;
  for (const std::string& tag : host.operator_tags) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  return tags;
}

}  // namespace muster::model
