// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

class Credentials;
struct RetiredKey;

/// Calls with a key that its agent has given up for a newer one: the machine was restored from
/// before the rotation, or is a copy from then. Such a call is refused like any other; that it came
/// is an event, once per agent and hour of a server's life. Safe from several threads.
class RetiredKeyWatch {
 public:
  explicit RetiredKeyWatch(Credentials& credentials) : credentials_(credentials) {}

  /// Takes a refused call that presented a key of this hash as `claimed`'s. Nothing but memory. The
  /// key, if it is such a one.
  std::optional<RetiredKey> note(const crypto::KeyHash& presented, AgentId claimed,
                                 std::string_view address, Instant now);

  /// Writes the events of what was noted; it is kept when the store fails. Returns how many.
  /// Throws store::StoreError.
  std::size_t tell(store::Store& store, NumberIds& ids);

 private:
  struct Use {
    OrgId org;
    AgentId agent;
    HostId host;
    std::int64_t generation = 0;
    std::string address;
    Instant at;
  };
  Credentials& credentials_;
  Guarded<std::vector<Use>> uses_;
};

}  // namespace muster::fleet
