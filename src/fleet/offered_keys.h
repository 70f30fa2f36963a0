// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/guarded.h"
#include "base/ids.h"

namespace muster::fleet {

class Credentials;
class Nodes;

/// Which keys that agents are to change to every server is known to accept: few. Never stored: a
/// server that starts asks anew. Safe from several threads.
class OfferedKeys {
 public:
  enum class Knowledge : std::uint8_t { fresh, asked, followed };

  /// What is known of a key of the agent's; asks from now on if it is fresh.
  Knowledge ask(AgentId agent, std::int64_t generation);
  void set_followed(AgentId agent, std::int64_t generation);
  /// The agent is offered that one from now on, or none: what is known of another is forgotten.
  void keep_only(AgentId agent, std::optional<std::int64_t> offered);

 private:
  struct Offer {
    std::int64_t generation = 0;
    bool followed = false;
  };
  using Offers = std::unordered_map<AgentId, Offer>;
  Guarded<Offers> offers_;
};

/// Whether the agent may be given the key in an answer: its next call goes to any server, and one
/// that does not know the key yet would refuse it. At once where there is no other server, else
/// once the others follow, of which the first call asks. Safe from any thread, and never waits.
bool may_offer(Credentials& credentials, Nodes& nodes, AgentId agent, std::int64_t generation);

}  // namespace muster::fleet
