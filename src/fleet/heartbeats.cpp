// SPDX-License-Identifier: Apache-2.0
#include "fleet/heartbeats.h"

#include <algorithm>

#include "fleet/history.h"
#include "fleet/tasks.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Everything about a heartbeat that a crash may lose.
void apply(AgentPresence& state, const Heartbeat& heartbeat, Instant now) {
  state.dirty = true;
  state.idle_beats = heartbeat.current_task ? 0 : std::min(state.idle_beats + 1, 2);
  if (now < state.last_seen) return;  // a late message tells of the past (mission rule 7)
  state.last_seen = now;
  state.status = heartbeat.status;
  state.current_task = heartbeat.current_task;
  if (heartbeat.last_task_completed) state.last_task_completed = heartbeat.last_task_completed;
  if (!heartbeat.agent_version.empty()) state.agent_version = heartbeat.agent_version;
  state.vitals = heartbeat.vitals;
}

HeartbeatChange change_of(const AgentPresence& state, const Config& config,
                          const Heartbeat& heartbeat, Instant server_started, Instant now) {
  HeartbeatChange change;
  // The server's own downtime is not the agent's: only silence while it listened counts.
  const Instant heard_until = std::max(state.last_seen, server_started);
  change.came_online = state.status.empty() || !heartbeat.reconnect_reason.empty() ||
                       now - heard_until >= config.offline_after();
  if (!heartbeat.agent_version.empty() && heartbeat.agent_version != state.agent_version) {
    change.former_version = state.agent_version;
  }
  if (heartbeat.current_task && heartbeat.current_task != state.current_task) {
    change.started_task = TaskId{*heartbeat.current_task};
  }
  if (heartbeat.last_task_completed && heartbeat.last_task_completed != state.last_task_completed) {
    change.completed_task = TaskId{*heartbeat.last_task_completed};
  }
  return change;
}

}  // namespace

Result<HeartbeatChange> record_heartbeat(PresenceTable& presence, const Config& config,
                                         AgentId agent, const Heartbeat& heartbeat, Instant now) {
  HeartbeatChange change;
  const bool known = presence.with_agent(agent, [&](AgentPresence& state) {
    change = change_of(state, config, heartbeat, presence.server_started(), now);
    if (change.empty()) apply(state, heartbeat, now);
  });
  // The key was proved with the head of the request; the body may have taken its time.
  if (!known) return Error{Errc::invalid_credentials, "Invalid agent credentials"};
  return change;
}

OwnedHeartbeat::OwnedHeartbeat(const Heartbeat& from)
    : heartbeat_(from),
      status_(from.status),
      agent_version_(from.agent_version),
      reconnect_reason_(from.reconnect_reason),
      process_start_time_(from.process_start_time) {}

Heartbeat OwnedHeartbeat::view() const {
  Heartbeat heartbeat = heartbeat_;
  heartbeat.status = status_;
  heartbeat.agent_version = agent_version_;
  heartbeat.reconnect_reason = reconnect_reason_;
  heartbeat.process_start_time = process_start_time_;
  return heartbeat;
}

void record_heartbeat_change(store::Tx& tx, NumberIds& ids, PresenceTable& presence, OrgId org,
                             AgentId agent, HostId host, const OwnedHeartbeat& owned,
                             const HeartbeatChange& change, Instant now) {
  const Heartbeat heartbeat = owned.view();
  if (change.came_online) {
    record_event(
        tx, ids, org, "came_online", agent, host,
        [&](JsonWriter& details) {
          details.member("reconnect_reason", heartbeat.reconnect_reason.empty()
                                                 ? "unknown"
                                                 : heartbeat.reconnect_reason);
          if (!heartbeat.process_start_time.empty()) {
            details.member("process_start_time", heartbeat.process_start_time);
          }
          if (!heartbeat.reconnect_context.empty()) {
            details.key("reconnect_context").raw(heartbeat.reconnect_context);
          }
        },
        now);
  }
  if (change.former_version && !change.former_version->empty()) {
    record_event(
        tx, ids, org, "version_updated", agent, host,
        [&](JsonWriter& details) {
          details.member("from", *change.former_version).member("to", heartbeat.agent_version);
        },
        now);
  }
  if (change.started_task) mark_task_seen(tx, presence, org, agent, *change.started_task, now);
  if (change.completed_task) mark_task_seen(tx, presence, org, agent, *change.completed_task, now);

  AgentPresence state = presence.find_agent(agent).value_or(AgentPresence{});
  apply(state, heartbeat, now);
  store::set_agent_presence(
      tx, {{org, agent, state.last_seen, state.agent_version, state.status, state.current_task,
            state.last_task_completed, encode_vitals(state.vitals)}});
  tx.on_commit([&presence, agent, owned, now] {
    presence.with_agent(agent, [&](AgentPresence& current) { apply(current, owned.view(), now); });
  });
}

}  // namespace muster::fleet
