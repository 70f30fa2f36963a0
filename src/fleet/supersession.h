// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ids.h"
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

/// What the first call of an agent does with the earlier agents of its host, see
/// model::supersession_of(): their keys are refused from the commit on, for good or until
/// a later call of theirs shows that they live on another machine.
void supersede_earlier_agents(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, const model::Agent& caller, Instant now);

/// Inserts a host for an agent that leaves `left` because two machines were taken for one, with the
/// operators' tags of that one. A machine id that both enrolled with names neither from now on.
model::Host insert_own_host(store::Tx& tx, NumberIds& ids, const model::Agent& agent,
                            const model::Host& left, const std::string& hostname, Instant now);

/// A superseded agent has called, so two machines enrolled as one. It is active again, on a host of
/// its own that knows of the former one its name and the operators' tags; a machine id that both
/// enrolled with names neither from now on. Repeating it changes nothing. Fails with
/// invalid_credentials when its key was ended meanwhile.
Result<void> bring_back_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, HostDirectory& directory, OrgId org,
                              AgentId agent, std::int64_t generation, Instant now);

}  // namespace muster::fleet
