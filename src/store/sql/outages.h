// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// A silence of an agent that was told, or only its return; open until it ends.
struct OutageRow {
  OrgId org;
  AgentId agent;
  HostId host;
  Instant since;  // when it was last heard of
  Instant told_at;
  std::optional<Instant> ended_at;
  std::string telling;           // alone, group, flapping, return
  std::optional<EventId> group;  // the event that told of it and others
  std::string cause;
  std::string reason;  // what the agent said when it came back
};
/// A row that is there already stays as it is, unless it has ended and the new one has not: then it
/// is open again, for a clock that was set back gave two silences one beginning.
void insert_outages(Tx& tx, const std::vector<OutageRow>& rows);

/// An agent that memory holds silent.
struct SilentAgent {
  OrgId org;
  AgentId agent;
  Instant last_seen;
};
/// Of `agents`, those of which the store knows better: a later sign of life, or that their silence
/// was told.
std::vector<AgentId> list_heard_or_told(Reader& reader, const std::vector<SilentAgent>& agents);
std::optional<OutageRow> find_open_outage(Reader& reader, OrgId org, AgentId agent);
std::vector<AgentId> list_silent_agents(Reader& reader);
/// Ends the open outage of an agent.
void end_outage(Tx& tx, OrgId org, AgentId agent, Instant at, std::string_view reason);
/// Ends the open outages of agents that were superseded: they never come back.
void end_outages_of_superseded(Tx& tx, Instant at);
/// How often the agent went and came from `since` on; a return that alone was told counts once.
std::int64_t count_presence_changes(Reader& reader, OrgId org, AgentId agent, Instant since);
/// Deletes ended outages and groups told before `before`, at most `most` of each. Returns the
/// outages.
std::int64_t delete_old_outages(Tx& tx, Instant before, int most);

/// Many agents that fell silent together.
struct OutageGroupRow {
  OrgId org;
  EventId id;
  std::string scope;
  std::int64_t agents = 0;
  Instant told_at;
};
void insert_outage_group(Tx& tx, const OutageGroupRow& row);
std::vector<OutageGroupRow> list_open_outage_groups(Reader& reader);
std::int64_t count_open_outages(Reader& reader, OrgId org, EventId group);
/// Agents of a group that are still away, in the order of their ids.
std::vector<OutageRow> list_open_outages(Reader& reader, OrgId org, EventId group, int count);
bool is_open_outage_group(Reader& reader, OrgId org, EventId group);
void end_outage_group(Tx& tx, OrgId org, EventId group, Instant at);

struct FlappingRow {
  OrgId org;
  AgentId agent;
  HostId host;
  Instant since;
};
void insert_flapping(Tx& tx, const FlappingRow& row);
bool is_flapping(Reader& reader, OrgId org, AgentId agent);
std::vector<FlappingRow> list_flapping(Reader& reader);
void delete_flapping(Tx& tx, OrgId org, AgentId agent);

/// Agents whose silence an operator asked for.
std::vector<AgentId> list_disabled_agents(Reader& reader);

}  // namespace muster::store
