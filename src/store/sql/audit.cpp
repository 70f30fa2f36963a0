// SPDX-License-Identifier: Apache-2.0
#include "store/sql/audit.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/sql/blobs.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::store {

namespace {

/// Columns org_id, audit_id, at, actor, action, target, details, in that order.
AuditRow read_audit_row(const Rows& rows) {
  return {rows.number_id<OrgId>(0),
          rows.number_id<AuditId>(1),
          rows.instant(2),
          rows.string(3),
          rows.string(4),
          rows.string(5),
          rows.string(6)};
}

std::vector<AuditRow> read_audit(Rows rows) {
  std::vector<AuditRow> audit;
  while (rows.next()) audit.push_back(read_audit_row(rows));
  return audit;
}

/// Somebody may have written there what is no digest; whoever proves the chain finds that.
crypto::Sha256 read_hash(const Rows& rows, int column) {
  crypto::Sha256 hash;
  const std::string_view octets = rows.blob(column);
  if (octets.size() == hash.bytes.size()) {
    std::memcpy(hash.bytes.data(), octets.data(), octets.size());
  }
  return hash;
}

/// What the database keeps of a text (store/driver.h): the hash is over that.
std::string as_kept(std::string_view text) {
  std::string kept;
  return std::string(well_formed(text, kept));
}

AuditRow as_kept(const AuditRow& row) {
  return {row.org,
          row.id,
          row.at,
          as_kept(row.actor),
          as_kept(row.action),
          as_kept(row.target),
          as_kept(row.details)};
}

}  // namespace

void insert_audit(Tx& tx, std::span<const AuditRow> rows) {
  for (const AuditRow& row : rows) {
    tx.post(
        "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        row.org, row.id, row.at, row.actor, row.action, row.target, row.details);
  }
  link_audit(tx, rows);
}

void insert_audit(Tx& tx, const AuditRow& row) {
  insert_audit(tx, {&row, 1});
}

void link_audit(Tx& tx, std::span<const AuditRow> rows) {
  std::map<OrgId, AuditHead> heads;
  for (const AuditRow& row : rows) {
    const auto [at, fresh] = heads.try_emplace(row.org);
    AuditHead& head = at->second;
    if (fresh) head = find_audit_head(tx, row.org).value_or(model::first_audit_head(row.org));
    head = model::advance(head, as_kept(row));
    tx.post("INSERT INTO audit_links (org_id, seq, audit_id, hash) VALUES ($1, $2, $3, $4)",
            row.org, head.seq, row.id, head.hash);
  }
}

std::optional<AuditHead> find_audit_head(Reader& reader, OrgId org) {
  Rows rows = reader.query(
      "SELECT seq, hash FROM audit_links WHERE org_id = $1 ORDER BY seq DESC LIMIT 1", org);
  if (!rows.next()) return std::nullopt;
  return AuditHead{org, rows.integer(0), read_hash(rows, 1)};
}

std::vector<LinkedAuditRow> list_linked_audit(Reader& reader, OrgId org, std::int64_t after,
                                              int count) {
  std::vector<LinkedAuditRow> linked;
  Rows rows = reader.query(
      "SELECT a.org_id, a.audit_id, a.at, a.actor, a.action, a.target, a.details, l.seq, l.hash"
      " FROM audit_links l JOIN audit a ON a.org_id = l.org_id AND a.audit_id = l.audit_id"
      " WHERE l.org_id = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3",
      org, after, count);
  while (rows.next()) {
    linked.push_back({read_audit_row(rows), rows.integer(7), read_hash(rows, 8)});
  }
  return linked;
}

std::vector<AuditRow> list_unlinked_audit(Reader& reader, OrgId org, AuditId after, int count) {
  return read_audit(
      reader.query("SELECT a.org_id, a.audit_id, a.at, a.actor, a.action, a.target, a.details"
                   " FROM audit a WHERE a.org_id = $1 AND a.audit_id > $2 AND NOT EXISTS"
                   " (SELECT 1 FROM audit_links l"
                   " WHERE l.org_id = a.org_id AND l.audit_id = a.audit_id)"
                   " ORDER BY a.audit_id LIMIT $3",
                   org, after, count));
}

namespace {

#define SELECT_AUDIT "SELECT org_id, audit_id, at, actor, action, target, details FROM audit WHERE "
#define AUDIT_BOUNDS                                              \
  "audit_id >= $1 AND audit_id < $2 AND ($3 IS NULL OR at >= $3)" \
  " AND ($4 IS NULL OR at < $4)"
#define OF_ONE_ORG AUDIT_BOUNDS " AND org_id = $5"
#define OF_ACTOR " AND ($6 IS NULL OR actor = $6)"
#define OF_ACTION " AND ($7 IS NULL OR action = $7)"
#define OF_TARGET " AND ($8 IS NULL OR target = $8)"
#define AUDIT_PAGE " ORDER BY audit_id DESC LIMIT $9"

// A condition that may be absent uses no index: what has one stands alone. A target has few rows,
// whoever acted on it; an actor and an action may each have most of all, so that both have one.
#define BY_TARGET OF_ONE_ORG OF_ACTOR OF_ACTION " AND target = $8"
#define BY_ACTOR_AND_ACTION OF_ONE_ORG OF_TARGET " AND actor = $6 AND action = $7"
#define BY_ACTOR OF_ONE_ORG OF_ACTION OF_TARGET " AND actor = $6"
#define BY_ACTION OF_ONE_ORG OF_ACTOR OF_TARGET " AND action = $7"
#define BY_ORG OF_ONE_ORG OF_ACTOR OF_ACTION OF_TARGET
#define COUNT_AUDIT "SELECT count(*) FROM (SELECT 1 FROM audit WHERE "
#define UP_TO " LIMIT $9) AS counted"

Sql page_sql_of_org(const AuditFilter& filter) {
  if (filter.target) return SELECT_AUDIT BY_TARGET AUDIT_PAGE;
  if (filter.actor && filter.action) return SELECT_AUDIT BY_ACTOR_AND_ACTION AUDIT_PAGE;
  if (filter.actor) return SELECT_AUDIT BY_ACTOR AUDIT_PAGE;
  if (filter.action) return SELECT_AUDIT BY_ACTION AUDIT_PAGE;
  return SELECT_AUDIT BY_ORG AUDIT_PAGE;
}

Sql count_sql_of_org(const AuditFilter& filter) {
  if (filter.target) return COUNT_AUDIT BY_TARGET UP_TO;
  if (filter.actor && filter.action) return COUNT_AUDIT BY_ACTOR_AND_ACTION UP_TO;
  if (filter.actor) return COUNT_AUDIT BY_ACTOR UP_TO;
  if (filter.action) return COUNT_AUDIT BY_ACTION UP_TO;
  return COUNT_AUDIT BY_ORG UP_TO;
}

std::vector<AuditRow> list_audit_of_org(Reader& reader, OrgId org, const AuditFilter& filter,
                                        AuditId before, int count) {
  return read_audit(reader.query(page_sql_of_org(filter), filter.from,
                                 std::min(before, filter.below), filter.since, filter.until, org,
                                 filter.actor, filter.action, filter.target, count));
}

/// Up to `most`.
std::int64_t count_audit_of_org(Reader& reader, OrgId org, const AuditFilter& filter,
                                std::int64_t most) {
  Rows rows = reader.query(count_sql_of_org(filter), filter.from, filter.below, filter.since,
                           filter.until, org, filter.actor, filter.action, filter.target, most);
  CHECK(rows.next());
  return rows.integer(0);
}

/// Then the order of all ids is that of the pages.
bool is_by_age_alone(const AuditFilter& filter) {
  return !filter.org && !filter.actor && !filter.action && !filter.target;
}

/// Those whose rows are meant. What an actor did is in the order of the pages within one
/// organisation alone, so each is asked: there are few.
std::vector<OrgId> orgs_of(Reader& reader, const AuditFilter& filter) {
  if (filter.org) return {*filter.org};
  std::vector<OrgId> orgs = {server_org};
  for (const Org& org : list_orgs(reader)) orgs.push_back(org.id);
  return orgs;
}

}  // namespace

std::vector<AuditRow> list_audit(Reader& reader, const AuditFilter& filter, AuditId before,
                                 int count) {
  if (is_by_age_alone(filter)) {
    return read_audit(reader.query(SELECT_AUDIT AUDIT_BOUNDS " ORDER BY audit_id DESC LIMIT $5",
                                   filter.from, std::min(before, filter.below), filter.since,
                                   filter.until, count));
  }
  const auto newer = [](const AuditRow& a, const AuditRow& b) { return a.id > b.id; };
  AuditFilter left = filter;
  std::vector<AuditRow> page;
  for (const OrgId org : orgs_of(reader, filter)) {
    auto rows = list_audit_of_org(reader, org, left, before, count);
    const auto middle = static_cast<std::ptrdiff_t>(page.size());
    page.insert(page.end(), std::move_iterator(rows.begin()), std::move_iterator(rows.end()));
    std::inplace_merge(page.begin(), page.begin() + middle, page.end(), newer);
    if (page.size() < static_cast<std::size_t>(count)) continue;
    page.resize(static_cast<std::size_t>(count));
    // Older ones of the next organisation would not be on the page.
    if (!page.empty()) left.from = page.back().id;
  }
  return page;
}

Total count_audit(Reader& reader, const AuditFilter& filter) {
  if (is_by_age_alone(filter)) {
    return read_total(reader.query(
        "SELECT count(*) FROM (SELECT 1 FROM audit WHERE " AUDIT_BOUNDS " LIMIT $5) AS counted",
        filter.from, filter.below, filter.since, filter.until, limits::counted_rows + 1));
  }
  std::int64_t counted = 0;
  for (const OrgId org : orgs_of(reader, filter)) {
    counted += count_audit_of_org(reader, org, filter, limits::counted_rows + 1 - counted);
  }
  return {std::min(counted, limits::counted_rows), counted <= limits::counted_rows};
}

}  // namespace muster::store
