// SPDX-License-Identifier: Apache-2.0
#include "store/sql/audit.h"

#include <cstring>
#include <map>
#include <string>

#include "base/text.h"
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

std::vector<AuditRow> list_audit(Reader& reader, std::optional<OrgId> org, AuditId before,
                                 int count) {
  if (org) {
    return read_audit(
        reader.query("SELECT org_id, audit_id, at, actor, action, target, details FROM audit"
                     " WHERE org_id = $1 AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3",
                     *org, before, count));
  }
  return read_audit(
      reader.query("SELECT org_id, audit_id, at, actor, action, target, details FROM audit"
                   " WHERE audit_id < $1 ORDER BY audit_id DESC LIMIT $2",
                   before, count));
}

Total count_audit(Reader& reader, std::optional<OrgId> org) {
  if (org) {
    return read_total(
        reader.query("SELECT count(*) FROM (SELECT 1 FROM audit WHERE org_id = $1 LIMIT $2)"
                     " AS counted",
                     *org, limits::counted_rows + 1));
  }
  return read_total(reader.query("SELECT count(*) FROM (SELECT 1 FROM audit LIMIT $1) AS counted",
                                 limits::counted_rows + 1));
}

}  // namespace muster::store
