// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/host_directory.h"
#include "fleet/presence.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// What an agent is split into.
struct SplitAgent {
  AgentId agent;
  HostId host;
  std::string key;  // for an operator who carries it to the machine by hand
};

/// Splits an agent whose key two machines use (docs/reference/keys.md): makes another one, with a
/// host of its own, for the machine that booted later. That one is offered the new agent's key with
/// every heartbeat, the other is not; both may use the key they have until the new one is used.
/// Repeating it changes nothing while the split waits. Fails with not_found, and with
/// illegal_transition for an agent that has ended or is disabled, of which no clone is known, or
/// that is offered a key for itself.
Result<SplitAgent> split_agent(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                               PresenceTable& presence, HostDirectory& directory,
                               const Actor& actor, OrgId org, AgentId agent, Instant now);

/// The first call of an agent that was split off: the machines are two agents from now on.
void complete_split(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                    const model::Agent& agent, Instant now);

/// One of the two agents has ended: nobody is offered the other's key any more. Nothing for an
/// agent without a split.
void abandon_split(store::Tx& tx, Credentials& credentials, const model::Agent& agent);

}  // namespace muster::fleet
