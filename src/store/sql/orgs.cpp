// SPDX-License-Identifier: Apache-2.0
#include "store/sql/orgs.h"

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

std::vector<Setting> list_settings(Reader& reader) {
  std::vector<Setting> settings;
  Rows rows = reader.query("SELECT org_id, scope, scope_id, name, value FROM settings");
  while (rows.next()) {
    settings.push_back(
        {rows.number_id<OrgId>(0), rows.string(1), rows.string(2), rows.string(3), rows.string(4)});
  }
  return settings;
}

void set_setting(Tx& tx, const Setting& setting) {
  tx.post(
      "INSERT INTO settings (org_id, scope, scope_id, name, value) VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (org_id, scope, scope_id, name) DO UPDATE SET value = excluded.value",
      setting.org, setting.scope, setting.scope_id, setting.name, setting.value);
}

void insert_audit(Tx& tx, const AuditRow& row) {
  tx.post(
      "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      row.org, row.id, row.at, row.actor, row.action, row.target, row.details);
}

std::vector<AuditRow> list_audit(Reader& reader, AuditId before, int count) {
  std::vector<AuditRow> audit;
  Rows rows = reader.query(
      "SELECT org_id, audit_id, at, actor, action, target, details FROM audit"
      " WHERE audit_id < $1 ORDER BY audit_id DESC LIMIT $2",
      before, count);
  while (rows.next()) {
    audit.push_back({rows.number_id<OrgId>(0), rows.number_id<AuditId>(1), rows.instant(2),
                     rows.string(3), rows.string(4), rows.string(5), rows.string(6)});
  }
  return audit;
}

Total count_audit(Reader& reader) {
  return read_total(reader.query("SELECT count(*) FROM (SELECT 1 FROM audit LIMIT $1) AS counted",
                                 limits::counted_rows + 1));
}

void insert_event(Tx& tx, const EventRow& row) {
  tx.post(
      "INSERT INTO events (org_id, event_id, at, type, agent_id, host_id, details)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      row.org, row.id, row.at, row.type, row.agent, row.host, row.details);
}

std::vector<EventRow> list_events(Reader& reader, std::optional<HostId> host, EventId before,
                                  int count) {
  std::vector<EventRow> events;
  Rows rows = reader.query(
      "SELECT org_id, event_id, at, type, agent_id, host_id, details FROM events"
      " WHERE event_id < $1 AND ($2 IS NULL OR host_id = $2) ORDER BY event_id DESC LIMIT $3",
      before, host, count);
  while (rows.next()) {
    EventRow& event = events.emplace_back();
    event.org = rows.number_id<OrgId>(0);
    event.id = rows.number_id<EventId>(1);
    event.at = rows.instant(2);
    event.type = rows.string(3);
    if (!rows.is_null(4)) event.agent = rows.uuid_id<AgentId>(4);
    if (!rows.is_null(5)) event.host = rows.number_id<HostId>(5);
    event.details = rows.string(6);
  }
  return events;
}

Total count_events(Reader& reader, std::optional<HostId> host) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM events WHERE ($1 IS NULL OR host_id = $1) LIMIT $2)"
      " AS counted",
      host, limits::counted_rows + 1));
}

}  // namespace muster::store
