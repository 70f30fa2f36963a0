// SPDX-License-Identifier: Apache-2.0
#include "fleet/heartbeats.h"

#include <algorithm>

#include "base/limits.h"
#include "fleet/history.h"
#include "fleet/outages.h"
#include "fleet/task_course.h"
#include "store/sql/agent_conditions.h"
#include "store/sql/agents.h"
#include "store/sql/outages.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Names a return, so that its repeats are known: FNV-1a over what stays the same in every attempt.
/// 0 for a heartbeat that gives no reason. Odd if it names one return for ever, by the process that
/// started or the moment of the first failure; even if the agent said no more than its reason,
/// which then names all returns until a heartbeat without one.
std::int64_t return_mark(const Heartbeat& heartbeat) {
  if (heartbeat.reconnect_reason.empty()) return 0;
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::string_view part :
       {heartbeat.reconnect_reason, heartbeat.process_start_time, heartbeat.first_failure_at}) {
    for (const char c : part) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
    hash = (hash ^ '\n') * 0x100000001B3U;
  }
  const bool started = heartbeat.reconnect_reason.ends_with("_restart") ||
                       heartbeat.reconnect_reason.ends_with("_reboot") ||
                       heartbeat.reconnect_reason.ends_with("_crash");
  const bool for_ever =
      !heartbeat.first_failure_at.empty() || (started && !heartbeat.process_start_time.empty());
  return static_cast<std::int64_t>(for_ever ? hash | 1 : (hash | 2) & ~std::uint64_t{1});
}

bool names_for_ever(std::int64_t mark) {
  return (mark & 1) != 0;
}

/// Everything about a heartbeat that a crash may lose.
void apply(AgentPresence& state, const Heartbeat& heartbeat, Instant now) {
  state.dirty = true;
  if (!heartbeat.reconnect_reason.empty()) {
    state.return_mark = return_mark(heartbeat);
  } else if (!names_for_ever(state.return_mark)) {
    state.return_mark = 0;
  }
  state.idle_beats = heartbeat.current_task ? 0 : std::min(state.idle_beats + 1, 2);
  if (now < state.last_seen) return;  // a late message tells of the past (mission rule 7)
  state.last_seen = now;
  state.status = heartbeat.status;
  state.current_task = heartbeat.current_task;
  if (heartbeat.last_task_completed) state.last_task_completed = heartbeat.last_task_completed;
  if (!heartbeat.agent_version.empty()) state.agent_version = heartbeat.agent_version;
  state.vitals = heartbeat.vitals;
}

/// How long the body of a heartbeat waited before it was sent: agents send it again and again until
/// it is taken, with what it said of the machine at first.
Duration waited(const Heartbeat& heartbeat) {
  const Result<Instant> written = parse_rfc3339(heartbeat.timestamp);
  if (!written.ok() || *written > heartbeat.sent_at) return Duration(0);
  return heartbeat.sent_at - *written;
}

/// Follows when the machine of an agent booted.
void follow_boot(AgentPresence& state, const Heartbeat& heartbeat, Instant now,
                 HeartbeatChange& change) {
  std::uint32_t boot = model::boot_second(heartbeat.vitals.uptime_seconds, now);
  change.boot = boot;
  if (boot == 0) return;
  const bool stays =
      state.boot != 0 && model::move_between(state.boot, boot) == model::BootMove::none;
  if (stays) return;
  boot = model::boot_second(heartbeat.vitals.uptime_seconds, now - waited(heartbeat));
  change.boot = boot;
  change.boot_move = model::move_between(state.boot, boot);
  if (state.boot == 0 || change.boot_move != model::BootMove::none) state.boot = boot;
}

HeartbeatChange change_of(const AgentPresence& state, Duration offline_after,
                          const Heartbeat& heartbeat, Instant server_started, Instant now) {
  HeartbeatChange change;
  // The server's own downtime is not the agent's: only silence while it listened counts.
  const Instant heard_until = std::max(state.last_seen, server_started);
  change.last_heard = state.last_seen;
  change.was_silent = !state.status.empty() && now - heard_until >= offline_after;
  change.came_online = state.status.empty() || state.silent || change.was_silent ||
                       (!heartbeat.reconnect_reason.empty() && now >= state.last_seen &&
                        return_mark(heartbeat) != state.return_mark);
  if (!heartbeat.agent_version.empty() && heartbeat.agent_version != state.agent_version) {
    change.former_version = state.agent_version;
  }
  if (heartbeat.current_task && heartbeat.current_task != state.current_task) {
    change.started_task = TaskId{*heartbeat.current_task};
  }
  if (heartbeat.last_task_completed && heartbeat.last_task_completed != state.last_task_completed) {
    change.completed_task = TaskId{*heartbeat.last_task_completed};
  }
  change.condition_changed = heartbeat.condition && now >= state.last_seen &&
                             model::mark_of(*heartbeat.condition) != state.condition_mark;
  return change;
}

/// Writes what the agent says of itself, unless it stands there already, and tells of what failed.
void record_condition(store::Tx& tx, NumberIds& ids, OrgId org, AgentId agent, HostId host,
                      const model::AgentCondition& condition, Instant now) {
  const auto row = store::find_agent_condition(tx, org, agent);
  const model::AgentCondition former = row ? row->condition : model::AgentCondition{};
  if (former == condition) return;
  store::set_agent_condition(tx, {org, agent, condition, now});
  if (!condition.config_error.empty() && condition.config_error != former.config_error) {
    record_event(
        tx, ids, org, model::EventType::config_refused, agent, host,
        [&](JsonWriter& details) {
          details.member("config_hash", condition.config_hash)
              .member("error", condition.config_error);
        },
        now);
  }
  const bool same_update = condition.update_version == former.update_version &&
                           condition.update_error == former.update_error;
  if (condition.update_error.empty() || same_update) return;
  record_event(
      tx, ids, org, model::EventType::update_failed, agent, host,
      [&](JsonWriter& details) {
        details.member("version", condition.update_version).member("error", condition.update_error);
      },
      now);
}

/// What of `change` the stored presence does not know yet: since it was decided, another copy of
/// the heartbeat, or a look at presence, may have been stored.
HeartbeatChange still_news(store::Tx& tx, Duration offline_after,
                           const store::AgentPresenceRow& row, const Heartbeat& heartbeat,
                           const HeartbeatChange& decided, Instant now) {
  HeartbeatChange change = decided;
  change.last_heard = std::max(decided.last_heard, row.last_seen);
  change.was_silent = decided.was_silent && now - change.last_heard >= offline_after;
  const std::int64_t mark = return_mark(heartbeat);
  // The row may be older than a heartbeat without a reason, which ended a mark of only a reason.
  const bool repeats =
      mark == row.return_mark && (names_for_ever(mark) || decided.last_heard <= row.last_seen);
  change.came_online =
      decided.came_online && (row.status.empty() || change.was_silent || (mark != 0 && !repeats) ||
                              store::find_open_outage(tx, row.org, row.agent).has_value());
  if (row.agent_version == heartbeat.agent_version) change.former_version.reset();
  return change;
}

/// A tenth later an idle connection is still open: a new one, with its handshake, would cost a
/// strained server more than the calls that it was spared.
constexpr std::int64_t leave_seconds_max = limits::idle_timeout / std::chrono::seconds(1) * 8 / 9;

}  // namespace

std::int64_t seconds_to_leave(const Config& config, AgentId agent) {
  const std::int64_t most =
      std::min(config.presence_offline_after_seconds * 2 / 3, leave_seconds_max);
  const std::int64_t least = most / 2;
  // The end of an id is random (base/ids.h), so agents are as many in each second.
  std::int64_t random = 0;
  for (std::size_t i = agent.uuid.bytes.size() - 4; i < agent.uuid.bytes.size(); ++i) {
    random = random * 256 + agent.uuid.bytes[i];
  }
  return least + random % (most - least + 1);
}

Result<HeartbeatChange> record_heartbeat(PresenceTable& presence, const Config& config,
                                         AgentId agent, const Heartbeat& heartbeat, Instant now) {
  HeartbeatChange change;
  const bool known = presence.with_agent(agent, [&](AgentPresence& state) {
    change =
        change_of(state, presence.offline_after(config), heartbeat, presence.server_started(), now);
    follow_boot(state, heartbeat, now, change);
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
      process_start_time_(from.process_start_time),
      first_failure_at_(from.first_failure_at) {
  heartbeat_.hostname = heartbeat_.timestamp = {};  // nobody asks later
}

Heartbeat OwnedHeartbeat::view() const {
  Heartbeat heartbeat = heartbeat_;
  heartbeat.status = status_;
  heartbeat.agent_version = agent_version_;
  heartbeat.reconnect_reason = reconnect_reason_;
  heartbeat.process_start_time = process_start_time_;
  heartbeat.first_failure_at = first_failure_at_;
  return heartbeat;
}

void record_heartbeat_change(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                             const Config& config, OrgId org, AgentId agent, HostId host,
                             const OwnedHeartbeat& owned, const HeartbeatChange& decided,
                             Instant now) {
  const Heartbeat heartbeat = owned.view();
  const auto row = store::find_agent_presence(tx, org, agent);
  const HeartbeatChange change =
      row ? still_news(tx, presence.offline_after(config), *row, heartbeat, decided, now) : decided;
  const bool updated = change.former_version && !change.former_version->empty();
  if (change.came_online) {
    const AgentPresence former = presence.find_agent(agent).value_or(AgentPresence{});
    Return back;
    back.org = org;
    back.agent = agent;
    back.host = host;
    back.reported_reason = heartbeat.reconnect_reason;
    // Agents in the field cannot say it: they call a restart into a new version service_restart.
    back.reason = updated                              ? "update_restart"
                  : heartbeat.reconnect_reason.empty() ? "unknown"
                                                       : heartbeat.reconnect_reason;
    back.process_start_time = heartbeat.process_start_time;
    back.context = heartbeat.reconnect_context;
    if (row && !row->status.empty()) back.last_heard = change.last_heard;
    back.was_silent = change.was_silent;
    back.last_vitals = former.vitals;
    record_return(tx, ids, presence, config, back, now);
  }
  if (updated) {
    record_event(
        tx, ids, org, model::EventType::version_updated, agent, host,
        [&](JsonWriter& details) {
          details.member("from", *change.former_version).member("to", heartbeat.agent_version);
        },
        now);
  }
  if (change.condition_changed) {
    record_condition(tx, ids, org, agent, host, *heartbeat.condition, now);
    const std::uint64_t mark = model::mark_of(*heartbeat.condition);
    tx.on_commit([&presence, agent, mark] {
      presence.with_agent(agent, [&](AgentPresence& state) { state.condition_mark = mark; });
    });
  }
  if (change.started_task) mark_task_seen(tx, presence, org, agent, *change.started_task, now);
  if (change.completed_task) mark_task_seen(tx, presence, org, agent, *change.completed_task, now);

  AgentPresence state = presence.find_agent(agent).value_or(AgentPresence{});
  state.org = org;
  apply(state, heartbeat, now);
  store::set_agent_presence(tx, {presence.row_of(agent, state)});
  tx.on_commit([&presence, agent, owned, now] {
    presence.with_agent(agent, [&](AgentPresence& current) { apply(current, owned.view(), now); });
  });
}

}  // namespace muster::fleet
