// SPDX-License-Identifier: Apache-2.0
#include "fleet/splits.h"

#include "base/check.h"
#include "fleet/agent_keys.h"
#include "fleet/announcements.h"
#include "fleet/supersession.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error cannot_split(std::string_view why) {
  return {Errc::illegal_transition, std::string(why)};
}

/// The clone of an agent, if it may be split.
Result<store::CloneRow> clone_to_split(store::Tx& tx, const model::Agent& agent) {
  if (agent.status == model::AgentStatus::disabled) {
    return cannot_split("The agent is disabled. If its key was stolen, enrol the host again.");
  }
  auto clone = store::find_clone(tx, agent.org, agent.id);
  if (!clone) return cannot_split("No two machines are known to use the agent's key.");
  if (clone->split_agent) return std::move(*clone);
  if (agent.keys.offered) {
    return cannot_split(
        "The agent is offered another key: wait until one of the machines uses it.");
  }
  if (clone->older_boot == 0 || clone->newer_boot == 0) {
    return cannot_split("The machines cannot be told apart yet: wait until both were heard again.");
  }
  return std::move(*clone);
}

model::Agent new_agent(Rng& rng, const model::Agent& from, const store::CloneRow& clone,
                       Instant now) {
  model::Agent agent;
  agent.org = from.org;
  agent.id = {make_uuid7(rng, now)};
  agent.os = from.os;
  agent.arch = from.arch;
  agent.enrolled_at = now;
  agent.enrolled_from = clone.newer_address;
  agent.machine_id = from.machine_id;
  agent.origin = {from.id, from.origin ? from.origin->alias : from.id};
  return agent;
}

/// Memory learns who is offered what.
void follow_split(store::Tx& tx, Credentials& credentials, const model::Agent& agent,
                  const std::optional<store::CloneRow>& clone) {
  announce_agent(tx, agent.org, agent.id);
  tx.on_commit([&credentials, agent, clone] {
    credentials.splits.follow(agent.id, clone);
    credentials.follow_agent(agent);
  });
}

}  // namespace

Result<SplitAgent> split_agent(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                               PresenceTable& presence, HostDirectory& directory,
                               const Actor& actor, OrgId org, AgentId id, Instant now) {
  const model::Agent from = TRY(agent_to_change(tx, org, id));
  store::CloneRow clone = TRY(clone_to_split(tx, from));
  if (clone.split_agent) {
    const auto waiting = store::find_agent(tx, org, *clone.split_agent);
    CHECK(waiting.has_value());
    return SplitAgent{waiting->id, waiting->host, credentials.agent_key(waiting->id, 0)};
  }
  auto left = store::find_host(tx, org, from.host);
  CHECK(left.has_value());
  model::Agent agent = new_agent(rng, from, clone, now);
  model::Host host =
      insert_own_host(tx, ids, agent, *left,
                      clone.newer_hostname.empty() ? left->hostname : clone.newer_hostname, now);
  agent.host = host.id;
  const SplitAgent split{agent.id, host.id, credentials.agent_key(agent.id, 0)};
  agent.key_hash = credentials.hash(split.key);
  store::insert_agent(tx, agent);
  clone.split_agent = agent.id;
  store::set_clone_split(tx, org, id, agent.id);
  record_audit(
      tx, ids, org, actor, "agents.split", id.text(),
      [&](JsonWriter& details) {
        details.member("split_agent_id", agent.id).member("asset_id", host.id);
      },
      now);
  announce_host(tx, org, left->id);
  announce_host(tx, org, host.id);
  announce_agent(tx, org, agent.id);
  tx.on_commit(
      [&credentials, &presence, &directory, agent, host, left = std::move(*left)]() mutable {
        left.machine_shared |= host.machine_shared;
        directory.set(left);
        directory.set(host);
        credentials.set_agent(agent);
        AgentPresence fresh;
        fresh.org = agent.org;
        fresh.host = agent.host;
        fresh.last_seen = agent.enrolled_at;
        presence.add_agent(agent.id, std::move(fresh));
      });
  follow_split(tx, credentials, from, clone);
  return split;
}

void complete_split(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                    const model::Agent& agent, Instant now) {
  const auto clone = store::find_split(tx, agent.org, agent.id);
  if (!clone) return;
  const auto from = store::find_agent(tx, agent.org, clone->agent);
  CHECK(from.has_value());
  store::delete_clone(tx, agent.org, clone->agent);
  record_event(
      tx, ids, agent.org, model::EventType::agent_split, agent.id, agent.host,
      [&](JsonWriter& details) {
        details.member("former_agent_id", from->id).member("former_asset_id", from->host);
      },
      now);
  follow_split(tx, credentials, *from, std::nullopt);
}

void abandon_split(store::Tx& tx, Credentials& credentials, const model::Agent& agent) {
  auto clone = agent.origin ? store::find_split(tx, agent.org, agent.id) : std::nullopt;
  if (!clone) clone = store::find_clone(tx, agent.org, agent.id);
  if (!clone || !clone->split_agent) return;
  const auto from = store::find_agent(tx, agent.org, clone->agent);
  CHECK(from.has_value());
  store::set_clone_split(tx, agent.org, clone->agent, std::nullopt);
  follow_split(tx, credentials, *from, std::nullopt);
}

}  // namespace muster::fleet
