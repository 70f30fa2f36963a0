// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/config.h"
#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/agent.h"

namespace muster::store {
class Reader;
class Store;
struct AgentPresenceRow;
struct OutstandingOfAgent;
}  // namespace muster::store

namespace muster::fleet {

/// What the server knows of a running agent without asking the store.
struct AgentPresence {
  OrgId org;
  HostId host;
  bool called = false;  // has it called since it enrolled; until then it has no row
  bool dirty = false;   // was heard of since it was stored
  bool behind = false;  // its row has former vitals or samples
  bool silent = false;  // its silence was told, its return not yet
  bool flapping = false;
  std::int32_t talking_looks = 0;  // how often it was found talking while `silent`
  Instant last_seen;
  std::int64_t return_mark = 0;  // of the reason in its last heartbeat; 0: none
  std::string agent_version;
  std::string status;  // idle, executing, updating, error, offline, unknown; empty: no beat yet
  std::optional<Uuid> current_task;
  std::optional<Uuid> last_task_completed;
  model::Vitals vitals;

  std::string samples;  // model/samples: segments that are in no day's row yet, the last one open
  std::int64_t sampled_minute = 0;  // of the last sample, since the Unix epoch

  // What a poll may find, as the store has it since the last commit.
  bool has_pending_task = false;
  bool has_redeliverable_task = false;  // assigned, not started, may be delivered again
  Instant redeliver_at;                 // when the first lease of those ends
  int idle_beats = 0;                   // heartbeats without a task since the last delivery

  std::uint32_t boot = 0;            // model::boot_second of the machine; not stored
  std::uint64_t condition_mark = 0;  // model::mark_of() what it said of itself
  std::uint64_t row_mark = 0;        // of what its row says that a flush must not leave; 0: no row
};

/// A host that is known from reports and inventory heartbeats.
struct HostPresence {
  Instant last_seen;
  std::string agent_version;
  bool dirty = false;
};

/// Who is alive: one table in memory, updated by heartbeats, flushed in batches (mission rule 5).
/// A crash loses at most one flush of last_seen. Safe from several threads.
class PresenceTable {
 public:
  explicit PresenceTable(Instant server_started)
      : server_started_ms_(server_started.unix_ms), clock_ms_(server_started.unix_ms) {}

  /// How old the vitals and the open samples in the rows may be while one server serves alone.
  static constexpr Duration rewrite_every = std::chrono::hours(1);
  /// The same while servers share a fleet: one shows no older vitals of the others' agents.
  static constexpr Duration shared_rewrite_every = std::chrono::minutes(10);

  void load(store::Reader& reader);
  /// Writes all that differs from its rows, and the segments of samples that are full, in one
  /// transaction; returns the rows.
  std::size_t flush(store::Store& store) { return write_rows(store, true); }
  /// As flush(), but of an agent that said nothing new only when it was heard of, a row of a tenth
  /// of the size; its vitals and open samples once every `rewrite_every`, or
  /// `shared_rewrite_every`, which is what a crash loses of them.
  std::size_t flush_often(store::Store& store, Instant now);
  /// Samples are taken by one server of several (fleet/samples.h): from now on by this one, which
  /// goes on where the last one left off, or not. Throws store::StoreError.
  void take_over_samples(store::Reader& reader);
  void give_up_samples();
  bool takes_samples() const { return samples_here_; }

  /// Takes over what the other servers wrote that is later than what this one heard: of agents and
  /// hosts that were heard of since `since`. Returns the agents that it changed. Throws
  /// store::StoreError.
  std::size_t merge(store::Reader& reader, Instant since);
  /// As the rows are now, that another server changed. Throws store::StoreError.
  void follow_agent(store::Reader& reader, const model::Agent& agent);
  void follow_tasks(store::Reader& reader, const std::vector<std::pair<OrgId, AgentId>>& agents);
  /// What a poll of the agent may find, once that is durable.
  void set_outstanding(AgentId agent, const store::OutstandingOfAgent& waiting);
  /// Of one agent, or of all.
  void follow_silence(store::Reader& reader, std::optional<AgentId> agent);

  /// Whether other servers serve the fleet, too.
  void set_shared(bool shared) { shared_.store(shared, std::memory_order_relaxed); }
  /// How long an agent, or a host without one, has to be silent to be offline. What another server
  /// heard is known here two flushes later at most: that one's, and the one after which this
  /// server reads.
  Duration offline_after(const Config& config) const {
    return config.offline_after() + lag(config);
  }
  Duration host_offline_after(const Config& config) const {
    return config.host_offline_after() + lag(config);
  }

  /// Since when the server has listened without a break: what was before is its own silence.
  Instant server_started() const { return {server_started_ms_.load(std::memory_order_relaxed)}; }
  /// The server stood still until now.
  void resume_listening(Instant now) { server_started_ms_.store(now.unix_ms); }

  /// The server's clock says `now`. If it was set back since the last call, or is behind what was
  /// loaded, nobody was heard of later than now: in memory and in the rows. Otherwise whoever was
  /// heard of before would be online until the clock is there again. Throws store::StoreError; the
  /// next call then tries again.
  void follow_clock(store::Store& store, Instant now);

  /// What is to be stored of an agent.
  store::AgentPresenceRow row_of(AgentId agent, const AgentPresence& state) const;

  void add_agent(AgentId agent, AgentPresence presence);
  void remove_agent(AgentId agent);

  /// Calls `use(AgentPresence&)` under the shard's lock; false if the agent is unknown.
  template <typename F>
  bool with_agent(AgentId agent, F&& use) {
    return shard(agent).with([&](Agents& agents) {
      const auto found = agents.find(agent);
      if (found == agents.end()) return false;
      use(found->second);
      return true;
    });
  }
  std::optional<AgentPresence> find_agent(AgentId agent) const;

  /// Any proved call counts as a sign of life; a late message never moves last_seen back.
  void touch_agent(AgentId agent, Instant now);
  void touch_host(OrgId org, HostId host, std::string_view agent_version, Instant now);
  void remove_host(HostId host);
  std::optional<HostPresence> find_host(OrgId org, HostId host) const;

  /// Calls `each(AgentId, const AgentPresence&)` for all, shard by shard.
  template <typename F>
  void for_each_agent(F&& each) const {
    for (const auto& part : agents_) {
      part.with([&](const Agents& agents) {
        for (const auto& [id, presence] : agents) each(id, presence);
      });
    }
  }

  template <typename F>
  void for_each_agent(F&& each) {
    for (auto& part : agents_) {
      part.with([&](Agents& agents) {
        for (auto& [id, presence] : agents) each(id, presence);
      });
    }
  }

 private:
  using Agents = boost::unordered_flat_map<AgentId, AgentPresence, std::hash<AgentId>>;
  using Hosts = std::unordered_map<HostId, std::pair<OrgId, HostPresence>>;
  static constexpr std::size_t shards = 64;

  Guarded<Agents>& shard(AgentId agent) { return agents_[agent.uuid.bytes[15] % shards]; }
  const Guarded<Agents>& shard(AgentId agent) const {
    return agents_[agent.uuid.bytes[15] % shards];
  }
  Guarded<Hosts>& shard(HostId host) { return hosts_[std::hash<HostId>{}(host) % shards]; }
  const Guarded<Hosts>& shard(HostId host) const {
    return hosts_[std::hash<HostId>{}(host) % shards];
  }

  Duration lag(const Config& config) const {
    if (!shared_.load(std::memory_order_relaxed)) return Duration(0);
    return 2 * std::chrono::seconds(config.presence_flush_seconds);
  }

  std::size_t write_rows(store::Store& store, bool whole);

  std::atomic<std::int64_t> server_started_ms_;
  std::atomic<std::int64_t> clock_ms_;  // of the last follow_clock()
  std::atomic<bool> clock_is_behind_ = false;
  std::atomic<std::int64_t> rewritten_ms_ = 0;  // when flush_often() last wrote all
  std::atomic<bool> shared_ = false;
  std::atomic<bool> samples_here_ = true;
  std::array<Guarded<Agents>, shards> agents_;
  std::array<Guarded<Hosts>, shards> hosts_;
};

/// JSON object of the members that were sent, named as on the wire.
std::string encode_vitals(const model::Vitals& vitals);

}  // namespace muster::fleet
