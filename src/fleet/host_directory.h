// SPDX-License-Identifier: Apache-2.0
#pragma once

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
/// sites without enrolled agents name their host and must not touch the store. Follows the store on
/// commit. Safe from several threads.
class HostDirectory {
 public:
  struct Known {
    HostId id;
    std::string hostname;
    std::vector<std::string> tags;  // model::all_tags()
  };

  void load(store::Reader& reader);
  void set(const model::Host& host);

  /// By machine id if one is given and known, else by hostname in any case.
  std::optional<Known> find(OrgId org, std::string_view machine_id,
                            std::string_view hostname) const;
  std::optional<Known> find(HostId id) const;

 private:
  struct Table {
    std::unordered_map<std::string, HostId> by_name;  // key: org, kind of name, name
    std::unordered_map<HostId, Known> hosts;
  };
  Guarded<Table> table_;
};

}  // namespace muster::fleet
