// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/agent.h"
#include "model/health.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

namespace muster::fleet {

class PresenceTable;

/// What happened to an agent within model::health_window.
model::Record agent_record(store::Reader& reader, const model::Agent& agent, Instant now);

/// How a fleet fares. Agents count unless they are disabled or have ended, and in all but
/// `never_called` once they have called.
struct FleetNumbers {
  Instant at;
  std::int64_t never_called = 0;
  std::int64_t agents = 0;
  std::int64_t online = 0;
  std::int64_t offline = 0;
  std::int64_t unknown = 0;
  std::int64_t flapping = 0;
  std::int64_t stale = 0;
  std::int64_t health_sum = 0;  // of model::agent_health
  model::Record week;           // sums over the agents: model::health_window
  model::Record month;          // model::uptime_window; no tasks
  // What hosts report, and how much of it nobody can say is safe (fleet/coverage.h).
  std::int64_t reporting_hosts = 0;
  std::int64_t packages = 0;
  std::int64_t packages_not_assessed = 0;
  std::int64_t hosts_past_support = 0;  // whose distribution release gets no updates any more

  std::optional<double> average_health() const;
};

/// The numbers of every organisation, worked out together at most once a minute whoever asks: one
/// read of the outages of 30 days and of the tasks of 7, and one walk over presence. Safe from
/// several threads.
class FleetHealth {
 public:
  FleetHealth(store::Store& store, const PresenceTable& presence, const Config& config)
      : store_(store), presence_(presence), config_(config) {}

  /// Of one organisation, or of all. At most `fresh_for` old. Throws store::StoreError.
  FleetNumbers show(std::optional<OrgId> org, Instant now);

  static constexpr Duration fresh_for = std::chrono::seconds(60);

 private:
  using ByOrg = std::unordered_map<OrgId, FleetNumbers>;
  ByOrg count(Instant now) const;

  store::Store& store_;
  const PresenceTable& presence_;
  const Config& config_;
  std::mutex mutex_;
  std::optional<Instant> counted_at_;
  ByOrg counted_;
};

}  // namespace muster::fleet
