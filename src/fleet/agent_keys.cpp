// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_keys.h"

#include "fleet/announcements.h"
#include "fleet/supersession.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_such_agent() {
  return {Errc::not_found, "There is no such agent."};
}

/// The agent as an operator may change it. Fails with not_found and illegal_transition.
Result<model::Agent> agent_to_change(store::Tx& tx, OrgId org, AgentId id) {
  std::optional<model::Agent> agent = store::find_agent(tx, org, id);
  if (!agent) return no_such_agent();
  if (agent->status == model::AgentStatus::superseded) {
    return Error{Errc::illegal_transition, "The agent was superseded by a later enrolment."};
  }
  if (agent->status == model::AgentStatus::uninstalled) {
    return Error{Errc::illegal_transition, "The agent was uninstalled."};
  }
  if (agent->status == model::AgentStatus::decommissioned) {
    return Error{Errc::illegal_transition, "The agent was decommissioned. Enrol its host again."};
  }
  return std::move(*agent);
}

void set_keys(store::Tx& tx, Credentials& credentials, const model::Agent& agent,
              const model::Agent& before) {
  store::set_agent_keys(tx, agent);
  announce_agent(tx, agent.org, agent.id);
  tx.on_commit([&credentials, agent, before] { credentials.set_agent(agent, before); });
}

Result<OfferedKey> offer_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                             const Actor& actor, OrgId org, AgentId id, Instant now,
                             std::string_view action,
                             model::AgentKeys (*offer)(const model::AgentKeys&)) {
  const model::Agent before = TRY(agent_to_change(tx, org, id));
  if (before.status == model::AgentStatus::disabled) {
    return Error{Errc::illegal_transition,
                 "The agent is disabled. If its key was stolen, enrol the host again."};
  }
  model::Agent agent = before;
  agent.keys = offer(before.keys);
  const std::int64_t generation = agent.keys.offered.value();
  if (agent.keys != before.keys) {
    set_keys(tx, credentials, agent, before);
    record_audit(
        tx, ids, org, actor, action, id.text(),
        [&](JsonWriter& details) { details.member("generation", generation); }, now);
  }
  return OfferedKey{credentials.agent_key(id, generation), generation};
}

}  // namespace

Result<void> record_first_use(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, OrgId org, AgentId id,
                              std::int64_t generation, Instant now) {
  const std::optional<model::Agent> before = store::find_agent(tx, org, id);
  if (!before || before->status != model::AgentStatus::active ||
      model::use_of(before->keys, generation) == model::KeyUse::refused) {
    return Error{Errc::invalid_credentials, "Invalid agent credentials"};
  }
  model::Agent agent = *before;
  agent.keys = model::after_use(before->keys, generation);
  if (agent.keys == before->keys) return {};
  agent.key_hash = credentials.hash(credentials.agent_key(id, generation));
  agent.key_since = now;
  set_keys(tx, credentials, agent, *before);
  if (agent.keys.current != before->keys.current) {
    record_event(
        tx, ids, org, "key_rotated", id, agent.host,
        [&](JsonWriter& details) { details.member("generation", generation); }, now);
  }
  if (before->keys.used) return {};
  supersede_earlier_agents(tx, ids, credentials, presence, agent, now);
  tx.on_commit([&presence, id] {
    presence.with_agent(id, [](AgentPresence& state) { state.called = state.dirty = true; });
  });
  return {};
}

Result<OfferedKey> rotate_agent_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                    const Actor& actor, OrgId org, AgentId agent, Instant now) {
  return offer_key(tx, ids, credentials, actor, org, agent, now, "agents.rotate_key",
                   model::rotated);
}

Result<OfferedKey> reissue_agent_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                     const Actor& actor, OrgId org, AgentId agent, Instant now) {
  return offer_key(tx, ids, credentials, actor, org, agent, now, "agents.reissue", model::reissued);
}

void end_uninstalled_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                           PresenceTable& presence, OrgId org, AgentId id, Instant now) {
  std::optional<model::Agent> agent = store::find_agent(tx, org, id);
  if (!agent || model::is_ended(agent->status)) return;
  agent->status = model::AgentStatus::uninstalled;
  store::set_agent_status(tx, org, id, agent->status);
  announce_agent(tx, org, id);
  record_event(tx, ids, org, "uninstalled", id, agent->host, {}, now);
  tx.on_commit([&credentials, &presence, agent = *std::move(agent)] {
    credentials.set_agent(agent);
    presence.remove_agent(agent.id);
  });
}

Result<void> set_agent_disabled(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                const Actor& actor, OrgId org, AgentId id, bool disabled,
                                Instant now) {
  model::Agent agent = TRY(agent_to_change(tx, org, id));
  const auto status = disabled ? model::AgentStatus::disabled : model::AgentStatus::active;
  if (agent.status == status) return {};
  agent.status = status;
  store::set_agent_status(tx, org, id, status);
  record_audit(tx, ids, org, actor, disabled ? "agents.disable" : "agents.enable", id.text(), {},
               now);
  announce_agent(tx, org, id);
  tx.on_commit([&credentials, agent] { credentials.set_agent(agent); });
  return {};
}

Result<void> decommission_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                PresenceTable& presence, const Actor& actor, OrgId org, AgentId id,
                                Instant now) {
  const auto agent = store::find_agent(tx, org, id);
  if (!agent) return no_such_agent();
  if (agent->status == model::AgentStatus::decommissioned) return {};
  if (agent->status != model::AgentStatus::superseded) TRY(agent_to_change(tx, org, id));
  store::set_agent_status(tx, org, id, model::AgentStatus::decommissioned);
  record_audit(tx, ids, org, actor, "agents.decommission", id.text(), {}, now);
  record_event(tx, ids, org, "decommissioned", id, agent->host, {}, now);
  announce_agent(tx, org, id);
  tx.on_commit([&credentials, &presence, agent = *agent] {
    credentials.erase_agent(agent);
    presence.remove_agent(agent.id);
  });
  return {};
}

}  // namespace muster::fleet
