// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "fleet/outage_groups.h"
#include "fleet/presence.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

class HostDirectory;

/// An agent that is back: what its heartbeat says of why it was away.
struct Return {
  OrgId org;
  AgentId agent;
  HostId host;
  std::string_view reason;           // as the server understands it
  std::string_view reported_reason;  // as the agent said it; empty: it said nothing
  std::string_view process_start_time;
  std::string_view context;           // JSON object as sent; empty: none
  std::optional<Instant> last_heard;  // none: this is its first heartbeat
  bool was_silent = false;            // past the threshold while the server listened, told or not
  model::Vitals last_vitals;
};

/// Ends the outage of the agent, if one is open, and writes `came_online`; first `went_offline` too
/// when the agent was silent past the threshold and is back before anybody looked. While the agent
/// is flapping, or was told of with others that are still away, there is no event, only the row.
void record_return(store::Tx& tx, NumberIds& ids, PresenceTable& presence, const Config& config,
                   const Return& back, Instant now);

/// Ends the outages of agents that were superseded, which nobody else would. Throws
/// store::StoreError.
void end_abandoned_outages(store::Store& store, Instant now);

/// What one look found, in events written.
struct Noticed {
  std::size_t outages = 0;
  std::size_t groups = 0;
  std::size_t returns = 0;
  std::size_t group_returns = 0;
  std::size_t calmed = 0;  // flapping_stopped

  bool empty() const { return outages + groups + returns + group_returns + calmed == 0; }
};

/// Looks for silent agents and tells of them once: `went_offline`, or one `group_offline` for those
/// that fell silent together (fleet/outage_groups), or nothing while an agent is flapping. An
/// outage is told when its row is stored, so a restart repeats nothing and a crash loses nothing.
/// Takes a sample of each agent on its way (fleet/samples), so that heartbeats need not. For one
/// thread.
class OutageWatch {
 public:
  OutageWatch(store::Store& store, NumberIds& ids, PresenceTable& presence,
              const HostDirectory& directory, const Config& config)
      : store_(store), ids_(ids), presence_(presence), directory_(directory), config_(config) {}

  /// Throws store::StoreError; what was not told then is told by a later look.
  Noticed look(Instant now);

 private:
  struct Seen;
  Seen walk(Instant now);
  void tell_outages(std::vector<Silence> silences, std::size_t of_org, Noticed& noticed,
                    Instant now);
  Population population_of(OrgId org, std::size_t of_org) const;
  std::size_t tell_alone(const std::vector<Silence>& members, Instant now);
  bool tell_group(const ToldTogether& group, Instant now);
  void tell_quiet_returns(const std::vector<AgentId>& agents, Noticed& noticed, Instant now);
  void end_groups(Noticed& noticed, Instant now);
  void calm_flapping(Noticed& noticed, Instant now);
  /// Of `members`, those that are still as silent as they were and not told: memory may be behind
  /// `tx`, where a return of this very commit stands already.
  std::vector<Silence> still_silent(store::Tx& tx, const std::vector<Silence>& members) const;

  store::Store& store_;
  NumberIds& ids_;
  PresenceTable& presence_;
  const HostDirectory& directory_;
  const Config& config_;
  std::optional<Instant> last_look_;
};

}  // namespace muster::fleet
