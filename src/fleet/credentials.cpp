// SPDX-License-Identifier: Apache-2.0
#include "fleet/credentials.h"

#include "store/sql/agents.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

void Credentials::load(store::Reader& reader) {
  for (const model::Agent& agent : store::list_agents(reader)) {
    if (agent.status == model::AgentStatus::superseded) continue;
    agents.set(agent.key_hash,
               {agent.org, agent.id, agent.host, agent.status == model::AgentStatus::disabled});
  }
  for (const store::InventoryKey& key : store::list_inventory_keys(reader)) {
    if (key.revoked_at) continue;
    inventory_keys.set(key.hash, {key.org, key.id, static_cast<std::uint8_t>(key.scopes)});
  }
  for (const store::OperatorToken& token : store::list_operator_tokens(reader)) {
    if (token.revoked_at) continue;
    operators.set(token.hash,
                  {token.id, static_cast<std::uint8_t>(token.scopes), token.expires_at});
  }
  for (const store::EnrolmentToken& token : store::list_enrolment_tokens(reader)) {
    if (token.revoked_at || token.uses >= token.max_uses) continue;
    enrolment_tokens.set(token.hash, {token.org, token.id, token.expires_at});
  }
}

}  // namespace muster::fleet
