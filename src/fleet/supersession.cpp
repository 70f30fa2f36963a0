// SPDX-License-Identifier: Apache-2.0
#include "fleet/supersession.h"

#include "base/check.h"
#include "fleet/announcements.h"
#include "fleet/task_board.h"
#include "model/enrolment.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

void bring_back_presence(store::Tx& tx, PresenceTable& presence, const model::Agent& agent,
                         Instant now) {
  AgentPresence state;
  state.org = agent.org;
  state.host = agent.host;
  state.called = state.dirty = agent.keys.used;
  state.last_seen = now;
  if (const auto row = store::find_agent_presence(tx, agent.org, agent.id)) {
    state.agent_version = row->agent_version;
  }
  tx.on_commit([&presence, id = agent.id, state = std::move(state)]() mutable {
    presence.add_agent(id, std::move(state));
  });
  follow_outstanding(tx, presence, agent.org, agent.id, false);
}

}  // namespace

model::Host insert_own_host(store::Tx& tx, NumberIds& ids, const model::Agent& agent,
                            const model::Host& left, const std::string& hostname, Instant now) {
  model::Host own;
  own.org = agent.org;
  own.id = ids.next<HostId>(now);
  own.hostname = hostname;
  own.machine_id = agent.machine_id;
  own.machine_shared = model::shows_shared_machine(agent, left);
  own.os_name = agent.os;
  own.arch = agent.arch;
  own.operator_tags = left.operator_tags;
  own.first_seen = now;
  own.last_seen = now;
  store::insert_host(tx, own);
  if (own.machine_shared) store::set_machine_shared(tx, own.org, own.machine_id);
  return own;
}

void supersede_earlier_agents(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, const model::Agent& caller, Instant now) {
  for (model::Agent& other : store::list_agents_of_host(tx, caller.org, caller.host)) {
    const model::Supersession kind = model::supersession_of(other, caller);
    if (kind == model::Supersession::none) continue;
    other.status = model::AgentStatus::superseded;
    if (kind == model::Supersession::until_it_calls) other.superseded_at = now;
    store::set_agent_superseded(tx, other, caller.id);
    const bool one_machine = !other.machine_id.empty() && other.machine_id == caller.machine_id;
    record_event(
        tx, ids, caller.org, model::EventType::re_enrolled, caller.id, caller.host,
        [&](JsonWriter& details) {
          details.member("former_agent_id", other.id)
              .member("evidence", one_machine ? "machine_id" : "hostname")
              .member("source", caller.enrolled_from);
        },
        now);
    announce_agent(tx, other.org, other.id);
    tx.on_commit([&credentials, &presence, other = std::move(other)] {
      credentials.follow_agent(other);
      presence.remove_agent(other.id);
    });
  }
}

Result<void> bring_back_agent(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                              PresenceTable& presence, HostDirectory& directory, OrgId org,
                              AgentId id, std::int64_t generation, Instant now) {
  auto found = store::find_agent(tx, org, id);
  if (found && found->status == model::AgentStatus::active) return {};
  if (!found || !model::may_return(*found) ||
      model::use_of(found->keys, generation) == model::KeyUse::refused) {
    return Error{Errc::invalid_credentials, "Invalid agent credentials"};
  }
  model::Agent agent = std::move(*found);
  auto left = store::find_host(tx, org, agent.host);
  CHECK(left.has_value());
  const model::Host own = insert_own_host(tx, ids, agent, *left, left->hostname, now);
  agent.status = model::AgentStatus::active;
  agent.superseded_at.reset();
  agent.host = own.id;
  store::set_agent_returned(tx, agent);
  record_event(
      tx, ids, org, model::EventType::agent_split, id, own.id,
      [&](JsonWriter& details) {
        details.member("former_asset_id", left->id).member("machine_shared", own.machine_shared);
      },
      now);
  announce_host(tx, org, left->id);
  announce_host(tx, org, own.id);
  announce_agent(tx, org, id);
  tx.on_commit([&credentials, &directory, agent, own, left = std::move(*left)]() mutable {
    credentials.follow_agent(agent);
    left.machine_shared |= own.machine_shared;
    directory.set(left);
    directory.set(own);
  });
  bring_back_presence(tx, presence, agent, now);
  return {};
}

}  // namespace muster::fleet
