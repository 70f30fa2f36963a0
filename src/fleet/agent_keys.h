// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/presence.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// Records the first use of an agent's key. Of its first key: every earlier agent of its host ends
/// here. Of an offered key: every other key of the agent ends here. Repeating it changes nothing.
/// Fails with invalid_credentials when the key was ended after it had been proved.
Result<void> record_first_use(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, OrgId org, AgentId agent,
                              std::int64_t generation, Instant now);

/// The agent as an operator may change it. Fails with not_found, and with illegal_transition for
/// one that has ended.
Result<model::Agent> agent_to_change(store::Tx& tx, OrgId org, AgentId agent);

struct OfferedKey {
  std::string key;  // for an operator who carries it to the host by hand
  std::int64_t generation = 0;
};

/// Offers the agent a new key with every heartbeat until it uses it; the key it has lives until
/// then. Offers the same again while one is pending. Fails with not_found, and with
/// illegal_transition for an agent that has ended, is being split or is disabled: a stolen key is
/// disabled and its host enrolled again, never rotated.
Result<OfferedKey> rotate_agent_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                    const Actor& actor, OrgId org, AgentId agent, Instant now);

/// As rotate_agent_key(), by schedule: nothing, and false, unless the agent is active, is offered
/// no key yet, is no clone (one of the machines would be locked out) and uses the one it has for
/// `rotate_after` or nearly so (model::rotation_due_at).
bool rotate_aged_key(store::Tx& tx, NumberIds& ids, Credentials& credentials, OrgId org,
                     AgentId agent, Duration rotate_after, Instant now);

/// As rotate_agent_key(), for an agent that lost the key it had begun to use: the one before is
/// accepted again until the new key is used.
Result<OfferedKey> reissue_agent_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                     const Actor& actor, OrgId org, AgentId agent, Instant now);

/// The agent reported that it removes itself: its key stops working at once, but for a repeat of
/// that report.
void end_uninstalled_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                           PresenceTable& presence, OrgId org, AgentId agent, Instant now);

/// Fails with not_found, and with illegal_transition for an agent that has ended.
Result<void> set_agent_disabled(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                const Actor& actor, OrgId org, AgentId agent, bool disabled,
                                Instant now);

/// Ends an agent for good: its key is refused from the commit on, and nothing makes it live again;
/// its host, its history and its row stay. One that was superseded can return no more. Repeating it
/// changes nothing. Fails with not_found.
Result<void> decommission_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                PresenceTable& presence, const Actor& actor, OrgId org,
                                AgentId agent, Instant now);

}  // namespace muster::fleet
