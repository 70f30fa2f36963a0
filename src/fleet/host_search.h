// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "fleet/presence.h"
#include "model/host_query.h"
#include "store/sql/host_search.h"
#include "store/total.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

/// Which hosts a query means (model/host_query.h). The answer is exact: every host is looked at.
namespace muster::fleet {

/// A host that a query means.
struct FoundHost {
  OrgId org;
  HostId id;
};

/// One walk over the hosts of one moment, in the order of their ids. What is the same for many
/// hosts (packages, sets, CVEs) is read once, what memory knows is asked of memory, and the rest
/// for some thousand hosts at a time. Its query names no group (fleet/saved_views.h writes them
/// out). Lives no longer than its reader and its query; for one thread. Throws store::StoreError.
class HostSearch {
 public:
  HostSearch(store::Reader& reader, const PresenceTable& presence, const Config& config,
             const model::HostQuery& query, std::optional<OrgId> org, HostId after, Instant now);

  /// The next host that is meant. Nothing after the last, and after limits::searched_hosts.
  std::optional<FoundHost> next();
  /// The newest agent of a host that has not ended.
  std::optional<AgentId> agent_of(HostId host);
  /// Whether it ended at limits::searched_hosts, and not with the last host.
  bool is_cut_short() const { return cut_short_; }
  /// The last host that was looked at.
  HostId place() const { return after_; }

 private:
  /// What memory knows of a host's agents.
  struct Heard {
    AgentId newest;
    Instant last_seen;
    std::string agent_version;
  };
  /// By their set: of the package terms (a bit each, in the order of `packages_`) those that hold.
  using SetMarks =
      boost::unordered_flat_map<crypto::KeyHash, std::uint32_t, std::hash<crypto::KeyHash>>;

  void read_memory();
  bool read_batch();
  void read_of_org(const store::HostRange& hosts);
  void read_sets(OrgId org);
  bool holds(const model::HostQuery& query, const store::SearchedHost& host) const;
  bool holds(const model::HostTerm& term, const store::SearchedHost& host) const;
  bool os_matches(const model::HostTerm& term, const store::SearchedHost& host) const;
  bool version_matches(const model::HostTerm& term, const store::SearchedHost& host) const;
  bool has_package(const model::HostTerm& term, const store::SearchedHost& host) const;
  bool is_listed(const model::HostTerm& term, HostId host) const;
  model::AgentState agent_state(HostId host) const;
  model::Presence presence_of(const store::SearchedHost& host) const;
  Instant last_seen(const store::SearchedHost& host) const;
  const Heard* heard_of(HostId host) const;

  store::Reader& reader_;
  const PresenceTable& presence_;
  const Config& config_;
  const model::HostQuery& query_;
  std::optional<OrgId> org_;
  HostId after_;
  Instant now_;
  std::int64_t looked_at_ = 0;
  bool cut_short_ = false;
  int batch_rows_;
  bool asks_agents_ = false;  // of the store

  bool knows_agents_ = false;  // heard_ has been read
  boost::unordered_flat_map<HostId, Heard, std::hash<HostId>> heard_;
  std::vector<const model::HostTerm*> packages_;
  std::map<OrgId, SetMarks> sets_;
  /// Of each term about findings, the hosts for which it holds, ascending: of CVEs all those of the
  /// organisations that were met, of others those of the batch.
  std::map<const model::HostTerm*, std::vector<HostId>> listed_;

  std::vector<store::SearchedHost> batch_;
  std::unordered_map<HostId, store::SearchedAgent> agents_;  // of the batch
  std::size_t at_ = 0;
};

/// How many hosts a search finds that has found `found` of them: it goes on to its end, or until
/// there are more than limits::counted_rows.
store::Total count_found(HostSearch& search, std::int64_t found);

/// All hosts that a query means.
class MeantHosts {
 public:
  void add(OrgId org, HostId host) { hosts_.emplace_back(org, host); }
  /// After all were added.
  void sort() { std::sort(hosts_.begin(), hosts_.end()); }
  bool contains(OrgId org, HostId host) const {
    return std::binary_search(hosts_.begin(), hosts_.end(), std::pair(org, host));
  }

 private:
  std::vector<std::pair<OrgId, HostId>> hosts_;
};
/// Fails with invalid_field of `query` when it is for more hosts than one search looks at.
Result<MeantHosts> list_meant_hosts(store::Store& store, const PresenceTable& presence,
                                    const Config& config, const model::HostQuery& query,
                                    std::optional<OrgId> org, Instant now);

/// An agent that is to be given work.
struct Target {
  HostId host;
  AgentId agent;
  std::string hostname;
};
/// The agents of the hosts that a query means.
struct Targets {
  std::vector<Target> agents;  // by host
  std::int64_t hosts = 0;      // that the query means
  std::int64_t without_agent = 0;
};
/// Fails with invalid_field of `query` when it means no agent, or more than limits::task_targets.
Result<Targets> find_targets(store::Store& store, const PresenceTable& presence,
                             const Config& config, const model::HostQuery& query,
                             std::optional<OrgId> org, Instant now);

}  // namespace muster::fleet

namespace muster::limits {

/// Hosts that one search looks at, about half a second: a list goes on with its next page, and its
/// total is "at least".
inline constexpr std::int64_t searched_hosts = 250'000;

}  // namespace muster::limits
