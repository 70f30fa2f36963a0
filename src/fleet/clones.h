// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/lineage.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

class Credentials;

/// A machine as one of its heartbeats shows it.
struct Sight {
  std::string hostname;    // empty: the agent does not say
  std::string address;     // of the peer
  std::uint32_t boot = 0;  // when it booted: model::boot_second()
};
/// Two machines that call with one key.
struct Clone {
  Sight older;  // booted first
  Sight newer;
};

/// Watches agents whose boot time goes back, in memory: a restart forgets what was not told yet,
/// and a clone that goes on calling is found again. Of several servers each sees its own calls.
/// Safe from several threads.
class CloneWatch {
 public:
  /// Takes a heartbeat that moved the boot time of its agent. Returns the machines once it went
  /// back three times within limits::clone_window, at most once in that time.
  std::optional<Clone> note(AgentId agent, model::BootMove move, Sight sight, Instant now);
  /// One of the machines was handed a key of its own: what was seen before tells nothing any more.
  void forget(AgentId agent);

 private:
  struct Suspect {
    model::Turns turns;
    Instant told;
    Clone machines;
  };
  using Suspects = std::unordered_map<AgentId, Suspect>;
  Guarded<Suspects> suspects_;
};

/// Records what the watch found. The first time it is an event; later it is only confirmed, and a
/// split that waits goes by what was seen last.
void record_clone(store::Tx& tx, NumberIds& ids, Credentials& credentials, OrgId org, AgentId agent,
                  HostId host, const Clone& clone, Instant now);

/// Forgets clones that were not confirmed for limits::clone_memory: the other machine is gone, or
/// has enrolled. Returns how many. Throws store::StoreError.
std::int64_t forget_clones(store::Store& store, Instant now);

}  // namespace muster::fleet
