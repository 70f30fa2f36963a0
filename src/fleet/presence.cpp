// SPDX-License-Identifier: Apache-2.0
#include "fleet/presence.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_set>

#include <boost/container_hash/hash.hpp>

#include "base/json_write.h"
#include "model/samples.h"
#include "model/vitals.h"
#include "store/sql/agent_conditions.h"
#include "store/sql/agents.h"
#include "store/sql/heard.h"
#include "store/sql/outages.h"
#include "store/sql/samples.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

struct VitalName {
  std::string_view name;
  double model::Vitals::*member;
};
constexpr VitalName vital_names[] = {
    {"uptime_seconds", &model::Vitals::uptime_seconds},
    {"cpu_percent", &model::Vitals::cpu_percent},
    {"memory_mb", &model::Vitals::memory_mb},
    {"total_memory_mb", &model::Vitals::total_memory_mb},
    {"disk_free_mb", &model::Vitals::disk_free_mb},
    {"process_cpu_percent", &model::Vitals::process_cpu_percent},
    {"process_memory_mb", &model::Vitals::process_memory_mb},
};

/// The full segments of a flush: they leave memory once they are in the blocks of their buckets.
class FullSegments {
 public:
  /// Those among an agent's samples; returns how many bytes they are.
  std::size_t take(AgentId agent, const AgentPresence& state) {
    const auto segments = model::split_segments(state.samples);
    if (segments.size() < 2) return 0;
    const std::size_t size = state.samples.size() - segments.back().size();
    std::string full = state.samples.substr(0, size);
    model::put_in_block(blocks_[{state.org, model::sample_bucket(agent)}], agent, full);
    minute_ = std::max(minute_, state.sampled_minute);
    taken_.push_back({agent, std::move(full)});
    return size;
  }

  void store(store::Tx& tx, PresenceTable& presence) {
    if (blocks_.empty()) return;
    std::vector<store::SampleBlockRow> rows;
    for (auto& [key, block] : blocks_) {
      rows.push_back({key.first, key.second, minute_, std::move(block)});
    }
    store::append_sample_blocks(tx, rows);
    tx.on_commit([&presence, taken = std::move(taken_)] {
      for (const auto& [agent, segments] : taken) {
        presence.with_agent(agent, [&segments = segments](AgentPresence& state) {
          if (state.samples.starts_with(segments)) state.samples.erase(0, segments.size());
        });
      }
    });
  }

 private:
  std::map<std::pair<OrgId, std::int64_t>, std::string> blocks_;  // by organisation and bucket
  std::int64_t minute_ = 0;
  std::vector<std::pair<AgentId, std::string>> taken_;
};

/// Of what an agent's row says but for when it was heard of, its vitals and samples. Never 0.
template <typename State>
std::uint64_t mark_of_row(const State& state) {
  const std::hash<std::string_view> text;
  const auto task = [&](const std::optional<Uuid>& id) {
    return id ? text({reinterpret_cast<const char*>(id->bytes.data()), id->bytes.size()}) : 0;
  };
  std::size_t mark = 0;
  for (const std::size_t part :
       {text(state.agent_version), text(state.status), task(state.current_task),
        task(state.last_task_completed), static_cast<std::size_t>(state.return_mark)}) {
    boost::hash_combine(mark, part);
  }
  return mark | 1;
}

/// What heartbeats said that is in the store.
void take_row(AgentPresence& presence, const store::AgentPresenceRow& row) {
  presence.last_seen = row.last_seen;
  presence.agent_version = row.agent_version;
  presence.status = row.status;
  presence.current_task = row.current_task;
  presence.last_task_completed = row.last_task_completed;
  presence.vitals = model::unpack_vitals(row.vitals).value_or(model::Vitals{});
  presence.return_mark = row.return_mark;
  presence.row_mark = mark_of_row(presence);
}

std::int64_t last_sampled_minute(std::string_view segments) {
  std::vector<model::Sample> samples;
  (void)model::decode_samples(segments, samples);
  return samples.empty() ? 0 : samples.back().minute;
}

}  // namespace

std::string encode_vitals(const model::Vitals& vitals) {
  JsonWriter json;
  json.begin_object();
  for (const VitalName& vital : vital_names) {
    if (vitals.*vital.member >= 0) json.member(vital.name, vitals.*vital.member);
  }
  json.end_object();
  return json.take();
}

store::AgentPresenceRow PresenceTable::row_of(AgentId agent, const AgentPresence& state) const {
  return {state.org,
          agent,
          state.last_seen,
          state.agent_version,
          state.status,
          state.current_task,
          state.last_task_completed,
          model::pack_vitals(state.vitals),
          state.return_mark,
          state.samples,
          !samples_here_};
}

void PresenceTable::load(store::Reader& reader) {
  for (const model::Agent& agent : store::list_agents(reader)) {
    if (model::is_ended(agent.status)) continue;
    AgentPresence presence;
    presence.org = agent.org;
    presence.host = agent.host;
    presence.last_seen = agent.enrolled_at;
    presence.called = agent.keys.used;
    add_agent(agent.id, std::move(presence));
  }
  for (const store::AgentPresenceRow& row : store::list_agent_presence(reader)) {
    with_agent(row.agent, [&](AgentPresence& presence) {
      take_row(presence, row);
      if (row.last_seen > server_started()) clock_is_behind_ = true;
      presence.samples = row.open_samples;
      presence.sampled_minute = last_sampled_minute(row.open_samples);
    });
  }
  for (const store::AgentConditionRow& row : store::list_agent_conditions(reader)) {
    with_agent(row.agent, [&](AgentPresence& presence) {
      presence.condition_mark = model::mark_of(row.condition);
    });
  }
  for (const AgentId agent : store::list_silent_agents(reader)) {
    with_agent(agent, [](AgentPresence& presence) { presence.silent = true; });
  }
  for (const store::FlappingRow& row : store::list_flapping(reader)) {
    with_agent(row.agent, [](AgentPresence& presence) { presence.flapping = true; });
  }
  for (const store::Outstanding& work : store::list_outstanding(reader)) {
    // The first poll looks into the store and finds out what may be delivered again.
    with_agent(work.agent, [&](AgentPresence& presence) {
      presence.has_pending_task = work.pending;
      presence.has_redeliverable_task = work.assigned;
    });
  }
  for (const store::HostPresenceRow& row : store::list_host_presence(reader)) {
    touch_host(row.org, row.host, row.agent_version, row.last_seen);
    if (row.last_seen > server_started()) clock_is_behind_ = true;
  }
}

void PresenceTable::follow_clock(store::Store& store, Instant now) {
  if (now.unix_ms < clock_ms_.exchange(now.unix_ms)) clock_is_behind_ = true;
  if (!clock_is_behind_) return;
  // Memory first: what heartbeats write from now on is not ahead.
  const auto bring_back = [&](Instant& moment) { moment = std::min(moment, now); };
  for_each_agent([&](AgentId, AgentPresence& state) { bring_back(state.last_seen); });
  for (auto& part : hosts_) {
    part.with([&](Hosts& hosts) {
      for (auto& [id, entry] : hosts) bring_back(entry.second.last_seen);
    });
  }
  for (std::atomic<std::int64_t>* const moment : {&server_started_ms_, &rewritten_ms_}) {
    moment->store(std::min(moment->load(), now.unix_ms));
  }
  store.write([&](store::Tx& tx) { store::bring_back_last_seen(tx, now); });
  clock_is_behind_ = false;
}

void PresenceTable::follow_agent(store::Reader& reader, const model::Agent& agent) {
  if (model::is_ended(agent.status)) {
    remove_agent(agent.id);
    return;
  }
  const bool known = with_agent(agent.id, [&](AgentPresence& state) {
    state.host = agent.host;
    state.called = state.called || agent.keys.used;
  });
  if (known) return;
  AgentPresence fresh;
  fresh.org = agent.org;
  fresh.host = agent.host;
  fresh.last_seen = agent.enrolled_at;
  fresh.called = agent.keys.used;
  if (const auto row = store::find_agent_presence(reader, agent.org, agent.id)) {
    take_row(fresh, *row);
  }
  add_agent(agent.id, std::move(fresh));
  follow_tasks(reader, {{agent.org, agent.id}});
  follow_silence(reader, agent.id);
}

void PresenceTable::follow_tasks(store::Reader& reader,
                                 const std::vector<std::pair<OrgId, AgentId>>& agents) {
  // Which of them an agent may be given again is for its first poll to find out.
  std::map<OrgId, std::set<AgentId>> by_org;
  for (const auto& [org, agent] : agents) by_org[org].insert(agent);
  for (const auto& [org, of_org] : by_org) {
    std::vector<store::AskedAgent> asked;
    for (const AgentId agent : of_org) asked.push_back({agent, true});
    const auto waiting = store::list_outstanding_of(reader, org, asked);
    for (std::size_t i = 0; i < asked.size(); ++i) set_outstanding(asked[i].agent, waiting[i]);
  }
}

void PresenceTable::set_outstanding(AgentId agent, const store::OutstandingOfAgent& waiting) {
  with_agent(agent, [&](AgentPresence& state) {
    state.has_pending_task = waiting.pending;
    state.has_redeliverable_task = waiting.redeliver_at.has_value();
    state.redeliver_at = waiting.redeliver_at.value_or(Instant{});
  });
}

void PresenceTable::follow_silence(store::Reader& reader, std::optional<AgentId> agent) {
  if (agent) {
    const auto state = find_agent(*agent);
    if (!state) return;
    const bool silent = store::find_open_outage(reader, state->org, *agent).has_value();
    const bool flapping = store::is_flapping(reader, state->org, *agent);
    with_agent(*agent, [&](AgentPresence& current) {
      if (current.silent != silent) current.talking_looks = 0;
      current.silent = silent;
      current.flapping = flapping;
    });
    return;
  }
  std::unordered_set<AgentId> silent;
  std::unordered_set<AgentId> flapping;
  for (const AgentId id : store::list_silent_agents(reader)) silent.insert(id);
  for (const store::FlappingRow& row : store::list_flapping(reader)) flapping.insert(row.agent);
  for_each_agent([&](AgentId id, AgentPresence& state) {
    if (state.silent != silent.contains(id)) state.talking_looks = 0;
    state.silent = silent.contains(id);
    state.flapping = flapping.contains(id);
  });
}

std::size_t PresenceTable::merge(store::Reader& reader, Instant since) {
  std::size_t changed = 0;
  for (const store::AgentPresenceRow& row : store::list_agent_presence_since(reader, since)) {
    with_agent(row.agent, [&](AgentPresence& state) {
      if (row.last_seen <= state.last_seen) {
        state.row_mark = mark_of_row(row);
        return;
      }
      // Which server wrote the row last has said what there is; later vitals may be from here.
      const bool said_here = state.last_seen > row.said_at;
      const model::Vitals vitals = state.vitals;
      take_row(state, row);
      if (said_here) state.vitals = vitals;
      state.called = true;
      state.dirty = false;
      state.behind = false;
      ++changed;
    });
  }
  for (const store::HostPresenceRow& row : store::list_host_presence_since(reader, since)) {
    shard(row.host).with([&](Hosts& hosts) {
      auto& [org, presence] = hosts[row.host];
      org = row.org;
      if (row.last_seen <= presence.last_seen) return;
      presence = {row.last_seen, row.agent_version, false};
    });
  }
  return changed;
}

void PresenceTable::take_over_samples(store::Reader& reader) {
  for (const store::AgentPresenceRow& row : store::list_agent_presence(reader)) {
    with_agent(row.agent, [&](AgentPresence& state) {
      state.samples = row.open_samples;
      state.sampled_minute = last_sampled_minute(row.open_samples);
    });
  }
  samples_here_ = true;
}

void PresenceTable::give_up_samples() {
  samples_here_ = false;
  for_each_agent([](AgentId, AgentPresence& state) {
    state.samples.clear();
    state.sampled_minute = 0;
  });
}

std::size_t PresenceTable::flush_often(store::Store& store, Instant now) {
  follow_clock(store, now);
  const Duration every =
      shared_.load(std::memory_order_relaxed) ? shared_rewrite_every : rewrite_every;
  const bool whole = now - Instant{rewritten_ms_.load(std::memory_order_relaxed)} >= every;
  const std::size_t rows = write_rows(store, whole);
  if (whole) rewritten_ms_.store(now.unix_ms, std::memory_order_relaxed);
  return rows;
}

std::size_t PresenceTable::write_rows(store::Store& store, bool whole) {
  std::vector<store::AgentPresenceRow> agent_rows;
  std::vector<store::AgentHeardRow> heard_rows;
  std::vector<store::HostPresenceRow> host_rows;
  FullSegments full;
  for (auto& part : agents_) {
    part.with([&](Agents& agents) {
      for (auto& [id, presence] : agents) {
        if (!presence.called) continue;
        const std::uint64_t mark = mark_of_row(presence);
        const bool heard = std::exchange(presence.dirty, false);
        if (!heard && !(whole && presence.behind)) continue;
        const std::size_t taken = full.take(id, presence);
        presence.behind = !whole && mark == presence.row_mark;
        if (presence.behind) {
          heard_rows.push_back({presence.org, id, presence.last_seen});
          continue;
        }
        agent_rows.push_back(row_of(id, presence));
        agent_rows.back().open_samples.erase(0, taken);
        presence.row_mark = mark;
      }
    });
  }
  for (auto& part : hosts_) {
    part.with([&](Hosts& hosts) {
      for (auto& [id, entry] : hosts) {
        if (!std::exchange(entry.second.dirty, false)) continue;
        host_rows.push_back({entry.first, id, entry.second.last_seen, entry.second.agent_version});
      }
    });
  }
  if (agent_rows.empty() && heard_rows.empty() && host_rows.empty()) return 0;
  try {
    store.write([&](store::Tx& tx) {
      store::set_agent_presence(tx, agent_rows);
      store::set_agent_heard(tx, heard_rows);
      store::set_host_presence(tx, host_rows);
      full.store(tx, *this);
    });
  } catch (const store::StoreError&) {
    // The next flush tries these rows again.
    const auto try_again = [this](AgentId agent) {
      with_agent(agent, [](AgentPresence& presence) {
        presence.dirty = true;
        presence.row_mark = 0;
      });
    };
    for (const auto& row : agent_rows) try_again(row.agent);
    for (const auto& row : heard_rows) try_again(row.agent);
    for (const auto& row : host_rows) touch_host(row.org, row.host, {}, row.last_seen);
    throw;
  }
  return agent_rows.size() + heard_rows.size() + host_rows.size();
}

void PresenceTable::add_agent(AgentId agent, AgentPresence presence) {
  shard(agent).with([&](Agents& agents) { agents.insert_or_assign(agent, std::move(presence)); });
}

void PresenceTable::remove_agent(AgentId agent) {
  shard(agent).with([&](Agents& agents) { agents.erase(agent); });
}

std::optional<AgentPresence> PresenceTable::find_agent(AgentId agent) const {
  return shard(agent).with([&](const Agents& agents) -> std::optional<AgentPresence> {
    const auto found = agents.find(agent);
    if (found == agents.end()) return std::nullopt;
    return found->second;
  });
}

void PresenceTable::touch_agent(AgentId agent, Instant now) {
  with_agent(agent, [&](AgentPresence& presence) {
    if (now <= presence.last_seen) return;
    presence.last_seen = now;
    presence.dirty = true;
  });
}

void PresenceTable::touch_host(OrgId org, HostId host, std::string_view agent_version,
                               Instant now) {
  shard(host).with([&](Hosts& hosts) {
    HostPresence& presence = hosts[host].second;
    hosts[host].first = org;
    presence.last_seen = std::max(presence.last_seen, now);
    if (!agent_version.empty()) presence.agent_version = agent_version;
    presence.dirty = true;
  });
}

void PresenceTable::remove_host(HostId host) {
  shard(host).with([&](Hosts& hosts) { hosts.erase(host); });
}

std::optional<HostPresence> PresenceTable::find_host(OrgId org, HostId host) const {
  return shard(host).with([&](const Hosts& hosts) -> std::optional<HostPresence> {
    const auto found = hosts.find(host);
    if (found == hosts.end() || found->second.first != org) return std::nullopt;
    return found->second.second;
  });
}

}  // namespace muster::fleet
