// SPDX-License-Identifier: Apache-2.0
#include "store/sql/acceptances.h"

#include "base/text.h"
#include "store/store.h"

namespace muster::store {

using model::Acceptance;
using model::AcceptanceScope;

namespace {

#define ACCEPTANCE_COLUMNS                                                             \
  "a.org_id, a.acceptance_id, a.scope, a.subject, a.package, a.flaw, a.severity,"      \
  " a.known_exploited, a.reason, a.accepted_by, a.accepted_at, a.ends_at, a.ended_at," \
  " a.settled"

AcceptanceRow read_acceptance(const Rows& rows) {
  AcceptanceRow row;
  Acceptance& acceptance = row.acceptance;
  acceptance.org = rows.number_id<OrgId>(0);
  acceptance.id = rows.number_id<AcceptanceId>(1);
  const auto scope = model::parse_acceptance_scope(rows.text(2));
  if (!scope) throw StoreError("acceptances: unknown scope");
  acceptance.scope = *scope;
  acceptance.subject = rows.string(3);
  acceptance.package = rows.string(4);
  acceptance.flaw = rows.string(5);
  acceptance.severity = static_cast<model::Severity>(rows.integer(6));
  acceptance.known_exploited = rows.boolean(7);
  acceptance.reason = rows.string(8);
  acceptance.accepted_by = rows.string(9);
  acceptance.accepted_at = rows.instant(10);
  acceptance.ends_at = rows.maybe_instant(11);
  row.ended_at = rows.maybe_instant(12);
  row.settled = rows.boolean(13);
  return row;
}

std::vector<AcceptanceRow> read_acceptances(Rows rows) {
  std::vector<AcceptanceRow> found;
  while (rows.next()) found.push_back(read_acceptance(rows));
  return found;
}

std::optional<AcceptanceRow> first(std::vector<AcceptanceRow> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

bool is_of_images(const Acceptance& acceptance) {
  return acceptance.scope == AcceptanceScope::image || acceptance.scope == AcceptanceScope::images;
}

}  // namespace

void set_acceptance(Tx& tx, const Acceptance& acceptance) {
  tx.post(
      "INSERT INTO acceptances (org_id, acceptance_id, scope, subject, package, flaw, severity,"
      " known_exploited, reason, accepted_by, accepted_at, ends_at, settled)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)"
      " ON CONFLICT (org_id, acceptance_id) DO UPDATE SET severity = excluded.severity,"
      " known_exploited = excluded.known_exploited, reason = excluded.reason,"
      " accepted_by = excluded.accepted_by, accepted_at = excluded.accepted_at,"
      " ends_at = excluded.ends_at, ended_at = NULL, settled = 0",
      acceptance.org, acceptance.id, model::acceptance_scope_name(acceptance.scope),
      acceptance.subject, acceptance.package, acceptance.flaw,
      static_cast<std::int64_t>(acceptance.severity), acceptance.known_exploited, acceptance.reason,
      acceptance.accepted_by, acceptance.accepted_at, acceptance.ends_at);
}

std::optional<AcceptanceRow> find_acceptance(Reader& reader, OrgId org, AcceptanceId id) {
  return first(read_acceptances(
      reader.query("SELECT " ACCEPTANCE_COLUMNS
                   " FROM acceptances a WHERE a.org_id = $1 AND a.acceptance_id = $2",
                   org, id)));
}

std::optional<AcceptanceRow> find_acceptance(Reader& reader, const Acceptance& like) {
  return first(read_acceptances(reader.query(
      "SELECT " ACCEPTANCE_COLUMNS
      " FROM acceptances a WHERE a.org_id = $1 AND a.flaw = $2 AND a.package = $3"
      " AND a.scope = $4 AND a.subject = $5",
      like.org, like.flaw, like.package, model::acceptance_scope_name(like.scope), like.subject)));
}

void end_acceptance(Tx& tx, OrgId org, AcceptanceId id, Instant now) {
  tx.post(
      "UPDATE acceptances SET ended_at = $3, settled = 0"
      " WHERE org_id = $1 AND acceptance_id = $2 AND ended_at IS NULL",
      org, id, now);
}

void mark_acceptance_settled(Tx& tx, const Acceptance& acceptance) {
  tx.post("UPDATE acceptances SET settled = 1 WHERE org_id = $1 AND acceptance_id = $2",
          acceptance.org, acceptance.id);
}

void delete_acceptance(Tx& tx, const Acceptance& acceptance) {
  tx.post("DELETE FROM acceptances WHERE org_id = $1 AND acceptance_id = $2", acceptance.org,
          acceptance.id);
  // What it covered on one host may be covered on all of them.
  tx.post(
      "UPDATE acceptances SET settled = 0 WHERE org_id = $1 AND flaw = $2 AND package = $3"
      " AND ended_at IS NULL",
      acceptance.org, acceptance.flaw, acceptance.package);
}

std::vector<AcceptanceRow> list_due_acceptances(Reader& reader, Instant now, int count) {
  return read_acceptances(
      reader.query("SELECT " ACCEPTANCE_COLUMNS
                   " FROM acceptances a WHERE a.ends_at IS NOT NULL AND a.ends_at <= $1"
                   " AND a.ended_at IS NULL ORDER BY a.ends_at, a.acceptance_id LIMIT $2",
                   now, count));
}

std::vector<AcceptanceRow> list_unsettled_acceptances(Reader& reader, int count) {
  return read_acceptances(reader.query("SELECT " ACCEPTANCE_COLUMNS
                                       " FROM acceptances a WHERE a.settled = 0"
                                       " ORDER BY a.acceptance_id LIMIT $1",
                                       count));
}

std::vector<AcceptanceRow> list_acceptances_of_unexploited(Reader& reader, std::string_view flaw) {
  return read_acceptances(
      reader.query("SELECT " ACCEPTANCE_COLUMNS
                   " FROM acceptances a WHERE a.org_id IN (SELECT org_id FROM orgs)"
                   " AND a.flaw = $1 AND a.known_exploited = 0 AND a.ended_at IS NULL"
                   " ORDER BY a.org_id, a.acceptance_id",
                   flaw));
}

bool has_acceptances(Reader& reader, OrgId org) {
  return reader.query("SELECT 1 FROM acceptances WHERE org_id = $1 LIMIT 1", org).next();
}

std::vector<PackageAcceptance> list_acceptances_of_packages(Reader& reader, OrgId org, HostId host,
                                                            const std::vector<PackageFlaw>& flaws) {
  std::vector<PackageAcceptance> found;
  const std::string subject = std::to_string(host.value);
  reader.query_batch(
      "SELECT " ACCEPTANCE_COLUMNS
      ", p.package_id FROM packages p"
      " JOIN acceptances a ON a.org_id = p.org_id AND a.package = p.name"
      " WHERE p.org_id = $1 AND p.package_id = $2 AND a.flaw = $3 AND a.ended_at IS NULL"
      " AND ((a.scope = 'host' AND a.subject = $4) OR a.scope = 'hosts')",
      "SELECT " ACCEPTANCE_COLUMNS
      ", p.package_id FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])"
      " AS given (org_id, package_id, flaw, subject)"
      " JOIN packages p ON p.org_id = given.org_id AND p.package_id = given.package_id"
      " JOIN acceptances a ON a.org_id = p.org_id AND a.package = p.name"
      " AND a.flaw = given.flaw WHERE a.ended_at IS NULL"
      " AND ((a.scope = 'host' AND a.subject = given.subject) OR a.scope = 'hosts')",
      flaws,
      [&](const PackageFlaw& each) {
        return std::array<Param, 4>{org, each.package, each.flaw, std::string_view(subject)};
      },
      [&](const Rows& rows) {
        found.push_back({rows.number_id<PackageId>(14), read_acceptance(rows).acceptance});
      });
  return found;
}

std::vector<Acceptance> list_acceptances_of_image(Reader& reader, OrgId org,
                                                  std::string_view identity) {
  std::vector<Acceptance> found;
  for (AcceptanceRow& row : read_acceptances(
           reader.query("SELECT " ACCEPTANCE_COLUMNS
                        " FROM acceptances a WHERE a.org_id = $1 AND a.ended_at IS NULL"
                        " AND ((a.scope = 'image' AND a.subject = $2) OR a.scope = 'images')"
                        " ORDER BY a.acceptance_id",
                        org, identity))) {
    found.push_back(std::move(row.acceptance));
  }
  return found;
}

std::int64_t accept_findings(Tx& tx, const Acceptance& acceptance, int count) {
  const auto gravest = static_cast<std::int64_t>(model::accepted_severity(acceptance));
  if (is_of_images(acceptance)) {
    return tx.execute(
        "UPDATE image_findings SET status = 'accepted', acceptance_id = $2"
        " WHERE org_id = $1 AND finding_id IN (SELECT f.finding_id FROM image_findings f"
        " JOIN images i ON i.org_id = f.org_id AND i.image_id = f.image_id"
        " WHERE f.org_id = $1 AND f.status = 'open' AND f.package = $4"
        " AND (f.cve = $3 OR (f.cve IS NULL AND f.advisory_id = $3))"
        " AND ($5 = '' OR i.identity = $5) AND f.severity <= $6"
        " AND ($7 = 1 OR NOT EXISTS (SELECT 1 FROM kev_entries k WHERE k.cve = f.cve)) LIMIT $8)",
        acceptance.org, acceptance.id, acceptance.flaw, acceptance.package, acceptance.subject,
        gravest, acceptance.known_exploited, count);
  }
  // Written so that what serves them is the index of the host, or that of the CVE: of findings with
  // a status there are many more.
  if (acceptance.scope == AcceptanceScope::host) {
    return tx.execute(
        "UPDATE findings SET status = 'accepted', acceptance_id = $2"
        " WHERE org_id = $1 AND finding_id IN (SELECT f.finding_id FROM findings f"
        " JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id"
        " WHERE f.org_id = $1 AND f.host_id = $5 AND f.status || '' = 'open' AND p.name = $4"
        " AND coalesce(f.cve, f.advisory_id) = $3 AND f.severity + 0 <= $6"
        " AND f.known_exploited + 0 <= $7 LIMIT $8)",
        acceptance.org, acceptance.id, acceptance.flaw, acceptance.package,
        HostId{parse_int(acceptance.subject).value_or(0)}, gravest, acceptance.known_exploited,
        count);
  }
  if (model::is_cve_id(acceptance.flaw)) {
    return tx.execute(
        "UPDATE findings SET status = 'accepted', acceptance_id = $2"
        " WHERE org_id = $1 AND finding_id IN (SELECT f.finding_id FROM findings f"
        " JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id"
        " WHERE f.org_id = $1 AND f.cve = $3 AND f.status = 'open' AND p.name = $4"
        " AND f.severity <= $5 AND f.known_exploited <= $6 LIMIT $7)",
        acceptance.org, acceptance.id, acceptance.flaw, acceptance.package, gravest,
        acceptance.known_exploited, count);
  }
  return tx.execute(
      "UPDATE findings SET status = 'accepted', acceptance_id = $2"
      " WHERE org_id = $1 AND finding_id IN (SELECT f.finding_id FROM findings f"
      " JOIN packages p ON p.org_id = f.org_id AND p.package_id = f.package_id"
      " WHERE f.org_id = $1 AND f.cve IS NULL AND f.advisory_id = $3 AND f.status = 'open'"
      " AND p.name = $4 AND f.severity <= $5 AND f.known_exploited + 0 <= $6 LIMIT $7)",
      acceptance.org, acceptance.id, acceptance.flaw, acceptance.package, gravest,
      acceptance.known_exploited, count);
}

std::int64_t reopen_findings(Tx& tx, const Acceptance& acceptance, int count) {
  if (is_of_images(acceptance)) {
    return tx.execute(
        "UPDATE image_findings SET status = 'open', acceptance_id = NULL"
        " WHERE org_id = $1 AND finding_id IN (SELECT finding_id FROM image_findings"
        " WHERE org_id = $1 AND acceptance_id = $2 LIMIT $3)",
        acceptance.org, acceptance.id, count);
  }
  return tx.execute(
      "UPDATE findings SET status = 'open', acceptance_id = NULL"
      " WHERE org_id = $1 AND finding_id IN (SELECT finding_id FROM findings"
      " WHERE org_id = $1 AND acceptance_id = $2 LIMIT $3)",
      acceptance.org, acceptance.id, count);
}

std::int64_t count_accepted_findings(Reader& reader, const Acceptance& acceptance) {
  Rows rows =
      is_of_images(acceptance)
          ? reader.query(
                "SELECT count(*) FROM image_findings WHERE org_id = $1"
                " AND acceptance_id = $2",
                acceptance.org, acceptance.id)
          : reader.query("SELECT count(*) FROM findings WHERE org_id = $1 AND acceptance_id = $2",
                         acceptance.org, acceptance.id);
  rows.next();
  return rows.integer(0);
}

}  // namespace muster::store
