// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// When an agent was heard of; of this and its AgentPresenceRow the later holds.
struct AgentHeardRow {
  OrgId org;
  AgentId agent;
  Instant last_seen;
};

/// When agents were heard of, as of a read. Stored in blocks (docs/adr/0021), where the last eight
/// octets of its id stand for an agent; 62 bits of them are random.
class HeardTimes {
 public:
  /// The epoch if nothing is stored.
  Instant find(OrgId org, AgentId agent) const;
  /// The later of the two.
  Instant later(OrgId org, AgentId agent, Instant last_seen) const;

 private:
  friend HeardTimes list_heard(Reader& reader);
  friend HeardTimes list_heard(Reader& reader, const std::vector<AgentHeardRow>& agents);

  boost::unordered_flat_map<std::pair<std::int64_t, std::uint64_t>, std::int64_t> times_;
};

HeardTimes list_heard(Reader& reader);
/// Of these agents; their times are not looked at.
HeardTimes list_heard(Reader& reader, const std::vector<AgentHeardRow>& agents);

/// Writes many at once; never moves last_seen back.
void set_agent_heard(Tx& tx, const std::vector<AgentHeardRow>& rows);
/// Of agents that were heard of later than `now`, by a clock that was set back since.
void bring_back_heard(Tx& tx, Instant now);

}  // namespace muster::store
