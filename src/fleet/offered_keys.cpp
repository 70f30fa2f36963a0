// SPDX-License-Identifier: Apache-2.0
#include "fleet/offered_keys.h"

#include "fleet/credentials.h"
#include "fleet/nodes.h"

namespace muster::fleet {

OfferedKeys::Knowledge OfferedKeys::ask(AgentId agent, std::int64_t generation) {
  return offers_.with([&](Offers& offers) {
    const auto found = offers.find(agent);
    if (found == offers.end() || found->second.generation != generation) {
      offers.insert_or_assign(agent, Offer{generation, false});
      return Knowledge::fresh;
    }
    return found->second.followed ? Knowledge::followed : Knowledge::asked;
  });
}

void OfferedKeys::set_followed(AgentId agent, std::int64_t generation) {
  offers_.with([&](Offers& offers) {
    const auto found = offers.find(agent);
    if (found == offers.end() || found->second.generation != generation) return;
    found->second.followed = true;
  });
}

void OfferedKeys::keep_only(AgentId agent, std::optional<std::int64_t> offered) {
  offers_.with([&](Offers& offers) {
    const auto found = offers.find(agent);
    if (found != offers.end() && found->second.generation != offered) offers.erase(found);
  });
}

bool may_offer(Credentials& credentials, Nodes& nodes, AgentId agent, std::int64_t generation) {
  OfferedKeys& offered = credentials.offered;
  const auto known = offered.ask(agent, generation);
  if (known == OfferedKeys::Knowledge::fresh) {
    nodes.when_followed([&offered, agent, generation] { offered.set_followed(agent, generation); });
    return offered.ask(agent, generation) == OfferedKeys::Knowledge::followed;
  }
  return known == OfferedKeys::Knowledge::followed;
}

}  // namespace muster::fleet
