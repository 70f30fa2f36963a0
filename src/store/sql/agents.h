// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/agent.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

void insert_agent(Tx& tx, const model::Agent& agent);
std::optional<model::Agent> find_agent(Reader& reader, OrgId org, AgentId id);
std::optional<model::Agent> find_agent_anywhere(Reader& reader, AgentId id);
/// All of them: for loading memory, never for a request.
std::vector<model::Agent> list_agents(Reader& reader);
std::vector<model::Agent> list_agents_of_host(Reader& reader, OrgId org, HostId host);
/// An agent and what lists show of its host.
struct ListedAgent {
  model::Agent agent;
  std::string hostname;
  std::vector<std::string> tags;  // that the host reports
  std::vector<std::string> operator_tags;
};
/// Which agents a list has; what is not given is any.
struct AgentFilter {
  std::optional<OrgId> org;
  std::optional<model::AgentStatus> status;
  std::string os;
  std::string hostname;  // part of it, in any case
  std::string tag;       // of its host, reported or put by an operator
};
/// Newest first, `before` excluded.
std::vector<ListedAgent> list_agents(Reader& reader, const AgentFilter& filter, AgentId before,
                                     int count);
/// As list_agents(), their ids alone.
std::vector<AgentId> list_agent_ids(Reader& reader, const AgentFilter& filter, AgentId before,
                                    int count);
Total count_agents(Reader& reader, const AgentFilter& filter);
/// Agents that enrolled with a token, newest first, `before` excluded.
std::vector<ListedAgent> list_agents_of_token(Reader& reader, OrgId org, TokenId token,
                                              AgentId before, int count);
Total count_agents_of_token(Reader& reader, OrgId org, TokenId token);
bool set_agent_status(Tx& tx, OrgId org, AgentId id, model::AgentStatus status);
/// Its keys, key_hash, key_since and key_offered_at.
void set_agent_keys(Tx& tx, const model::Agent& agent);

/// A key that is in use by one machine, of an active agent that is offered no other.
struct AgedKey {
  OrgId org;
  AgentId agent;
  Instant since;  // its first use
};
/// Those used since `used_since` or longer: the oldest first, from after `after`.
std::vector<AgedKey> list_aged_keys(Reader& reader, Instant used_since, const AgedKey& after,
                                    int count);
/// Active agents by the state of their keys.
struct KeyNumbers {
  std::int64_t unused = 0;
  std::int64_t current = 0;
  std::int64_t pending = 0;  // are offered another key
  std::int64_t overdue = 0;  // of those, since before `overdue_since`
  std::optional<Instant> oldest_since;
  std::int64_t cloned = 0;     // keys that two machines use
  std::int64_t splitting = 0;  // of those, where one of the machines is to have another
};
KeyNumbers get_key_numbers(Reader& reader, Instant overdue_since);
void set_agent_superseded(Tx& tx, OrgId org, AgentId id, AgentId by);
/// By another agent of its host; with its superseded_at.
void set_agent_superseded(Tx& tx, const model::Agent& agent, AgentId by);
/// Active again, on the host that it has now.
void set_agent_returned(Tx& tx, const model::Agent& agent);

/// Of agents and hosts that were heard of later than `now`, by a clock that was set back since.
void bring_back_last_seen(Tx& tx, Instant now);

/// The last flushed presence of an agent.
struct AgentPresenceRow {
  OrgId org;
  AgentId agent;
  Instant last_seen;
  std::string agent_version;
  std::string status;
  std::optional<Uuid> current_task;
  std::optional<Uuid> last_task_completed;
  std::string vitals;             // model/vitals; empty: none
  std::int64_t return_mark = 0;   // of the return that was told last; 0 once a heartbeat had none
  std::string open_samples = {};  // model/samples: what is in no day's row yet
  bool keeps_samples = false;     // when written: those of the row stay
  Instant said_at = {};           // when read: when the row itself was said, its vitals with it
};
std::optional<AgentPresenceRow> find_agent_presence(Reader& reader, OrgId org, AgentId agent);
/// Writes many at once; never moves last_seen back.
void set_agent_presence(Tx& tx, const std::vector<AgentPresenceRow>& rows);
std::vector<AgentPresenceRow> list_agent_presence(Reader& reader);
/// Of those last heard of at `since` or later.
std::vector<AgentPresenceRow> list_agent_presence_since(Reader& reader, Instant since);

struct HostPresenceRow {
  OrgId org;
  HostId host;
  Instant last_seen;
  std::string agent_version;
};
void set_host_presence(Tx& tx, const std::vector<HostPresenceRow>& rows);
std::vector<HostPresenceRow> list_host_presence(Reader& reader);
std::vector<HostPresenceRow> list_host_presence_since(Reader& reader, Instant since);

void insert_host(Tx& tx, const model::Host& host);
/// Rewrites all but the id, first_seen, the operators' tags and machine_shared.
void set_host(Tx& tx, const model::Host& host);
void set_host_operator_tags(Tx& tx, const model::Host& host);
/// Only what every report changes: when it came, and the packages. Touches no index.
void set_host_reported(Tx& tx, const model::Host& host);
/// With its findings, its images, what it told of and what was accepted on it. What counts on a
/// package set is released before. Its events, results and tasks stay.
void delete_host(Tx& tx, OrgId org, HostId id);
std::optional<model::Host> find_host(Reader& reader, OrgId org, HostId id);
/// The host that a machine id names, of several the one registered last: none if it is empty or
/// shared.
std::optional<model::Host> find_host_by_machine(Reader& reader, OrgId org,
                                                std::string_view machine_id);
/// Those with a machine id, shared or not, seen last first.
std::vector<model::Host> list_hosts_of_machine(Reader& reader, OrgId org,
                                               std::string_view machine_id, int count);
/// Those of a name in an organisation, seen last first; names compare folded.
std::vector<model::Host> list_hosts_named(Reader& reader, OrgId org, std::string_view hostname,
                                          int count);
/// From now on the id names none of its hosts.
void set_machine_shared(Tx& tx, OrgId org, std::string_view machine_id);
/// The host that a hostname means: of several the one registered last. Names compare folded.
std::optional<model::Host> find_host_by_hostname(Reader& reader, OrgId org,
                                                 std::string_view hostname);
/// Hosts of that name in every other organisation.
std::vector<model::Host> list_hosts_elsewhere(Reader& reader, OrgId org, std::string_view hostname);
/// Which hosts to list; what is not given leaves nothing out.
struct HostFilter {
  std::optional<OrgId> org;
  std::string hostname;  // within their names, in any case
  std::string tag;       // one that they report or that operators gave them
};
/// In the order of their ids, from after `after`.
std::vector<model::Host> list_hosts(Reader& reader, const HostFilter& filter, HostId after,
                                    int count);
Total count_hosts(Reader& reader, const HostFilter& filter);
std::vector<model::Host> list_hosts_named(Reader& reader, std::string_view hostname);

}  // namespace muster::store
