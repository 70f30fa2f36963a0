// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace muster::model {

/// What muster-agent says of itself in its heartbeats beyond its vitals.
struct AgentCondition {
  std::string config_hash;     // of the configuration from its server that is in force
  std::string config_error;    // why another is not
  std::string update_version;  // of a newer build that failed on its host
  std::string update_error;    // and why

  friend bool operator==(const AgentCondition&, const AgentCondition&) = default;
};

/// Tells one condition from another in 8 octets (FNV-1a); 0 for one that says nothing.
std::uint64_t mark_of(const AgentCondition& condition);

}  // namespace muster::model
