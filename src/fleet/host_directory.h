// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "model/agent.h"

namespace muster::store {
class Reader;
}

namespace muster::fleet {

/// Which host a hostname or machine id means, in memory: heartbeats and configuration calls of
/// sites without enrolled agents name their host and must not touch the store. A name that several
/// hosts have means the one registered last, here as in the store. Follows the store on commit.
/// Safe from several threads.
class HostDirectory {
 public:
  struct Known {
    HostId id;
    std::string hostname;
    std::vector<std::string> tags;  // model::all_tags()
  };

  void load(store::Reader& reader);
  void set(const model::Host& host);
  /// A host that was deleted.
  void erase(HostId host);

  /// By machine id if one is given, known and not shared, else by hostname in any case.
  std::optional<Known> find(OrgId org, std::string_view machine_id,
                            std::string_view hostname) const;
  std::optional<Known> find(HostId id) const;
  /// Grows when the tags of any host change.
  std::uint64_t tag_changes() const { return tag_changes_.load(); }

 private:
  struct Entry {
    Known known;
    std::vector<std::string> names;  // keys of by_name that lead here
  };
  struct Table {
    // Key: org, kind of name, name. Ids ascend, and there is at least one.
    std::unordered_map<std::string, std::vector<HostId>> by_name;
    std::unordered_map<HostId, Entry> hosts;

    /// From now on these names do not lead to the host.
    void unlink(HostId host, const std::vector<std::string>& names);
  };
  Guarded<Table> table_;
  std::atomic<std::uint64_t> tag_changes_ = 0;
};

}  // namespace muster::fleet
