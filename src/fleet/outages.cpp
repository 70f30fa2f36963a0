// SPDX-License-Identifier: Apache-2.0
#include "fleet/outages.h"

#include <unordered_set>

#include "base/limits.h"
#include "fleet/announcements.h"
#include "fleet/history.h"
#include "fleet/host_directory.h"
#include "fleet/samples.h"
#include "model/outage.h"
#include "store/sql/agents.h"
#include "store/sql/outages.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::int64_t seconds(Duration duration) {
  return duration.count() / 1000;
}

void set_silent(store::Tx& tx, PresenceTable& presence, std::vector<AgentId> agents, bool silent) {
  announce_silence(tx, agents);
  tx.on_commit([&presence, agents = std::move(agents), silent] {
    for (const AgentId agent : agents) {
      presence.with_agent(agent, [&](AgentPresence& state) {
        state.silent = silent;
        state.talking_looks = 0;
      });
    }
  });
}

/// An agent and what is about to be written of it.
struct Change {
  store::Tx& tx;
  NumberIds& ids;
  PresenceTable& presence;
  const Config& config;
  OrgId org;
  AgentId agent;
  HostId host;
  Instant now;

  Instant window_start() const {
    return now - std::chrono::seconds(config.presence_flapping_window_seconds);
  }

  /// True if the agent is flapping; if it becomes so with `changes` in the window, says so.
  bool flaps(std::int64_t changes) const {
    if (store::is_flapping(tx, org, agent)) return true;
    if (changes < config.presence_flapping_changes) return false;
    store::insert_flapping(tx, {org, agent, host, now});
    record_event(
        tx, ids, org, model::EventType::flapping_started, agent, host,
        [&](JsonWriter& details) {
          details.member("changes", changes)
              .member("window_seconds", config.presence_flapping_window_seconds);
        },
        now);
    announce_silence(tx, {&agent, 1});
    tx.on_commit([&table = presence, id = agent] {
      table.with_agent(id, [](AgentPresence& state) { state.flapping = true; });
    });
    return true;
  }
};

/// Writes the row of a silence and, unless the agent is flapping, its event.
void record_outage(const Change& change, Instant since, const model::Vitals& vitals,
                   std::string_view cause, bool& told) {
  const std::int64_t changes =
      store::count_presence_changes(change.tx, change.org, change.agent, change.window_start());
  told = !change.flaps(changes + 1);
  store::insert_outages(change.tx,
                        {{change.org, change.agent, change.host, since, change.now, std::nullopt,
                          told ? "alone" : "flapping", std::nullopt, std::string(cause), ""}});
  if (!told) return;
  record_event(
      change.tx, change.ids, change.org, model::EventType::went_offline, change.agent, change.host,
      [&](JsonWriter& details) {
        details.member("since", since)
            .member("silent_seconds", seconds(change.now - since))
            .member("probable_cause", cause)
            .key("last_system")
            .raw(encode_vitals(vitals));
      },
      change.now);
}

void record_came_online(const Change& change, const Return& back, std::string_view cause) {
  record_event(
      change.tx, change.ids, change.org, model::EventType::came_online, change.agent, change.host,
      [&](JsonWriter& details) {
        details.member("reconnect_reason", back.reason);
        if (!back.reported_reason.empty() && back.reported_reason != back.reason) {
          details.member("reported_reason", back.reported_reason);
        }
        if (back.last_heard) {
          details.member("since", *back.last_heard)
              .member("offline_seconds", seconds(change.now - *back.last_heard));
          // Then part of that time, or all of it, was the server's.
          if (*back.last_heard < change.presence.server_started()) {
            details.member("server_was_down", true);
          }
        }
        if (!cause.empty()) details.member("probable_cause", cause);
        if (!back.process_start_time.empty()) {
          details.member("process_start_time", back.process_start_time);
        }
        if (!back.context.empty()) details.key("reconnect_context").raw(back.context);
      },
      change.now);
}

}  // namespace

void record_return(store::Tx& tx, NumberIds& ids, PresenceTable& presence, const Config& config,
                   const Return& back, Instant now) {
  const Change change{tx, ids, presence, config, back.org, back.agent, back.host, now};
  const auto open = store::find_open_outage(tx, back.org, back.agent);
  Return told = back;
  std::string cause;
  if (open) {
    cause = open->cause;
    told.last_heard = open->since;
  } else if (back.was_silent) {
    cause = model::probable_cause(back.last_vitals);
    bool alone = false;
    record_outage(change, *back.last_heard, back.last_vitals, cause, alone);
  } else if (back.last_heard) {
    store::insert_outages(tx, {{back.org, back.agent, back.host, *back.last_heard, now, now,
                                "return", std::nullopt, "", std::string(back.reason)}});
  }
  if (open || back.was_silent) store::end_outage(tx, back.org, back.agent, now, back.reason);
  set_silent(tx, presence, {back.agent}, false);

  const std::int64_t changes =
      store::count_presence_changes(tx, back.org, back.agent, change.window_start());
  if (change.flaps(changes)) return;
  if (open && open->group && store::is_open_outage_group(tx, back.org, *open->group)) return;
  record_came_online(change, told, cause);
}

void end_abandoned_outages(store::Store& store, Instant now) {
  store.write([&](store::Tx& tx) { store::end_outages_of_superseded(tx, now); });
}

// --- Looking -------------------------------------------------------------------------------------

struct OutageWatch::Seen {
  std::unordered_map<OrgId, std::vector<Silence>> silences;
  std::unordered_map<OrgId, std::size_t> listened_to;  // agents whose silence was not told
  std::vector<AgentId> quiet_returns;  // talk for an interval, but never said why they were away
};

OutageWatch::Seen OutageWatch::walk(Instant now) {
  Seen seen;
  const Duration limit = presence_.offline_after(config_);
  const Instant listening_since = presence_.server_started();
  const auto enough_looks =
      static_cast<std::int32_t>(seconds(limit) / config_.presence_check_seconds);
  presence_.for_each_agent([&](AgentId id, AgentPresence& state) {
    if (!state.called || state.status.empty()) return;
    if (presence_.takes_samples()) take_sample(id, state, config_);
    if (state.silent) {
      if (now - state.last_seen >= limit) {
        state.talking_looks = 0;
      } else if (++state.talking_looks > enough_looks) {
        seen.quiet_returns.push_back(id);
      }
      return;
    }
    ++seen.listened_to[state.org];
    const Instant began = std::max(state.last_seen, listening_since);
    if (now - began < limit) return;
    seen.silences[state.org].push_back(
        {state.org, id, state.host, state.last_seen, began, model::probable_cause(state.vitals)});
  });
  return seen;
}

Noticed OutageWatch::look(Instant now) {
  presence_.follow_clock(store_, now);
  // Whoever stood still (a frozen machine, a clock set forward) heard nobody in that time.
  if (last_look_ && now - *last_look_ > config_.offline_after() / 2) {
    presence_.resume_listening(now);
  }
  last_look_ = now;
  Noticed noticed;
  Seen seen = walk(now);
  if (!seen.silences.empty()) {
    const auto disabled = store_.read([](store::Reader& reader) {
      const auto listed = store::list_disabled_agents(reader);
      return std::unordered_set<AgentId>(listed.begin(), listed.end());
    });
    for (auto& [org, silences] : seen.silences) {
      std::erase_if(silences,
                    [&](const Silence& silence) { return disabled.contains(silence.agent); });
      tell_outages(std::move(silences), seen.listened_to[org], noticed, now);
    }
  }
  tell_quiet_returns(seen.quiet_returns, noticed, now);
  end_groups(noticed, now);
  calm_flapping(noticed, now);
  return noticed;
}

Population OutageWatch::population_of(OrgId org, std::size_t of_org) const {
  const auto tags = [this](HostId host) {
    auto known = directory_.find(host);
    return known ? std::move(known->tags) : std::vector<std::string>();
  };
  // Counted when the first tag is asked for: few looks find enough silences for that.
  auto counted = std::make_shared<std::unordered_map<std::string, std::size_t>>();
  const auto of_tag = [this, org, tags, counted](const std::string& tag) {
    if (counted->empty()) {
      presence_.for_each_agent([&](AgentId, const AgentPresence& state) {
        if (state.org != org || !state.called || state.silent) return;
        for (const std::string& each : tags(state.host)) ++(*counted)[each];
      });
    }
    return (*counted)[tag];
  };
  return {of_org, tags, of_tag};
}

void OutageWatch::tell_outages(std::vector<Silence> silences, std::size_t of_org, Noticed& noticed,
                               Instant now) {
  if (silences.empty()) return;
  const GroupRules rules{
      presence_.offline_after(config_), std::chrono::seconds(config_.presence_group_window_seconds),
      static_cast<std::size_t>(config_.presence_group_agents), config_.presence_group_percent};
  const Population population = population_of(silences.front().org, of_org);
  for (const ToldTogether& told : due_outages(std::move(silences), rules, population, now)) {
    if (told.scope.empty()) {
      noticed.outages += tell_alone(told.members, now);
    } else if (tell_group(told, now)) {
      ++noticed.groups;
    }
  }
}

std::vector<Silence> OutageWatch::still_silent(store::Tx& tx,
                                               const std::vector<Silence>& members) const {
  std::vector<store::SilentAgent> asked;
  asked.reserve(members.size());
  for (const Silence& silence : members) {
    asked.push_back({silence.org, silence.agent, silence.last_seen});
  }
  const auto listed = store::list_heard_or_told(tx, asked);
  const std::unordered_set<AgentId> heard_or_told(listed.begin(), listed.end());
  std::vector<Silence> still;
  still.reserve(members.size());
  for (const Silence& silence : members) {
    const auto state = presence_.find_agent(silence.agent);
    const bool same = state && !state->silent && state->last_seen == silence.last_seen;
    if (same && !heard_or_told.contains(silence.agent)) still.push_back(silence);
  }
  return still;
}

std::size_t OutageWatch::tell_alone(const std::vector<Silence>& members, Instant now) {
  return store_.write([&](store::Tx& tx) {
    std::size_t events = 0;
    std::vector<AgentId> agents;
    for (const Silence& silence : still_silent(tx, members)) {
      const Change change{tx,          ids_,          presence_,    config_,
                          silence.org, silence.agent, silence.host, now};
      bool told = false;
      record_outage(change, silence.last_seen, presence_.find_agent(silence.agent)->vitals,
                    silence.cause, told);
      if (told) ++events;
      agents.push_back(silence.agent);
    }
    set_silent(tx, presence_, std::move(agents), true);
    return events;
  });
}

bool OutageWatch::tell_group(const ToldTogether& group, Instant now) {
  return store_.write([&](store::Tx& tx) {
    const std::vector<Silence> members = still_silent(tx, group.members);
    if (members.empty()) return false;
    const OrgId org = members.front().org;
    const auto write_details = [&](JsonWriter& details) {
      details.member("scope", group.scope)
          .member("agents", members.size())
          .member("since", members.front().began)
          .member("until", members.back().began)
          .key("names")
          .begin_array();
      for (std::size_t i = 0; i < std::min(members.size(), limits::outage_group_names); ++i) {
        const auto host = directory_.find(members[i].host);
        details.begin_object()
            .member("agent_id", members[i].agent)
            .member("hostname", host ? host->hostname : "")
            .end_object();
      }
      details.end_array();
    };
    const EventId id = record_event(tx, ids_, org, model::EventType::group_offline, std::nullopt,
                                    std::nullopt, write_details, now);
    store::insert_outage_group(
        tx, {org, id, group.scope, static_cast<std::int64_t>(members.size()), now});
    std::vector<store::OutageRow> rows;
    std::vector<AgentId> agents;
    rows.reserve(members.size());
    agents.reserve(members.size());
    for (const Silence& silence : members) {
      rows.push_back({org, silence.agent, silence.host, silence.last_seen, now, std::nullopt,
                      "group", id, std::string(silence.cause), ""});
      agents.push_back(silence.agent);
    }
    store::insert_outages(tx, rows);
    set_silent(tx, presence_, std::move(agents), true);
    return true;
  });
}

void OutageWatch::tell_quiet_returns(const std::vector<AgentId>& agents, Noticed& noticed,
                                     Instant now) {
  if (agents.empty()) return;
  store_.write([&](store::Tx& tx) {
    for (const AgentId id : agents) {
      const auto state = presence_.find_agent(id);
      if (!state) continue;
      if (!store::find_open_outage(tx, state->org, id)) {
        // It ended where memory did not see it: what the agent does next must be seen again.
        set_silent(tx, presence_, {id}, false);
        continue;
      }
      Return back;
      back.org = state->org;
      back.agent = id;
      back.host = state->host;
      back.reason = "unknown";
      back.last_heard = state->last_seen;
      record_return(tx, ids_, presence_, config_, back, now);
      // Or a crash would find it silent since before the outage that has ended.
      store::set_agent_presence(tx, {presence_.row_of(id, *state)});
      ++noticed.returns;
    }
  });
}

void OutageWatch::end_groups(Noticed& noticed, Instant now) {
  struct Ending {
    store::OutageGroupRow group;
    std::int64_t away;
  };
  const auto endings = store_.read([&](store::Reader& reader) {
    std::vector<Ending> found;
    for (const auto& group : store::list_open_outage_groups(reader)) {
      const std::int64_t away = store::count_open_outages(reader, group.org, group.id);
      const bool over = away * 10 <= group.agents;
      if (over || now - group.told_at >= limits::outage_group_open_max) {
        found.push_back({group, away});
      }
    }
    return found;
  });
  for (const Ending& ending : endings) {
    const store::OutageGroupRow& group = ending.group;
    store_.write([&](store::Tx& tx) {
      store::end_outage_group(tx, group.org, group.id, now);
      record_event(
          tx, ids_, group.org, model::EventType::group_online, std::nullopt, std::nullopt,
          [&](JsonWriter& details) {
            details.member("group_event_id", group.id)
                .member("scope", group.scope)
                .member("agents", group.agents)
                .member("returned", group.agents - ending.away)
                .member("away_seconds", seconds(now - group.told_at))
                .key("still_away")
                .begin_array();
            for (const auto& row : store::list_open_outages(
                     tx, group.org, group.id, static_cast<int>(limits::outage_group_names))) {
              details.value(row.agent);
            }
            details.end_array();
          },
          now);
    });
    ++noticed.group_returns;
  }
}

void OutageWatch::calm_flapping(Noticed& noticed, Instant now) {
  const Instant window = now - std::chrono::seconds(config_.presence_flapping_window_seconds);
  const auto calm = store_.read([&](store::Reader& reader) {
    std::vector<store::FlappingRow> found;
    for (const auto& row : store::list_flapping(reader)) {
      const auto changes = store::count_presence_changes(reader, row.org, row.agent, window);
      if (changes * 2 < config_.presence_flapping_changes) found.push_back(row);
    }
    return found;
  });
  for (const store::FlappingRow& row : calm) {
    store_.write([&](store::Tx& tx) {
      store::delete_flapping(tx, row.org, row.agent);
      const std::int64_t changes = store::count_presence_changes(tx, row.org, row.agent, row.since);
      const bool away = store::find_open_outage(tx, row.org, row.agent).has_value();
      record_event(
          tx, ids_, row.org, model::EventType::flapping_stopped, row.agent, row.host,
          [&](JsonWriter& details) {
            details.member("flapping_seconds", seconds(now - row.since))
                .member("changes", changes)
                .member("presence", away ? "offline" : "online");
          },
          now);
      announce_silence(tx, {&row.agent, 1});
      tx.on_commit([&presence = presence_, agent = row.agent] {
        presence.with_agent(agent, [](AgentPresence& state) { state.flapping = false; });
      });
    });
    ++noticed.calmed;
  }
}

}  // namespace muster::fleet
