// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::fleet {

/// An agent that is silent past the threshold, and nobody was told.
struct Silence {
  OrgId org;
  AgentId agent;
  HostId host;
  Instant last_seen;
  Instant began;  // last_seen, but not before the server listened
  std::string_view cause;
};

/// When silences are one event ([presence] group_*).
struct GroupRules {
  Duration offline_after{};
  Duration window{};         // their beginnings lie within
  std::size_t agents = 0;    // at least so many
  std::int64_t percent = 0;  // and at least this share of those that were not silent yet
};

/// Agents to tell of together; alone when `scope` is empty.
struct ToldTogether {
  std::string scope;  // organisation, or tag:NAME
  std::vector<Silence> members;
};

/// What groups are measured against.
struct Population {
  std::size_t of_org = 0;  // agents whose silence was not told, those that are silent now included
  std::function<std::vector<std::string>(HostId)> tags;
  std::function<std::size_t(const std::string& tag)> of_tag;
};

/// Which silences of one organisation are due, and which of them are one event. A silence is due
/// `window` after it passed the threshold: then everything that began within the window after it
/// has passed the threshold too. Those are one event if there are `agents` of them or more and they
/// are `percent` of the organisation; else those of each tag by the same measure, the largest tag
/// first; what is left is told one by one, or, where that would be more than limits::lone_outages
/// events, as one event all the same.
std::vector<ToldTogether> due_outages(std::vector<Silence> silences, const GroupRules& rules,
                                      const Population& population, Instant now);

}  // namespace muster::fleet
