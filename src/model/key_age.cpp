// SPDX-License-Identifier: Apache-2.0
#include "model/key_age.h"

#include "base/limits.h"

namespace muster::model {

Instant rotation_due_at(AgentId agent, Instant since, Duration period) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const std::uint8_t octet : agent.uuid.bytes) hash = (hash ^ octet) * 0x100000001B3U;
  // Its last octets reach the upper bits only so (SplitMix64's last steps).
  hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9U;
  hash = (hash ^ hash >> 27) * 0x94D049BB133111EBU;
  constexpr std::int64_t shares = 1 << 16;
  const auto share = static_cast<std::int64_t>(hash >> 48);
  const Duration spread = period / 10;
  // In two steps: the product of a century and all shares would not fit.
  return since + rotation_earliest(period) + spread / shares * share +
         spread % shares * share / shares;
}

std::string_view key_state_name(KeyState state) {
  static constexpr std::string_view names[] = {"unused", "current", "pending", "overdue"};
  return names[static_cast<std::size_t>(state)];
}

KeyState key_state_of(const Agent& agent, Instant now) {
  if (agent.keys.offered) {
    const bool late =
        agent.key_offered_at && now - *agent.key_offered_at > limits::rotation_overdue;
    return late ? KeyState::overdue : KeyState::pending;
  }
  return agent.keys.used ? KeyState::current : KeyState::unused;
}

}  // namespace muster::model
