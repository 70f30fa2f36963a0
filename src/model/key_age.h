// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "model/agent.h"

namespace muster::model {

/// When a key that `agent` uses since `since` is replaced by schedule: after nine tenths of
/// `period` and, by a hash of the agent's id, up to the last tenth. So no key grows older than
/// `period` while its agent calls, and agents that enrolled together do not rotate together.
Instant rotation_due_at(AgentId agent, Instant since, Duration period);

/// What rotation_due_at() adds to the first use of a key at least.
constexpr Duration rotation_earliest(Duration period) {
  return period - period / 10;
}

enum class KeyState : std::uint8_t {
  unused,   // the agent has not called since it enrolled
  current,  // in use, and no other is offered
  pending,  // another is offered and was not used yet
  overdue,  // so for longer than limits::rotation_overdue
};
std::string_view key_state_name(KeyState state);
KeyState key_state_of(const Agent& agent, Instant now);

}  // namespace muster::model
