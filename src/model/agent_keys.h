// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace muster::model {

/// Which keys of an agent are accepted. A key is named by its generation, from 0 at enrolment; its
/// text is derived from it (fleet/agent_keys). No clock is involved: an old key lives until a newer
/// one is first used, however long the host is off (mission rule 2).
struct AgentKeys {
  std::int64_t current = 0;
  /// Sent with every heartbeat answer until its first use, which ends every other key.
  std::optional<std::int64_t> offered;
  /// What the agent last used before `current`.
  std::optional<std::int64_t> former;
  /// An operator said that the agent lost `current`: `former` is accepted until `offered` is used.
  bool former_accepted = false;
  /// Whether the agent has called since it enrolled.
  bool used = false;
  /// The newest key that an answer to its enrolment carried: answers are lost, and the enrolment is
  /// repeated. Until one is used all of them are accepted; its first use ends the others.
  std::int64_t issued = 0;

  friend bool operator==(const AgentKeys&, const AgentKeys&) = default;
};

enum class KeyUse : std::uint8_t {
  refused,
  known,
  first,  // must be recorded, see after_use(), before the call is answered
};

/// What a call that proves the key of `generation` is.
KeyUse use_of(const AgentKeys& keys, std::int64_t generation);

/// The keys once the use of `generation`, which is not refused, is recorded. Recording it again
/// changes nothing.
AgentKeys after_use(const AgentKeys& keys, std::int64_t generation);

/// Keys that answers to repeats of one enrolment may carry; all are accepted until one is used. An
/// installer that is run again by hand gets through long before.
inline constexpr std::int64_t enrolment_repeats = 16;

/// Whether an enrolment that repeats this agent's may have another key of it: nobody has used one,
/// and no operator has offered one. At most enrolment_repeats times.
bool may_repeat(const AgentKeys& keys);
/// With the key of generation `issued` for the answer to such a repeat.
AgentKeys repeated(const AgentKeys& keys);

/// The newest generation that has ever been anybody's.
std::int64_t newest(const AgentKeys& keys);

/// Offers a new key. Rotating again while one is offered offers the same.
AgentKeys rotated(const AgentKeys& keys);

/// As rotated(), for an agent that lost its key (a disk restored from a backup, say): the former
/// key serves until the new one is used, so that the agent can be told.
AgentKeys reissued(const AgentKeys& keys);

}  // namespace muster::model
