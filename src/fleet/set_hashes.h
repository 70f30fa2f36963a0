// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/config.h"
#include "base/guarded.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/report_sets.h"
#include "model/agent.h"
#include "model/set_hash.h"

namespace muster::store {
class Reader;
class Tx;
}  // namespace muster::store

/// Mission rule 12. A reporter may name the hash of what it has (model/set_hash.h): with a report,
/// and with every heartbeat. Where the server has something else, it asks for all of it: a message
/// was lost, came late or came twice. What such a reporter told of is what counts, not what the
/// host has: without what is held for review (fleet/held_reports.h), and each second source for
/// itself.
///
/// Reporters that name none cost nothing: their hashes are neither kept nor computed.
namespace muster::fleet {

/// Of stored packages, from scratch.
model::SetHash hash_of_set(store::Reader& reader, OrgId org, const PackageIds& packages);
/// Of `after`, from that of `before`.
model::SetHash rolled(store::Reader& reader, OrgId org, model::SetHash hash,
                      const PackageIds& before, const PackageIds& after);

/// How a report's hashes stand to what its reporter told before.
enum class Footing : std::uint8_t {
  sound,     // it is of that, or does not say
  repeated,  // what it says is the case already: a copy of the last one
  elsewhere  // it is of something else: the server must not follow it
};
Footing footing_of(const InventoryReport& report, const model::SetHash& told);

/// What a delta of something else is answered: set_hash_mismatch.
Error send_all_of_it();

/// Asks the host for a full report until one is stored, and says so in one event. Nothing if it is
/// asked already.
void record_drift(store::Tx& tx, const Inventory& inventory, const model::Host& host,
                  const model::SetHash& ours, const model::SetHash& theirs, Instant now);

/// What heartbeats and configuration calls ask of a host's reports, in memory. Follows the store on
/// commit. Safe from several threads.
class ReportMarks {
 public:
  struct Mark {
    std::optional<model::SetHash> set_hash;  // that its reporter named and the server agreed with
    std::optional<Instant> last_full_at;
    std::optional<AgentId> reporter;  // none: a site
  };
  static Mark of(const model::Host& host) {
    return {host.set_hash, host.last_full_at, host.software_agent};
  }

  void load(store::Reader& reader);
  void set(HostId host, const Mark& mark);
  /// A host that was deleted.
  void erase(HostId host);
  std::optional<Mark> find(HostId host) const;

  /// Whether the last full report of a host is older than [inventory] full_report_days, and it is
  /// this reporter who has to send one.
  bool full_is_due(HostId host, std::optional<AgentId> reporter, const Config& config,
                   Instant now) const;
  /// Whether a reporter that names `said` may have told of something else, or another one speaks
  /// for the host: worth asking the store.
  bool may_differ(HostId host, std::optional<AgentId> reporter, const model::SetHash& said) const;

 private:
  using Marks = boost::unordered_flat_map<HostId, Mark, std::hash<HostId>>;
  static constexpr std::size_t shards = 64;
  Guarded<Marks>& shard(HostId host) { return marks_[std::hash<HostId>{}(host) % shards]; }
  const Guarded<Marks>& shard(HostId host) const {
    return marks_[std::hash<HostId>{}(host) % shards];
  }

  std::array<Guarded<Marks>, shards> marks_;
};

/// Who names a hash in a heartbeat.
struct Teller {
  OrgId org;
  HostId host;
  std::optional<AgentId> agent;  // none: the site with `key`
  KeyId key;
};
/// Compares what a reporter says it told of with what is stored of it, when memory had doubts.
/// Returns whether it is to send all of it; records a drift of the host's own software.
bool check_told_set(store::Tx& tx, const Inventory& inventory, const Teller& teller,
                    const model::SetHash& said, Instant now);

}  // namespace muster::fleet
