// SPDX-License-Identifier: Apache-2.0
#include "store/sql/orgs.h"

#include <algorithm>

#include "store/store.h"

namespace muster::store {

namespace {

Org read_org(const Rows& rows) {
  return {rows.number_id<OrgId>(0), rows.string(1), rows.instant(2)};
}

}  // namespace

std::vector<Org> list_orgs(Reader& reader) {
  std::vector<Org> orgs;
  Rows rows = reader.query("SELECT org_id, name, created_at FROM orgs ORDER BY org_id");
  while (rows.next()) orgs.push_back(read_org(rows));
  return orgs;
}

std::optional<Org> find_org_by_name(Reader& reader, std::string_view name) {
  Rows rows = reader.query("SELECT org_id, name, created_at FROM orgs WHERE name = $1", name);
  if (!rows.next()) return std::nullopt;
  return read_org(rows);
}

std::optional<Org> find_org(Reader& reader, OrgId id) {
  Rows rows = reader.query("SELECT org_id, name, created_at FROM orgs WHERE org_id = $1", id);
  if (!rows.next()) return std::nullopt;
  return read_org(rows);
}

std::optional<OrgId> insert_org(Tx& tx, std::string_view name, Instant now) {
  Rows rows = tx.query(
      "INSERT INTO orgs (org_id, name, created_at)"
      " VALUES ((SELECT max(org_id) + 1 FROM orgs), $1, $2)"
      " ON CONFLICT (name) DO NOTHING RETURNING org_id",
      name, now);
  if (!rows.next()) return std::nullopt;
  return rows.number_id<OrgId>(0);
}

void date_default_org(Tx& tx, Instant now) {
  tx.post("UPDATE orgs SET created_at = $1 WHERE org_id = 1 AND created_at = 0", now);
}

std::optional<std::string> find_secret(Reader& reader, std::string_view name) {
  Rows rows = reader.query("SELECT sealed FROM secrets WHERE name = $1", name);
  if (!rows.next()) return std::nullopt;
  return std::string(rows.blob(0));
}

void insert_secret(Tx& tx, std::string_view name, std::string_view sealed) {
  tx.post("INSERT INTO secrets (name, sealed) VALUES ($1, $2)", name, Blob{sealed});
}

namespace {

std::vector<Setting> read_settings(Rows rows) {
  std::vector<Setting> settings;
  while (rows.next()) {
    settings.push_back(
        {rows.number_id<OrgId>(0), rows.string(1), rows.string(2), rows.string(3), rows.string(4)});
  }
  return settings;
}

}  // namespace

std::vector<Setting> list_settings(Reader& reader) {
  return read_settings(reader.query("SELECT org_id, scope, scope_id, name, value FROM settings"));
}

std::vector<Setting> list_settings_of(Reader& reader, OrgId org, std::string_view scope,
                                      std::string_view scope_id) {
  return read_settings(
      reader.query("SELECT org_id, scope, scope_id, name, value FROM settings"
                   " WHERE org_id = $1 AND scope = $2 AND scope_id = $3",
                   org, scope, scope_id));
}

void set_setting(Tx& tx, const Setting& setting) {
  tx.post(
      "INSERT INTO settings (org_id, scope, scope_id, name, value) VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (org_id, scope, scope_id, name) DO UPDATE SET value = excluded.value",
      setting.org, setting.scope, setting.scope_id, setting.name, setting.value);
}

void insert_event(Tx& tx, const EventRow& row) {
  insert_events(tx, row.org, {row});
}

void insert_events(Tx& tx, OrgId org, const std::vector<EventRow>& rows) {
  tx.post_batch(
      "INSERT INTO events (org_id, event_id, at, type, agent_id, host_id, details)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      "INSERT INTO events (org_id, event_id, at, type, agent_id, host_id, details)"
      " SELECT $1, given.* FROM unnest($2, $3, $4, $5, $6, $7)"
      " AS given (event_id, at, type, agent_id, host_id, details)",
      org, rows, [](const EventRow& row) {
        return std::array<Param, 6>{row.id, row.at, row.type, row.agent, row.host, row.details};
      });
}

namespace {

#define SELECT_EVENTS                                                                       \
  "SELECT e.org_id, e.event_id, e.at, e.type, e.agent_id, e.host_id, e.details, h.hostname" \
  " FROM events e LEFT JOIN hosts h ON h.org_id = e.org_id AND h.host_id = e.host_id WHERE "
#define EVENT_BOUNDS "e.event_id < $2 AND ($3 IS NULL OR e.at >= $3) AND ($4 IS NULL OR e.at < $4)"
#define OF_ORG " AND ($5 IS NULL OR e.org_id = $5)"
#define OF_TYPE " AND ($6 IS NULL OR e.type = $6)"
#define OF_HOST " AND ($7 IS NULL OR e.host_id = $7)"
#define OF_AGENT " AND ($8 IS NULL OR e.agent_id = $8)"
#define EVENT_PAGE " ORDER BY e.event_id DESC LIMIT $9"

// A condition that may be absent uses no index, so the narrowest filter that is there stands alone.
#define BY_AGENT EVENT_BOUNDS OF_ORG OF_TYPE OF_HOST " AND e.agent_id = $8"
#define BY_HOST EVENT_BOUNDS OF_ORG OF_TYPE OF_AGENT " AND e.host_id = $7"
#define BY_TYPE EVENT_BOUNDS OF_ORG OF_HOST OF_AGENT " AND e.type = $6"
#define BY_ORG EVENT_BOUNDS OF_TYPE OF_HOST OF_AGENT " AND e.org_id = $5"
#define BY_AGE EVENT_BOUNDS OF_ORG OF_TYPE OF_HOST OF_AGENT

// A bound that leaves nothing out is left out itself: PostgreSQL's planner would look for the least
// id of all, behind every deleted row that is not vacuumed yet (ADR 35).
#define FROM_ID "e.event_id >= $1 AND "
#define COUNT_EVENTS(condition) \
  "SELECT count(*) FROM (SELECT 1 FROM events e WHERE " condition " LIMIT $9) AS counted"

Sql event_page_sql(const EventFilter& filter) {
  if (filter.from.value > 0) {
    if (filter.agent) return SELECT_EVENTS FROM_ID BY_AGENT EVENT_PAGE;
    if (filter.host) return SELECT_EVENTS FROM_ID BY_HOST EVENT_PAGE;
    if (filter.type) return SELECT_EVENTS FROM_ID BY_TYPE EVENT_PAGE;
    if (filter.org) return SELECT_EVENTS FROM_ID BY_ORG EVENT_PAGE;
    return SELECT_EVENTS FROM_ID BY_AGE EVENT_PAGE;
  }
  if (filter.agent) return SELECT_EVENTS BY_AGENT EVENT_PAGE;
  if (filter.host) return SELECT_EVENTS BY_HOST EVENT_PAGE;
  if (filter.type) return SELECT_EVENTS BY_TYPE EVENT_PAGE;
  if (filter.org) return SELECT_EVENTS BY_ORG EVENT_PAGE;
  return SELECT_EVENTS BY_AGE EVENT_PAGE;
}

Sql event_count_sql(const EventFilter& filter) {
  if (filter.from.value > 0) {
    if (filter.agent) return COUNT_EVENTS(FROM_ID BY_AGENT);
    if (filter.host) return COUNT_EVENTS(FROM_ID BY_HOST);
    if (filter.type) return COUNT_EVENTS(FROM_ID BY_TYPE);
    if (filter.org) return COUNT_EVENTS(FROM_ID BY_ORG);
    return COUNT_EVENTS(FROM_ID BY_AGE);
  }
  if (filter.agent) return COUNT_EVENTS(BY_AGENT);
  if (filter.host) return COUNT_EVENTS(BY_HOST);
  if (filter.type) return COUNT_EVENTS(BY_TYPE);
  if (filter.org) return COUNT_EVENTS(BY_ORG);
  return COUNT_EVENTS(BY_AGE);
}

}  // namespace

std::vector<EventRow> list_events(Reader& reader, const EventFilter& filter, EventId before,
                                  int count) {
  std::vector<EventRow> events;
  Rows rows = reader.query(event_page_sql(filter), filter.from, std::min(before, filter.below),
                           filter.since, filter.until, filter.org, filter.type, filter.host,
                           filter.agent, count);
  while (rows.next()) {
    EventRow& event = events.emplace_back();
    event.org = rows.number_id<OrgId>(0);
    event.id = rows.number_id<EventId>(1);
    event.at = rows.instant(2);
    event.type = rows.string(3);
    if (!rows.is_null(4)) event.agent = rows.uuid_id<AgentId>(4);
    if (!rows.is_null(5)) event.host = rows.number_id<HostId>(5);
    event.details = rows.string(6);
    if (!rows.is_null(7)) event.hostname = rows.string(7);
  }
  return events;
}

Total count_events(Reader& reader, const EventFilter& filter) {
  return read_total(reader.query(event_count_sql(filter), filter.from, filter.below, filter.since,
                                 filter.until, filter.org, filter.type, filter.host, filter.agent,
                                 limits::counted_rows + 1));
}

std::int64_t delete_old_events(Tx& tx, EventId below, int most) {
  return tx.execute(
      "DELETE FROM events WHERE (org_id, event_id) IN (SELECT org_id, event_id FROM events"
      " WHERE event_id < $1 ORDER BY event_id LIMIT $2)",
      below, most);
}

}  // namespace muster::store
