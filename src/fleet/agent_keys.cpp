// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_keys.h"

#include "fleet/announcements.h"
#include "fleet/splits.h"
#include "fleet/supersession.h"
#include "model/key_age.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::string_view rotated_action = "agents.rotate_key";

Error no_such_agent() {
  return {Errc::not_found, "There is no such agent."};
}

void set_keys(store::Tx& tx, Credentials& credentials, const model::Agent& agent,
              const model::Agent& before) {
  store::set_agent_keys(tx, agent);
  announce_agent(tx, agent.org, agent.id);
  tx.on_commit([&credentials, agent, before] { credentials.set_agent(agent, before); });
}

/// Nobody can present a token any more that is used up and whose agents have all called.
void forget_spent_token(store::Tx& tx, Credentials& credentials, OrgId org, TokenId id) {
  const auto token = store::find_enrolment_token(tx, org, id);
  if (!token || token->uses < token->max_uses || store::is_usable(tx, *token)) return;
  announce_enrolment_token(tx, org, id);
  tx.on_commit(
      [&credentials, token = *token] { credentials.follow_enrolment_token(token, false); });
}

using Offer = model::AgentKeys (*)(const model::AgentKeys&);

/// Makes the offer, if it is not made already; the agent with it.
model::Agent offer_to(store::Tx& tx, NumberIds& ids, Credentials& credentials, const Actor& actor,
                      const model::Agent& before, Instant now, std::string_view action,
                      Offer offer) {
  model::Agent agent = before;
  agent.keys = offer(before.keys);
  if (agent.keys == before.keys) return agent;
  if (!before.keys.offered) agent.key_offered_at = now;
  set_keys(tx, credentials, agent, before);
  record_audit(
      tx, ids, agent.org, actor, action, agent.id.text(),
      [&](JsonWriter& details) { details.member("generation", agent.keys.offered.value()); }, now);
  return agent;
}

Result<OfferedKey> offer_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                             const Actor& actor, OrgId org, AgentId id, Instant now,
                             std::string_view action, Offer offer) {
  const model::Agent before = TRY(agent_to_change(tx, org, id));
  if (before.status == model::AgentStatus::disabled) {
    return Error{Errc::illegal_transition,
                 "The agent is disabled. If its key was stolen, enrol the host again."};
  }
  if (const auto clone = store::find_clone(tx, org, id); clone && clone->split_agent) {
    // The machine that hears of the key first would take it, whichever it is.
    return Error{Errc::illegal_transition, "The agent is being split. Wait until it is done."};
  }
  const model::Agent agent = offer_to(tx, ids, credentials, actor, before, now, action, offer);
  const std::int64_t generation = agent.keys.offered.value();
  return OfferedKey{credentials.agent_key(id, generation), generation};
}

}  // namespace

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
  if (!agent.keys.offered) agent.key_offered_at.reset();
  set_keys(tx, credentials, agent, *before);
  if (generation == before->keys.offered) {
    // Whether two machines have this one, too, is to be seen.
    store::delete_clone(tx, org, id);
    record_event(
        tx, ids, org, model::EventType::key_rotated, id, agent.host,
        [&](JsonWriter& details) { details.member("generation", generation); }, now);
  }
  if (before->keys.used) return {};
  forget_spent_token(tx, credentials, org, before->token);
  if (agent.origin) complete_split(tx, ids, credentials, agent, now);
  supersede_earlier_agents(tx, ids, credentials, presence, agent, now);
  tx.on_commit([&presence, id] {
    presence.with_agent(id, [](AgentPresence& state) { state.called = state.dirty = true; });
  });
  return {};
}

Result<OfferedKey> rotate_agent_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                    const Actor& actor, OrgId org, AgentId agent, Instant now) {
  return offer_key(tx, ids, credentials, actor, org, agent, now, rotated_action, model::rotated);
}

bool rotate_aged_key(store::Tx& tx, NumberIds& ids, Credentials& credentials, OrgId org, AgentId id,
                     Duration rotate_after, Instant now) {
  const std::optional<model::Agent> agent = store::find_agent(tx, org, id);
  if (!agent || agent->status != model::AgentStatus::active || agent->keys.offered) return false;
  if (!agent->key_since || store::find_clone(tx, org, id)) return false;
  if (now < model::rotation_due_at(id, *agent->key_since, rotate_after)) return false;
  offer_to(tx, ids, credentials, Actor::server(), *agent, now, rotated_action, model::rotated);
  return true;
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
  record_event(tx, ids, org, model::EventType::uninstalled, id, agent->host, {}, now);
  abandon_split(tx, credentials, *agent);
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
  record_event(tx, ids, org, model::EventType::decommissioned, id, agent->host, {}, now);
  abandon_split(tx, credentials, *agent);
  announce_agent(tx, org, id);
  tx.on_commit([&credentials, &presence, agent = *agent] {
    credentials.erase_agent(agent);
    presence.remove_agent(agent.id);
  });
  return {};
}

}  // namespace muster::fleet
