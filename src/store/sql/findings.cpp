// SPDX-License-Identifier: Apache-2.0
#include "store/sql/findings.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/limits.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::store {

using model::Finding;

namespace {

constexpr std::int64_t severity_unknown = static_cast<std::int64_t>(model::Severity::unknown);
constexpr std::int64_t severity_above_all = 1000;

#define FINDING_COLUMNS                                                            \
  "f.org_id, f.finding_id, f.host_id, f.package_id, f.feed, f.advisory_id, f.cve," \
  " f.severity, f.known_exploited, f.status, f.acceptance_id, f.opened_at,"        \
  " f.resolved_at, f.resolution, f.evidence"
#define FINDING_VIEW_OF(findings)                                                    \
  "SELECT " FINDING_COLUMNS                                                          \
  ", p.name, p.version, p.vendor, p.ecosystem, p.distro, p.source_name,"             \
  " p.source_version, p.arch, p.cpe, h.hostname, e.probability, e.percentile,"       \
  " a.scope, a.subject, a.package, a.flaw, a.severity, a.known_exploited, a.reason," \
  " a.accepted_by, a.accepted_at, a.ends_at FROM " findings                          \
  " f JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id"        \
  " JOIN hosts h ON h.org_id = f.org_id AND h.host_id = f.host_id"                   \
  " LEFT JOIN feeds s ON s.feed = 'epss'"                                            \
  " LEFT JOIN epss_scores e ON e.generation = s.generation AND e.cve = f.cve"        \
  " LEFT JOIN acceptances a ON a.org_id = f.org_id AND a.acceptance_id = f.acceptance_id"
#define FINDING_VIEW FINDING_VIEW_OF("findings")

/// The findings of one Strand at and above a severity: $1 to $4. Each index that serves a page has
/// the first three, and then what orders it.
#define STRAND                                             \
  " FROM findings f WHERE f.org_id = $1 AND f.status = $2" \
  " AND f.known_exploited = $3 AND f.severity >= $4"
/// The same of one host, written so that no index but that of its host can serve it.
#define HOST_STRAND                                              \
  " FROM findings f WHERE f.org_id = $1 AND f.status || '' = $2" \
  " AND f.known_exploited + 0 = $3 AND f.severity + 0 >= $4"
/// Of the package that parameter `name` names, where it names one.
#define OF_PACKAGE(name)        \
  " AND (" name                 \
  " IS NULL OR f.package_id IN" \
  " (SELECT p.package_id FROM packages p WHERE p.org_id = $1 AND p.name = " name "))"
/// The same of all packages of a name: open ones have an index for that.
#define PACKAGE_STRAND(name, cve)                                                              \
  " FROM findings f WHERE f.org_id = $1 AND f.status || '' = $2"                               \
  " AND f.known_exploited + 0 = $3 AND f.severity + 0 >= $4 AND f.package_id IN"               \
  " (SELECT p.package_id FROM packages p WHERE p.org_id = $1 AND p.name = " name ") AND (" cve \
  " IS NULL OR f.cve || '' = " cve ")"
#define OPEN " AND f.status = 'open'"
#define IN_PLACE                               \
  " AND (f.severity, f.finding_id) < ($5, $6)" \
  " ORDER BY f.severity DESC, f.finding_id DESC LIMIT $7"

/// Findings that stand together in an index and are in the order of a list there.
struct Strand {
  OrgId org;
  model::FindingStatus status = model::FindingStatus::open;
  bool known_exploited = false;
  std::int64_t severity_min = 0;
  std::int64_t severity_max = severity_above_all;
};

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
  finding.known_exploited = rows.boolean(8);
  const auto status = model::parse_finding_status(rows.text(9));
  if (!status) throw StoreError("findings: unknown status");
  finding.status = *status;
  if (!rows.is_null(10)) finding.acceptance = rows.number_id<AcceptanceId>(10);
  finding.opened_at = rows.instant(11);
  finding.resolved_at = rows.maybe_instant(12);
  finding.resolution = rows.string(13);
  finding.evidence = rows.string(14);
  return finding;
}

std::optional<model::Acceptance> read_acceptance(const Rows& rows, const Finding& finding) {
  if (rows.is_null(27)) return std::nullopt;
  model::Acceptance acceptance;
  acceptance.org = finding.org;
  acceptance.id = *finding.acceptance;
  const auto scope = model::parse_acceptance_scope(rows.text(27));
  if (!scope) throw StoreError("acceptances: unknown scope");
  acceptance.scope = *scope;
  acceptance.subject = rows.string(28);
  acceptance.package = rows.string(29);
  acceptance.flaw = rows.string(30);
  acceptance.severity = static_cast<model::Severity>(rows.integer(31));
  acceptance.known_exploited = rows.boolean(32);
  acceptance.reason = rows.string(33);
  acceptance.accepted_by = rows.string(34);
  acceptance.accepted_at = rows.instant(35);
  acceptance.ends_at = rows.maybe_instant(36);
  return acceptance;
}

FindingView read_view(const Rows& rows) {
  FindingView view;
  view.finding = read_finding(rows);
  view.package.name = rows.string(15);
  view.package.version = rows.string(16);
  view.package.vendor = rows.string(17);
  view.package.ecosystem = model::parse_ecosystem(rows.text(18));
  view.package.distro = rows.string(19);
  view.package.source_name = rows.string(20);
  view.package.source_version = rows.string(21);
  view.package.arch = rows.string(22);
  view.package.cpe = rows.string(23);
  view.hostname = rows.string(24);
  if (!rows.is_null(25)) {
    view.epss = {*view.finding.cve, static_cast<std::int32_t>(rows.integer(25)),
                 static_cast<std::int32_t>(rows.integer(26))};
  }
  view.acceptance = read_acceptance(rows, view.finding);
  return view;
}

/// Adds what `filter` asks for of `whole`, which has all severities, in the order of a list.
void add_strands(std::vector<Strand>& strands, const FindingFilter& filter, const Strand& whole) {
  if (whole.known_exploited) {
    if (filter.unrated != Unrated::alone) strands.push_back(whole);
    return;
  }
  if (filter.unrated != Unrated::alone) {
    strands.push_back(whole);
    strands.back().severity_min = filter.severity_min;
  }
  const bool beside = filter.unrated == Unrated::shown && filter.severity_min > severity_unknown;
  if (!beside && filter.unrated != Unrated::alone) return;
  strands.push_back(whole);
  strands.back().severity_max = severity_unknown;
}

/// What `filter` asks for, the known exploited first.
std::vector<Strand> strands_of(Reader& reader, const FindingFilter& filter) {
  std::vector<OrgId> orgs;
  if (filter.org) {
    orgs.push_back(*filter.org);
  } else {
    for (const Org& org : list_orgs(reader)) orgs.push_back(org.id);
  }
  std::vector<Strand> strands;
  for (const bool known_exploited : {true, false}) {
    if (filter.known_exploited && !known_exploited) continue;
    if (filter.after && !filter.after->known_exploited && known_exploited) continue;
    for (const OrgId org : orgs) {
      for (const auto status : filter.statuses) {
        add_strands(strands, filter, {org, status, known_exploited});
      }
    }
  }
  return strands;
}

Rows query_strand(Reader& reader, const FindingFilter& filter, const Strand& strand, int count) {
  FindingPlace after{strand.known_exploited, severity_above_all, FindingId{number_id_max}};
  if (filter.after && filter.after->known_exploited == strand.known_exploited) {
    after = *filter.after;
  }
  // What is above the strand's severities comes before all of it: ids are positive.
  after = std::min(after, FindingPlace{strand.known_exploited, strand.severity_max + 1, {0}});
  const std::string_view status = model::finding_status_name(strand.status);
  if (filter.host) {
    return reader.query("SELECT f.severity, f.finding_id, f.host_id, f.cve" HOST_STRAND
                        " AND f.host_id = $8 AND ($9 IS NULL OR f.cve = $9)" OF_PACKAGE("$10")
                            IN_PLACE,
                        strand.org, status, strand.known_exploited, strand.severity_min,
                        after.severity, after.id, count, *filter.host, filter.cve, filter.package);
  }
  if (filter.package) {
    const Sql open("SELECT f.severity, f.finding_id, f.host_id, f.cve" PACKAGE_STRAND("$8", "$9")
                       OPEN IN_PLACE);
    const Sql other("SELECT f.severity, f.finding_id, f.host_id, f.cve" PACKAGE_STRAND("$8", "$9")
                        IN_PLACE);
    return reader.query(strand.status == model::FindingStatus::open ? open : other, strand.org,
                        status, strand.known_exploited, strand.severity_min, after.severity,
                        after.id, count, *filter.package, filter.cve);
  }
  if (filter.cve) {
    return reader.query("SELECT f.severity, f.finding_id, f.host_id, f.cve" STRAND
                        " AND f.cve = $8" IN_PLACE,
                        strand.org, status, strand.known_exploited, strand.severity_min,
                        after.severity, after.id, count, *filter.cve);
  }
  return reader.query("SELECT f.severity, f.finding_id, f.host_id, f.cve" STRAND IN_PLACE,
                      strand.org, status, strand.known_exploited, strand.severity_min,
                      after.severity, after.id, count);
}

std::int64_t count_strand(Reader& reader, const FindingFilter& filter, const Strand& strand,
                          std::int64_t most) {
  const std::string_view status = model::finding_status_name(strand.status);
  const auto counted = [](Rows rows) {
    rows.next();
    return rows.integer(0);
  };
  if (filter.host) {
    return counted(
        reader.query("SELECT count(*) FROM (SELECT 1" HOST_STRAND
                     " AND f.severity + 0 <= $5 AND f.host_id = $6"
                     " AND ($7 IS NULL OR f.cve = $7)" OF_PACKAGE("$8") " LIMIT $9) AS counted",
                     strand.org, status, strand.known_exploited, strand.severity_min,
                     strand.severity_max, *filter.host, filter.cve, filter.package, most));
  }
  if (filter.package) {
    const Sql open("SELECT count(*) FROM (SELECT 1" PACKAGE_STRAND("$6", "$7") OPEN
                   " AND f.severity + 0 <= $5 LIMIT $8) AS counted");
    const Sql other("SELECT count(*) FROM (SELECT 1" PACKAGE_STRAND(
        "$6", "$7") " AND f.severity + 0 <= $5 LIMIT $8) AS counted");
    return counted(reader.query(strand.status == model::FindingStatus::open ? open : other,
                                strand.org, status, strand.known_exploited, strand.severity_min,
                                strand.severity_max, *filter.package, filter.cve, most));
  }
  if (filter.cve) {
    return counted(reader.query("SELECT count(*) FROM (SELECT 1" STRAND
                                " AND f.severity <= $5 AND f.cve = $7 LIMIT $6) AS counted",
                                strand.org, status, strand.known_exploited, strand.severity_min,
                                strand.severity_max, most, *filter.cve));
  }
  return counted(reader.query(
      "SELECT count(*) FROM (SELECT 1" STRAND " AND f.severity <= $5 LIMIT $6) AS counted",
      strand.org, status, strand.known_exploited, strand.severity_min, strand.severity_max, most));
}

}  // namespace

void open_finding(Tx& tx, const Finding& finding) {
  tx.post(
      "INSERT INTO findings (org_id, finding_id, host_id, package_id, feed, advisory_id, cve,"
      " severity, known_exploited, status, acceptance_id, opened_at, resolution, evidence)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13)"
      " ON CONFLICT (org_id, host_id, package_id, feed, advisory_id) DO UPDATE SET"
      " opened_at = CASE WHEN findings.status = 'resolved' THEN excluded.opened_at"
      " ELSE findings.opened_at END, cve = excluded.cve, severity = excluded.severity,"
      " known_exploited = excluded.known_exploited, status = excluded.status,"
      " acceptance_id = excluded.acceptance_id, resolved_at = NULL, resolution = '',"
      " evidence = excluded.evidence",
      finding.org, finding.id, finding.host, finding.package, finding.feed, finding.advisory_id,
      finding.cve, static_cast<std::int64_t>(finding.severity), finding.known_exploited,
      model::finding_status_name(finding.status), finding.acceptance, finding.opened_at,
      finding.evidence);
}

std::int64_t resolve_findings_of_package(Tx& tx, OrgId org, HostId host, PackageId package,
                                         std::string_view resolution, Instant now) {
  return tx.execute(
      "UPDATE findings SET status = 'resolved', acceptance_id = NULL, resolved_at = $4,"
      " resolution = $5"
      " WHERE org_id = $1 AND host_id = $2 AND package_id = $3 AND status <> 'resolved'",
      org, host, package, now, resolution);
}

void resolve_finding(Tx& tx, OrgId org, FindingId id, std::string_view resolution, Instant now) {
  tx.post(
      "UPDATE findings SET status = 'resolved', acceptance_id = NULL, resolved_at = $3,"
      " resolution = $4 WHERE org_id = $1 AND finding_id = $2 AND status <> 'resolved'",
      org, id, now, resolution);
}

std::vector<OpenHosts> count_hosts_with_cve(Reader& reader, std::string_view cve) {
  std::vector<OpenHosts> counts;
  Rows rows = reader.query(
      "SELECT org_id, count(DISTINCT host_id) FROM (SELECT org_id, host_id FROM findings"
      " WHERE org_id IN (SELECT org_id FROM orgs) AND cve = $1 AND status <> 'resolved'"
      " UNION ALL SELECT h.org_id, h.host_id FROM image_findings f"
      " JOIN host_images h ON h.org_id = f.org_id AND h.image_id = f.image_id"
      " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.cve = $1 AND f.status <> 'resolved'"
      " AND h.retired_at IS NULL) AS hosts GROUP BY org_id ORDER BY org_id",
      cve);
  while (rows.next()) counts.push_back({rows.number_id<OrgId>(0), rows.integer(1)});
  return counts;
}

HostFindings count_findings_of_host(Reader& reader, OrgId org, HostId host) {
  Rows rows = reader.query(
      "SELECT count(CASE WHEN status = 'open' THEN 1 END),"
      " count(CASE WHEN status = 'accepted' THEN 1 END), count(DISTINCT package_id)"
      " FROM findings WHERE org_id = $1 AND host_id = $2 AND status <> 'resolved'",
      org, host);
  rows.next();
  return {rows.integer(0), rows.integer(1), rows.integer(2)};
}

std::vector<Finding> list_standing_findings_of_host(Reader& reader, OrgId org, HostId host) {
  std::vector<Finding> findings;
  Rows rows = reader.query("SELECT " FINDING_COLUMNS
                           " FROM findings f WHERE f.org_id = $1 AND f.host_id = $2"
                           " AND f.status <> 'resolved'",
                           org, host);
  while (rows.next()) findings.push_back(read_finding(rows));
  return findings;
}

std::vector<std::string> list_cves_to_mark(Reader& reader, bool known_exploited) {
  // The first asks the index for each of a small catalogue; the second reads all of the index.
  Rows rows = known_exploited
                  ? reader.query(
                        "SELECT k.cve FROM kev_entries k WHERE EXISTS (SELECT 1 FROM findings f"
                        " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.cve = k.cve"
                        " AND f.status IN ('open', 'accepted', 'resolved')"
                        " AND f.known_exploited = 0) ORDER BY k.cve")
                  : reader.query(
                        "SELECT DISTINCT f.cve FROM findings f"
                        " WHERE f.org_id IN (SELECT org_id FROM orgs)"
                        " AND f.status IN ('open', 'accepted', 'resolved')"
                        " AND f.known_exploited = 1"
                        " AND NOT EXISTS (SELECT 1 FROM kev_entries k WHERE k.cve = f.cve)"
                        " ORDER BY f.cve");
  std::vector<std::string> cves;
  while (rows.next()) cves.push_back(rows.string(0));
  return cves;
}

std::int64_t mark_exploited(Tx& tx, std::string_view cve, bool known_exploited, int count) {
  return tx.execute(
      "UPDATE findings SET known_exploited = $2 WHERE org_id IN (SELECT org_id FROM orgs)"
      " AND (org_id, finding_id) IN (SELECT f.org_id, f.finding_id FROM findings f"
      " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.cve = $1 AND f.known_exploited <> $2"
      " LIMIT $3)",
      cve, known_exploited, count);
}

std::vector<Finding> list_standing_findings_of_package(Reader& reader, OrgId org, HostId host,
                                                       PackageId package) {
  std::vector<Finding> findings;
  Rows rows = reader.query("SELECT " FINDING_COLUMNS
                           " FROM findings f WHERE f.org_id = $1 AND f.host_id = $2"
                           " AND f.package_id = $3 AND f.status <> 'resolved'",
                           org, host, package);
  while (rows.next()) findings.push_back(read_finding(rows));
  return findings;
}

std::optional<FindingView> find_finding(Reader& reader, FindingId id) {
  Rows rows = reader.query(
      FINDING_VIEW " WHERE f.org_id IN (SELECT org_id FROM orgs) AND f.finding_id = $1", id);
  if (!rows.next()) return std::nullopt;
  return read_view(rows);
}

PlacedFindings list_finding_places(Reader& reader, const FindingFilter& filter, int count) {
  const auto wanted = static_cast<std::size_t>(count);
  std::vector<PlacedFinding> places;
  const std::vector<Strand> strands = strands_of(reader, filter);
  for (std::size_t i = 0; i < strands.size(); ++i) {
    const Strand& strand = strands[i];
    // Nothing of those that are not exploited comes before what is.
    if (places.size() >= wanted && i > 0 &&
        strand.known_exploited != strands[i - 1].known_exploited) {
      break;
    }
    Rows rows = query_strand(reader, filter, strand, count);
    while (rows.next()) {
      places.push_back({{strand.known_exploited, rows.integer(0), rows.number_id<FindingId>(1)},
                        strand.org,
                        rows.number_id<HostId>(2),
                        rows.maybe_string(3)});
    }
  }
  const std::size_t read = places.size();
  std::sort(places.begin(), places.end(),
            [](const PlacedFinding& a, const PlacedFinding& b) { return a.place > b.place; });
  if (places.size() > wanted) places.resize(wanted);
  return {std::move(places), read};
}

std::vector<FindingView> list_findings(Reader& reader, const FindingFilter& filter, int count) {
  return list_findings_at(reader, list_finding_places(reader, filter, count).places);
}

std::vector<FindingView> list_findings_at(Reader& reader,
                                          const std::vector<PlacedFinding>& places) {
  std::map<std::pair<OrgId, FindingId>, FindingView> found;
  reader.query_batch(
      FINDING_VIEW " WHERE f.org_id = $1 AND f.finding_id = $2",
      // The findings first: without statistics, as after an import, PostgreSQL took each package
      // with each host of the organisation instead, and a page of 1,000 took minutes.
      "WITH wanted AS MATERIALIZED (SELECT * FROM findings WHERE (org_id, finding_id) IN"
      " (SELECT * FROM unnest($1::bigint[], $2::bigint[]))) " FINDING_VIEW_OF("wanted"),
      places,
      [](const PlacedFinding& each) {
        return std::array<Param, 2>{each.org, each.place.id};
      },
      [&](const Rows& rows) {
        FindingView view = read_view(rows);
        const std::pair key(view.finding.org, view.finding.id);
        found.emplace(key, std::move(view));
      });
  std::vector<FindingView> views;
  views.reserve(places.size());
  for (const PlacedFinding& each : places) {
    const auto view = found.find({each.org, each.place.id});
    if (view != found.end()) views.push_back(std::move(view->second));
  }
  return views;
}

bool for_each_pressing(Reader& reader, const FindingFilter& filter, std::int64_t most,
                       const std::function<void(FindingSubject)>& each) {
  std::int64_t left = most;
  for (const Strand& strand : strands_of(reader, filter)) {
    Rows rows = reader.query(
        "SELECT f.host_id, p.name, f.cve, f.advisory_id, f.severity FROM findings f"
        " JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id"
        " WHERE f.org_id = $1 AND f.status = $2 AND f.known_exploited = $3 AND f.severity >= $4"
        " AND f.severity <= $6 ORDER BY f.severity DESC, f.finding_id DESC LIMIT $5",
        strand.org, model::finding_status_name(strand.status), strand.known_exploited,
        strand.severity_min, left + 1, strand.severity_max);
    while (rows.next()) {
      if (left == 0) return false;
      --left;
      const bool has_cve = !rows.is_null(2);
      each({strand.org, rows.number_id<HostId>(0), rows.string(1), rows.string(has_cve ? 2 : 3),
            has_cve, strand.known_exploited, rows.integer(4)});
    }
  }
  return true;
}

Total count_findings(Reader& reader, const FindingFilter& filter) {
  constexpr std::int64_t most = limits::counted_rows + 1;
  FindingFilter whole = filter;
  whole.after.reset();
  std::int64_t counted = 0;
  for (const Strand& strand : strands_of(reader, whole)) {
    if (counted >= most) break;
    counted += count_strand(reader, whole, strand, most - counted);
  }
  return {std::min(counted, limits::counted_rows), counted < most};
}

}  // namespace muster::store
