// SPDX-License-Identifier: Apache-2.0
#include "store/sql/reports.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define SOURCE_COLUMNS                                                                     \
  "host_sources.org_id, host_sources.host_id, host_sources.key_id, host_sources.hostname," \
  " host_sources.package_set, host_sources.package_count, host_sources.matched,"           \
  " host_sources.vulnerabilities, host_sources.reported_at, host_sources.set_hash"

HostSource read_source(const Rows& rows) {
  HostSource source;
  source.org = rows.number_id<OrgId>(0);
  source.host = rows.number_id<HostId>(1);
  source.key = rows.number_id<KeyId>(2);
  source.hostname = rows.string(3);
  source.package_set = rows.key_hash(4);
  source.package_count = rows.integer(5);
  source.matched = rows.integer(6);
  source.vulnerabilities = rows.integer(7);
  source.reported_at = rows.instant(8);
  if (!rows.is_null(9)) source.set_hash = model::SetHash{rows.sha256(9)};
  return source;
}

#define HOLD_COLUMNS                                                         \
  "held_reports.org_id, held_reports.host_id, held_reports.package_set,"     \
  " held_reports.package_count, held_reports.reports, held_reports.held_at," \
  " held_reports.reported_at"

HeldReport read_hold(const Rows& rows) {
  HeldReport held;
  held.org = rows.number_id<OrgId>(0);
  held.host = rows.number_id<HostId>(1);
  held.package_set = rows.key_hash(2);
  held.package_count = rows.integer(3);
  held.reports = rows.integer(4);
  held.held_at = rows.instant(5);
  held.reported_at = rows.instant(6);
  return held;
}

}  // namespace

void set_host_source(Tx& tx, const HostSource& source) {
  tx.post(
      "INSERT INTO host_sources (org_id, host_id, key_id, hostname, package_set, package_count,"
      " matched, vulnerabilities, reported_at, set_hash)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
      " ON CONFLICT (org_id, host_id, key_id) DO UPDATE SET hostname = excluded.hostname,"
      " package_set = excluded.package_set, package_count = excluded.package_count,"
      " matched = excluded.matched, vulnerabilities = excluded.vulnerabilities,"
      " reported_at = excluded.reported_at, set_hash = excluded.set_hash",
      source.org, source.host, source.key, source.hostname, source.package_set,
      source.package_count, source.matched, source.vulnerabilities, source.reported_at,
      source.set_hash);
}

std::optional<HostSource> find_host_source(Reader& reader, OrgId org, HostId host, KeyId key) {
  Rows rows = reader.query("SELECT " SOURCE_COLUMNS
                           " FROM host_sources WHERE org_id = $1 AND host_id = $2 AND key_id = $3",
                           org, host, key);
  if (!rows.next()) return std::nullopt;
  return read_source(rows);
}

void delete_host_source(Tx& tx, OrgId org, HostId host, KeyId key) {
  tx.post("DELETE FROM host_sources WHERE org_id = $1 AND host_id = $2 AND key_id = $3", org, host,
          key);
}

std::vector<ListedSource> list_host_sources(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT " SOURCE_COLUMNS
      ", coalesce(inventory_keys.name, '') FROM host_sources LEFT JOIN inventory_keys"
      " ON inventory_keys.org_id = host_sources.org_id"
      " AND inventory_keys.key_id = host_sources.key_id"
      " WHERE host_sources.org_id = $1 AND host_sources.host_id = $2 ORDER BY host_sources.key_id",
      org, host);
  std::vector<ListedSource> sources;
  while (rows.next()) sources.push_back({read_source(rows), rows.string(10)});
  return sources;
}

void set_held_report(Tx& tx, const HeldReport& held) {
  tx.post(
      "INSERT INTO held_reports (org_id, host_id, package_set, package_count, reports, held_at,"
      " reported_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
      " ON CONFLICT (org_id, host_id) DO UPDATE SET package_set = excluded.package_set,"
      " package_count = excluded.package_count, reports = excluded.reports,"
      " held_at = excluded.held_at, reported_at = excluded.reported_at",
      held.org, held.host, held.package_set, held.package_count, held.reports, held.held_at,
      held.reported_at);
}

std::optional<HeldReport> find_held_report(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT " HOLD_COLUMNS " FROM held_reports WHERE org_id = $1 AND host_id = $2", org, host);
  if (!rows.next()) return std::nullopt;
  return read_hold(rows);
}

void delete_held_report(Tx& tx, OrgId org, HostId host) {
  tx.post("DELETE FROM held_reports WHERE org_id = $1 AND host_id = $2", org, host);
}

std::vector<ListedHold> list_held_reports(Reader& reader, std::optional<OrgId> org, HostId after,
                                          int count) {
  Rows rows =
      reader.query("SELECT " HOLD_COLUMNS
                   ", hosts.hostname, hosts.package_count FROM held_reports JOIN hosts"
                   " ON hosts.org_id = held_reports.org_id AND hosts.host_id = held_reports.host_id"
                   " WHERE ($1 IS NULL OR held_reports.org_id = $1) AND held_reports.host_id > $2"
                   " ORDER BY held_reports.host_id LIMIT $3",
                   org, after, count);
  std::vector<ListedHold> held;
  while (rows.next()) held.push_back({read_hold(rows), rows.string(7), rows.integer(8)});
  return held;
}

Total count_held_reports(Reader& reader, std::optional<OrgId> org) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM held_reports WHERE ($1 IS NULL OR org_id = $1) LIMIT $2)"
      " AS counted",
      org, limits::counted_rows + 1));
}

void set_host_lockfile(Tx& tx, const HostLockfile& lockfile) {
  tx.post(
      "INSERT INTO host_lockfiles (org_id, host_id, path, package_set, package_count,"
      " direct_count, vulnerable_count, vulnerabilities, reported_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
      " ON CONFLICT (org_id, host_id, path) DO UPDATE SET package_set = excluded.package_set,"
      " package_count = excluded.package_count, direct_count = excluded.direct_count,"
      " vulnerable_count = excluded.vulnerable_count,"
      " vulnerabilities = excluded.vulnerabilities, reported_at = excluded.reported_at",
      lockfile.org, lockfile.host, lockfile.path, lockfile.package_set, lockfile.package_count,
      lockfile.direct, lockfile.vulnerable, lockfile.vulnerabilities, lockfile.reported_at);
}

void delete_host_lockfile(Tx& tx, OrgId org, HostId host, std::string_view path) {
  tx.post("DELETE FROM host_lockfiles WHERE org_id = $1 AND host_id = $2 AND path = $3", org, host,
          path);
}

std::vector<HostLockfile> list_host_lockfiles(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT org_id, host_id, path, package_set, package_count, direct_count, vulnerable_count,"
      " vulnerabilities, reported_at FROM host_lockfiles WHERE org_id = $1 AND host_id = $2"
      " ORDER BY path",
      org, host);
  std::vector<HostLockfile> lockfiles;
  while (rows.next()) {
    HostLockfile& lockfile = lockfiles.emplace_back();
    lockfile.org = rows.number_id<OrgId>(0);
    lockfile.host = rows.number_id<HostId>(1);
    lockfile.path = rows.string(2);
    lockfile.package_set = rows.key_hash(3);
    lockfile.package_count = rows.integer(4);
    lockfile.direct = rows.integer(5);
    lockfile.vulnerable = rows.integer(6);
    lockfile.vulnerabilities = rows.integer(7);
    lockfile.reported_at = rows.instant(8);
  }
  return lockfiles;
}

}  // namespace muster::store
