// SPDX-License-Identifier: Apache-2.0
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::store {

using model::Finding;

namespace {

constexpr std::int64_t severity_above_all = 1000;

#define FINDING_COLUMNS                                                            \
  "f.org_id, f.finding_id, f.host_id, f.package_id, f.feed, f.advisory_id, f.cve," \
  " f.severity, f.status, f.opened_at, f.resolved_at, f.resolution, f.evidence"
#define FINDING_VIEW                                                        \
  "SELECT " FINDING_COLUMNS                                                 \
  ", p.name, p.version, p.vendor, p.ecosystem, p.distro, p.source_name,"    \
  " p.source_version, p.arch, p.cpe, h.hostname, k.cve IS NOT NULL,"        \
  " e.probability, e.percentile FROM findings f"                            \
  " JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id" \
  " JOIN hosts h ON h.org_id = f.org_id AND h.host_id = f.host_id"          \
  " LEFT JOIN kev_entries k ON k.cve = f.cve"                               \
  " LEFT JOIN feeds s ON s.feed = 'epss'"                                   \
  " LEFT JOIN epss_scores e ON e.generation = s.generation AND e.cve = f.cve"

/// A FindingFilter as $1 to $6.
#define FINDING_FILTER                                                                     \
  "($1 IS NULL OR f.org_id = $1) AND ($2 IS NULL OR f.host_id = $2)"                       \
  " AND ($3 IS NULL OR f.cve = $3) AND f.severity >= $4 AND ($5 = 0 OR f.status = 'open')" \
  " AND ($6 = 0 OR k.cve IS NOT NULL)"

Finding read_finding(const Rows& rows) {
  Finding finding;
  finding.org = rows.number_id<OrgId>(0);
  finding.id = rows.number_id<FindingId>(1);
  finding.host = rows.number_id<HostId>(2);
  finding.package = rows.number_id<PackageId>(3);
  finding.feed = rows.string(4);
  finding.advisory_id = rows.string(5);
  finding.cve = rows.maybe_string(6);
  finding.severity = static_cast<model::Severity>(rows.integer(7));
  finding.open = rows.text(8) == "open";
  finding.opened_at = rows.instant(9);
  finding.resolved_at = rows.maybe_instant(10);
  finding.resolution = rows.string(11);
  finding.evidence = rows.string(12);
  return finding;
}

std::vector<FindingView> read_views(Rows rows) {
  std::vector<FindingView> views;
  while (rows.next()) {
    FindingView& view = views.emplace_back();
    view.finding = read_finding(rows);
    view.package.name = rows.string(13);
    view.package.version = rows.string(14);
    view.package.vendor = rows.string(15);
    view.package.ecosystem = model::parse_ecosystem(rows.text(16));
    view.package.distro = rows.string(17);
    view.package.source_name = rows.string(18);
    view.package.source_version = rows.string(19);
    view.package.arch = rows.string(20);
    view.package.cpe = rows.string(21);
    view.hostname = rows.string(22);
    view.known_exploited = rows.boolean(23);
    if (rows.is_null(24)) continue;
    view.epss = {*view.finding.cve, static_cast<std::int32_t>(rows.integer(24)),
                 static_cast<std::int32_t>(rows.integer(25))};
  }
  return views;
}

}  // namespace

void open_finding(Tx& tx, const Finding& finding) {
  tx.post(
      "INSERT INTO findings (org_id, finding_id, host_id, package_id, feed, advisory_id, cve,"
      " severity, status, opened_at, resolution, evidence)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, '', $10)"
      " ON CONFLICT (org_id, host_id, package_id, feed, advisory_id) DO UPDATE SET"
      " opened_at = CASE WHEN findings.status = 'open' THEN findings.opened_at"
      " ELSE excluded.opened_at END, cve = excluded.cve, severity = excluded.severity,"
      " status = 'open', resolved_at = NULL, resolution = '', evidence = excluded.evidence",
      finding.org, finding.id, finding.host, finding.package, finding.feed, finding.advisory_id,
      finding.cve, static_cast<std::int64_t>(finding.severity), finding.opened_at,
      finding.evidence);
}

std::int64_t resolve_findings_of_package(Tx& tx, OrgId org, HostId host, PackageId package,
                                         std::string_view resolution, Instant now) {
  return tx.execute(
      "UPDATE findings SET status = 'resolved', resolved_at = $4, resolution = $5"
      " WHERE org_id = $1 AND host_id = $2 AND package_id = $3 AND status = 'open'",
      org, host, package, now, resolution);
}

void resolve_finding(Tx& tx, OrgId org, FindingId id, std::string_view resolution, Instant now) {
  tx.post(
      "UPDATE findings SET status = 'resolved', resolved_at = $3, resolution = $4"
      " WHERE org_id = $1 AND finding_id = $2 AND status = 'open'",
      org, id, now, resolution);
}

std::vector<OpenHosts> count_hosts_with_cve(Reader& reader, std::string_view cve) {
  std::vector<OpenHosts> counts;
  Rows rows = reader.query(
      "SELECT org_id, count(DISTINCT host_id) FROM (SELECT org_id, host_id FROM findings"
      " WHERE org_id IN (SELECT org_id FROM orgs) AND cve = $1 AND status = 'open'"
      " UNION ALL SELECT h.org_id, h.host_id FROM image_findings f"
      " JOIN host_images h ON h.org_id = f.org_id AND h.image_id = f.image_id"
      " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.cve = $1 AND f.status = 'open'"
      " AND h.retired_at IS NULL) AS hosts GROUP BY org_id ORDER BY org_id",
      cve);
  while (rows.next()) counts.push_back({rows.number_id<OrgId>(0), rows.integer(1)});
  return counts;
}

std::int64_t count_open_findings(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT count(*) FROM findings WHERE org_id = $1 AND host_id = $2 AND status = 'open'", org,
      host);
  rows.next();
  return rows.integer(0);
}

std::vector<Finding> list_open_findings_of_host(Reader& reader, OrgId org, HostId host) {
  std::vector<Finding> findings;
  Rows rows = reader.query("SELECT " FINDING_COLUMNS
                           " FROM findings f WHERE f.org_id = $1 AND f.host_id = $2"
                           " AND f.status = 'open'",
                           org, host);
  while (rows.next()) findings.push_back(read_finding(rows));
  return findings;
}

std::vector<Finding> list_open_findings_of_package(Reader& reader, OrgId org, HostId host,
                                                   PackageId package) {
  std::vector<Finding> findings;
  Rows rows = reader.query("SELECT " FINDING_COLUMNS
                           " FROM findings f WHERE f.org_id = $1 AND f.host_id = $2"
                           " AND f.package_id = $3 AND f.status = 'open'",
                           org, host, package);
  while (rows.next()) findings.push_back(read_finding(rows));
  return findings;
}

std::optional<FindingView> find_finding(Reader& reader, FindingId id) {
  std::vector<FindingView> found = read_views(reader.query(
      FINDING_VIEW " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.finding_id = $1", id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<FindingView> list_findings(Reader& reader, const FindingFilter& filter, int count) {
  const FindingPlace after =
      filter.after.value_or(FindingPlace{true, severity_above_all, FindingId{number_id_max}});
  return read_views(reader.query(
      FINDING_VIEW
      " WHERE " FINDING_FILTER
      " AND (CASE WHEN k.cve IS NULL THEN 0 ELSE 1 END, f.severity, f.finding_id) < ($7, $8, $9)"
      " ORDER BY CASE WHEN k.cve IS NULL THEN 0 ELSE 1 END DESC, f.severity DESC,"
      " f.finding_id DESC LIMIT $10",
      filter.org, filter.host, filter.cve, filter.severity_min, filter.open_only,
      filter.known_exploited, after.known_exploited, after.severity, after.id, count));
}

Total count_findings(Reader& reader, const FindingFilter& filter) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM findings f"
      " LEFT JOIN kev_entries k ON k.cve = f.cve WHERE " FINDING_FILTER " LIMIT $7) AS counted",
      filter.org, filter.host, filter.cve, filter.severity_min, filter.open_only,
      filter.known_exploited, limits::counted_rows + 1));
}

}  // namespace muster::store
