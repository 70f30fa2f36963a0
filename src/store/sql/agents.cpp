// SPDX-License-Identifier: Apache-2.0
#include "store/sql/agents.h"

#include "base/text.h"
#include "store/sql/heard.h"
#include "store/sql/text_list.h"
#include "store/store.h"

namespace muster::store {

using model::Agent;

namespace {

// With the columns that read_agent() reads, in its order.
#define AGENT_COLUMNS                                                                      \
  "agents.org_id, agents.agent_id, agents.host_id, agents.status, agents.os, agents.arch," \
  " agents.key_hash, agents.key_generation, agents.enrolled_at, agents.token_id,"          \
  " agents.key_offered, agents.key_former, agents.key_former_accepted, agents.key_since,"  \
  " agents.enrolled_from, agents.machine_id, agents.superseded_at, agents.key_offered_at," \
  " agents.key_issued, agents.split_from, agents.alias"
#define SELECT_AGENTS "SELECT " AGENT_COLUMNS " FROM agents"
// With what read_listed() reads after them.
#define SELECT_LISTED_AGENTS                                      \
  "SELECT " AGENT_COLUMNS                                         \
  ", hosts.hostname, hosts.tags, hosts.operator_tags FROM agents" \
  " JOIN hosts ON hosts.org_id = agents.org_id AND hosts.host_id = agents.host_id"

Agent read_agent(const Rows& rows) {
  Agent agent;
  agent.org = rows.number_id<OrgId>(0);
  agent.id = rows.uuid_id<AgentId>(1);
  agent.host = rows.number_id<HostId>(2);
  agent.status = model::parse_agent_status(rows.text(3)).value_or(model::AgentStatus::disabled);
  agent.os = rows.string(4);
  agent.arch = rows.string(5);
  agent.key_hash = rows.key_hash(6);
  agent.keys.current = rows.integer(7);
  agent.enrolled_at = rows.instant(8);
  agent.token = rows.number_id<TokenId>(9);
  agent.keys.offered = rows.maybe_integer(10);
  agent.keys.former = rows.maybe_integer(11);
  agent.keys.former_accepted = rows.boolean(12);
  agent.key_since = rows.maybe_instant(13);
  agent.keys.used = agent.key_since.has_value();
  agent.enrolled_from = rows.string(14);
  agent.machine_id = rows.string(15);
  agent.superseded_at = rows.maybe_instant(16);
  agent.key_offered_at = rows.maybe_instant(17);
  agent.keys.issued = rows.integer(18);
  if (!rows.is_null(19)) {
    agent.origin = {rows.uuid_id<AgentId>(19), rows.uuid_id<AgentId>(20)};
  }
  return agent;
}

AgentPresenceRow read_agent_presence(const Rows& rows) {
  AgentPresenceRow row;
  row.org = rows.number_id<OrgId>(0);
  row.agent = rows.uuid_id<AgentId>(1);
  row.last_seen = rows.instant(2);
  row.agent_version = rows.string(3);
  row.status = rows.string(4);
  if (!rows.is_null(5)) row.current_task = rows.uuid(5);
  if (!rows.is_null(6)) row.last_task_completed = rows.uuid(6);
  if (!rows.is_null(7)) row.vitals = rows.blob(7);
  row.return_mark = rows.integer(8);
  if (!rows.is_null(9)) row.open_samples = rows.blob(9);
  row.said_at = row.last_seen;
  return row;
}

std::vector<Agent> read_agents(Rows rows) {
  std::vector<Agent> agents;
  while (rows.next()) agents.push_back(read_agent(rows));
  return agents;
}

std::vector<ListedAgent> read_listed(Rows rows) {
  std::vector<ListedAgent> agents;
  while (rows.next()) {
    ListedAgent& listed = agents.emplace_back();
    listed.agent = read_agent(rows);
    listed.hostname = rows.string(21);
    listed.tags = decode_text_list(rows.text(22));
    listed.operator_tags = decode_text_list(rows.text(23));
  }
  return agents;
}

// $1 to $5 as BoundFilter has them. Both engines compare replace() octet by octet, which LIKE in
// SQLite does not.
#define AGENTS_FILTERED                                                                        \
  " FROM agents JOIN hosts ON hosts.org_id = agents.org_id AND hosts.host_id = agents.host_id" \
  " WHERE ($1 IS NULL OR agents.org_id = $1) AND ($2 IS NULL OR agents.status = $2)"           \
  " AND ($3 IS NULL OR agents.os = $3)"                                                        \
  " AND ($4 IS NULL OR replace(hosts.hostname_folded, $4, '') <> hosts.hostname_folded)"       \
  " AND ($5 IS NULL OR replace(hosts.tags, $5, '') <> hosts.tags"                              \
  " OR replace(hosts.operator_tags, $5, '') <> hosts.operator_tags)"
#define AGENTS_PAGED " AND agents.agent_id < $6 ORDER BY agents.agent_id DESC LIMIT $7"

struct BoundFilter {
  explicit BoundFilter(const AgentFilter& filter) : org(filter.org) {
    if (filter.status) status = model::agent_status_name(*filter.status);
    if (!filter.os.empty()) os = filter.os;
    if (!filter.hostname.empty()) hostname = fold_case(filter.hostname);
    if (!filter.tag.empty()) tag = text_list_element(filter.tag);
  }
  std::optional<OrgId> org;
  std::optional<std::string> status, os, hostname, tag;
};

}  // namespace

std::vector<ListedAgent> list_agents(Reader& reader, const AgentFilter& filter, AgentId before,
                                     int count) {
  const BoundFilter bound(filter);
  return read_listed(
      reader.query("SELECT " AGENT_COLUMNS
                   ", hosts.hostname, hosts.tags, hosts.operator_tags" AGENTS_FILTERED AGENTS_PAGED,
                   bound.org, bound.status, bound.os, bound.hostname, bound.tag, before, count));
}

std::vector<AgentId> list_agent_ids(Reader& reader, const AgentFilter& filter, AgentId before,
                                    int count) {
  const BoundFilter bound(filter);
  std::vector<AgentId> ids;
  Rows rows = reader.query("SELECT agents.agent_id" AGENTS_FILTERED AGENTS_PAGED, bound.org,
                           bound.status, bound.os, bound.hostname, bound.tag, before, count);
  while (rows.next()) ids.push_back(rows.uuid_id<AgentId>(0));
  return ids;
}

Total count_agents(Reader& reader, const AgentFilter& filter) {
  const BoundFilter bound(filter);
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1" AGENTS_FILTERED " LIMIT $6) AS counted", bound.org,
      bound.status, bound.os, bound.hostname, bound.tag, limits::counted_rows + 1));
}

void insert_agent(Tx& tx, const Agent& agent) {
  std::optional<AgentId> split_from, alias;
  if (agent.origin) {
    split_from = agent.origin->agent;
    alias = agent.origin->alias;
  }
  tx.post(
      "INSERT INTO agents (org_id, agent_id, host_id, status, os, arch, key_hash, key_generation,"
      " enrolled_at, token_id, enrolled_from, machine_id, split_from, alias)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
      agent.org, agent.id, agent.host, model::agent_status_name(agent.status), agent.os, agent.arch,
      agent.key_hash, agent.keys.current, agent.enrolled_at, agent.token, agent.enrolled_from,
      agent.machine_id, split_from, alias);
}

std::optional<Agent> find_agent(Reader& reader, OrgId org, AgentId id) {
  std::vector<Agent> found =
      read_agents(reader.query(SELECT_AGENTS " WHERE org_id = $1 AND agent_id = $2", org, id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<Agent> find_agent_anywhere(Reader& reader, AgentId id) {
  std::vector<Agent> found = read_agents(reader.query(
      SELECT_AGENTS " WHERE org_id IN (SELECT org_id FROM orgs) AND agent_id = $1", id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Agent> list_agents(Reader& reader) {
  return read_agents(reader.query(SELECT_AGENTS " ORDER BY org_id, agent_id"));
}

std::vector<Agent> list_agents_of_host(Reader& reader, OrgId org, HostId host) {
  return read_agents(reader.query(
      SELECT_AGENTS " WHERE org_id = $1 AND host_id = $2 ORDER BY agent_id", org, host));
}

std::vector<ListedAgent> list_agents_of_token(Reader& reader, OrgId org, TokenId token,
                                              AgentId before, int count) {
  return read_listed(
      reader.query(SELECT_LISTED_AGENTS
                   " WHERE agents.org_id = $1 AND agents.token_id = $2"
                   " AND agents.agent_id < $3 ORDER BY agents.agent_id DESC LIMIT $4",
                   org, token, before, count));
}

Total count_agents_of_token(Reader& reader, OrgId org, TokenId token) {
  return read_total(
      reader.query("SELECT count(*) FROM (SELECT 1 FROM agents WHERE org_id = $1 AND token_id = $2"
                   " LIMIT $3) AS counted",
                   org, token, limits::counted_rows + 1));
}

bool set_agent_status(Tx& tx, OrgId org, AgentId id, model::AgentStatus status) {
  return tx.execute("UPDATE agents SET status = $3 WHERE org_id = $1 AND agent_id = $2", org, id,
                    model::agent_status_name(status)) == 1;
}

void set_agent_keys(Tx& tx, const Agent& agent) {
  tx.post(
      "UPDATE agents SET key_hash = $3, key_generation = $4, key_offered = $5, key_former = $6,"
      " key_former_accepted = $7, key_since = $8, key_offered_at = $9, key_issued = $10"
      " WHERE org_id = $1 AND agent_id = $2",
      agent.org, agent.id, agent.key_hash, agent.keys.current, agent.keys.offered,
      agent.keys.former, agent.keys.former_accepted, agent.key_since, agent.key_offered_at,
      agent.keys.issued);
}

std::vector<AgedKey> list_aged_keys(Reader& reader, Instant used_since, const AgedKey& after,
                                    int count) {
  std::vector<AgedKey> keys;
  Rows rows = reader.query(
      "SELECT org_id, agent_id, key_since FROM agents"
      " WHERE status = 'active' AND key_offered IS NULL AND key_since <= $1"
      " AND NOT EXISTS (SELECT 1 FROM agent_clones c WHERE c.org_id = agents.org_id"
      " AND c.agent_id = agents.agent_id)"
      " AND (key_since, agent_id) > ($2, $3) ORDER BY key_since, agent_id LIMIT $4",
      used_since, after.since, after.agent, count);
  while (rows.next()) {
    keys.push_back({rows.number_id<OrgId>(0), rows.uuid_id<AgentId>(1), rows.instant(2)});
  }
  return keys;
}

KeyNumbers get_key_numbers(Reader& reader, Instant overdue_since) {
  Rows rows = reader.query(
      "SELECT count(CASE WHEN key_since IS NULL AND key_offered IS NULL THEN 1 END),"
      " count(CASE WHEN key_since IS NOT NULL AND key_offered IS NULL THEN 1 END),"
      " count(key_offered), count(CASE WHEN key_offered_at < $1 THEN 1 END), min(key_since),"
      " (SELECT count(*) FROM agent_clones), (SELECT count(split_agent) FROM agent_clones)"
      " FROM agents WHERE status = 'active'",
      overdue_since);
  KeyNumbers numbers;
  if (!rows.next()) return numbers;
  numbers.unused = rows.integer(0);
  numbers.current = rows.integer(1);
  numbers.pending = rows.integer(2);
  numbers.overdue = rows.integer(3);
  numbers.oldest_since = rows.maybe_instant(4);
  numbers.cloned = rows.integer(5);
  numbers.splitting = rows.integer(6);
  return numbers;
}

void set_agent_superseded(Tx& tx, const Agent& agent, AgentId by) {
  tx.post(
      "UPDATE agents SET status = 'superseded', superseded_by = $3, superseded_at = $4"
      " WHERE org_id = $1 AND agent_id = $2",
      agent.org, agent.id, by, agent.superseded_at);
}

void set_agent_returned(Tx& tx, const Agent& agent) {
  tx.post(
      "UPDATE agents SET status = 'active', superseded_by = NULL, superseded_at = NULL, host_id = "
      "$3"
      " WHERE org_id = $1 AND agent_id = $2",
      agent.org, agent.id, agent.host);
}

#define AGENT_PRESENCE_COLUMNS                                                             \
  "org_id, agent_id, last_seen, agent_version, status, current_task, last_task_completed," \
  " vitals, return_mark, open_samples"
#define AGENT_PRESENCE_NEWER                                                       \
  " ON CONFLICT (org_id, agent_id) DO UPDATE SET last_seen = excluded.last_seen,"  \
  " agent_version = excluded.agent_version, status = excluded.status,"             \
  " current_task = excluded.current_task,"                                         \
  " last_task_completed = excluded.last_task_completed, vitals = excluded.vitals," \
  " return_mark = excluded.return_mark,"                                           \
  " open_samples = coalesce(excluded.open_samples, agent_presence.open_samples)"   \
  " WHERE excluded.last_seen >= agent_presence.last_seen"

void set_agent_presence(Tx& tx, const std::vector<AgentPresenceRow>& rows) {
  tx.post_batch(
      "INSERT INTO agent_presence (" AGENT_PRESENCE_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" AGENT_PRESENCE_NEWER,
      "INSERT INTO agent_presence (" AGENT_PRESENCE_COLUMNS
      ") SELECT DISTINCT ON (org_id, agent_id) " AGENT_PRESENCE_COLUMNS
      " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY"
      " AS given (" AGENT_PRESENCE_COLUMNS
      ", place) ORDER BY org_id, agent_id, last_seen DESC, place DESC" AGENT_PRESENCE_NEWER,
      rows, [](const AgentPresenceRow& row) {
        return std::array<Param, 10>{
            row.org,
            row.agent,
            row.last_seen,
            row.agent_version,
            row.status,
            row.current_task,
            row.last_task_completed,
            row.vitals.empty() ? std::optional<Blob>() : std::optional(Blob{row.vitals}),
            row.return_mark,
            row.keeps_samples ? std::optional<Blob>() : std::optional(Blob{row.open_samples})};
      });
}

#define SELECT_AGENT_PRESENCE "SELECT " AGENT_PRESENCE_COLUMNS " FROM agent_presence"

std::optional<AgentPresenceRow> find_agent_presence(Reader& reader, OrgId org, AgentId agent) {
  Rows rows =
      reader.query(SELECT_AGENT_PRESENCE " WHERE org_id = $1 AND agent_id = $2", org, agent);
  if (!rows.next()) return std::nullopt;
  AgentPresenceRow row = read_agent_presence(rows);
  row.last_seen = list_heard(reader, {{org, agent, {}}}).later(org, agent, row.last_seen);
  return row;
}

namespace {

std::vector<HostPresenceRow> read_host_presences(Rows rows) {
  std::vector<HostPresenceRow> presence;
  while (rows.next()) {
    presence.push_back(
        {rows.number_id<OrgId>(0), rows.number_id<HostId>(1), rows.instant(2), rows.string(3)});
  }
  return presence;
}

}  // namespace

std::vector<AgentPresenceRow> list_agent_presence(Reader& reader) {
  return list_agent_presence_since(reader, Instant{});
}

std::vector<AgentPresenceRow> list_agent_presence_since(Reader& reader, Instant since) {
  const HeardTimes heard = list_heard(reader);
  std::vector<AgentPresenceRow> presence;
  Rows rows = reader.query(SELECT_AGENT_PRESENCE);
  while (rows.next()) {
    AgentPresenceRow row = read_agent_presence(rows);
    row.last_seen = heard.later(row.org, row.agent, row.last_seen);
    if (row.last_seen >= since) presence.push_back(std::move(row));
  }
  return presence;
}

#define HOST_PRESENCE_NEWER                                                      \
  " ON CONFLICT (org_id, host_id) DO UPDATE SET last_seen = excluded.last_seen," \
  " agent_version = excluded.agent_version"                                      \
  " WHERE excluded.last_seen >= host_presence.last_seen"

void set_host_presence(Tx& tx, const std::vector<HostPresenceRow>& rows) {
  tx.post_batch(
      "INSERT INTO host_presence (org_id, host_id, last_seen, agent_version)"
      " VALUES ($1, $2, $3, $4)" HOST_PRESENCE_NEWER,
      "INSERT INTO host_presence (org_id, host_id, last_seen, agent_version)"
      " SELECT DISTINCT ON (org_id, host_id) org_id, host_id, last_seen, agent_version"
      " FROM unnest($1, $2, $3, $4) WITH ORDINALITY"
      " AS given (org_id, host_id, last_seen, agent_version, place)"
      " ORDER BY org_id, host_id, last_seen DESC, place DESC" HOST_PRESENCE_NEWER,
      rows, [](const HostPresenceRow& row) {
        return std::array<Param, 4>{row.org, row.host, row.last_seen, row.agent_version};
      });
}

std::vector<HostPresenceRow> list_host_presence(Reader& reader) {
  return read_host_presences(
      reader.query("SELECT org_id, host_id, last_seen, agent_version FROM host_presence"));
}

std::vector<HostPresenceRow> list_host_presence_since(Reader& reader, Instant since) {
  return read_host_presences(
      reader.query("SELECT org_id, host_id, last_seen, agent_version FROM host_presence"
                   " WHERE last_seen >= $1",
                   since));
}

void bring_back_last_seen(Tx& tx, Instant now) {
  tx.post("UPDATE agent_presence SET last_seen = $1 WHERE last_seen > $1", now);
  bring_back_heard(tx, now);
  tx.post("UPDATE host_presence SET last_seen = $1 WHERE last_seen > $1", now);
  tx.post("UPDATE hosts SET last_seen = $1 WHERE last_seen > $1", now);
}

#undef AGENTS_PAGED
#undef AGENTS_FILTERED
#undef SELECT_LISTED_AGENTS
#undef SELECT_AGENTS
#undef AGENT_COLUMNS

}  // namespace muster::store
