// SPDX-License-Identifier: Apache-2.0
#include "fleet/audit.h"

#include <algorithm>

#include "base/limits.h"
#include "fleet/cursor.h"
#include "model/audit_export.h"
#include "store/sql/audit.h"
#include "store/sql/blobs.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Organisations that may have a chain, in the order of their ids.
std::vector<OrgId> chain_orgs(store::Reader& reader, std::optional<OrgId> org) {
  if (org) return {*org};
  std::vector<OrgId> orgs = {store::server_org};
  for (const store::Org& one : store::list_orgs(reader)) orgs.push_back(one.id);
  return orgs;
}

void append_line(std::string& lines, const std::string& line) {
  lines.append(line).push_back('\n');
}

/// Appends rows of one chain, `left` at most, and its head behind the last. Returns where the next
/// page begins, nothing when the chain is through.
std::optional<AuditCursor> export_chain(store::Reader& reader, const AuditCursor& from, int& left,
                                        std::string& lines) {
  const auto rows = store::list_linked_audit(reader, from.org, from.after, left + 1);
  AuditCursor reached = from;
  for (const store::LinkedAuditRow& row : rows) {
    if (left == 0) return reached;
    append_line(lines, model::encode_audit_line(row));
    reached.after = row.seq;
    --left;
  }
  // Asked of the links, not taken from the last row: a row that somebody deleted shall be missed.
  if (const auto head = store::find_audit_head(reader, from.org)) {
    append_line(lines, model::encode_head_line(*head));
  }
  return std::nullopt;
}

/// Links some rows behind `after`; false when there are none.
bool link_some(store::Tx& tx, OrgId org, AuditId& after, std::size_t& linked) {
  const auto rows = store::list_unlinked_audit(tx, org, after, limits::prune_rows);
  if (rows.empty()) return false;
  store::link_audit(tx, rows);
  after = rows.back().id;
  linked += rows.size();
  return true;
}

}  // namespace

void AuditRows::add(OrgId org, std::string_view action, std::string_view target,
                    const Details& details) {
  rows_.push_back({org, ids_.next<AuditId>(now_), now_, actor_.text, std::string(action),
                   std::string(target), details_json(details)});
}

void AuditRows::record(store::Tx& tx) {
  store::insert_audit(tx, rows_);
  rows_.clear();
}

std::string details_json(const Details& details) {
  JsonWriter json;
  json.begin_object();
  if (details) details(json);
  json.end_object();
  return json.take();
}

std::string encode_audit_cursor(const AuditCursor& cursor) {
  return std::to_string(cursor.org.value) + "." + std::to_string(cursor.after);
}

Result<AuditCursor> parse_audit_cursor(std::string_view text) {
  if (text.empty()) return AuditCursor{};
  const CursorParts parts = TRY(split_cursor(text, '.'));
  const OrgId org{TRY(parse_cursor_number(parts.first))};
  return AuditCursor{org, TRY(parse_cursor_number(parts.rest))};
}

std::string export_audit(store::Store& store, std::optional<OrgId> org, const AuditCursor& from,
                         int count) {
  return store.read([&](store::Reader& reader) {
    std::string lines;
    int left = count;
    for (const OrgId one : chain_orgs(reader, org)) {
      if (one < from.org) continue;
      const AuditCursor begin{one, one == from.org ? from.after : 0};
      if (const auto next = export_chain(reader, begin, left, lines)) {
        append_line(lines, model::encode_page_line(encode_audit_cursor(*next)));
        return lines;
      }
    }
    append_line(lines, model::encode_page_line(""));
    return lines;
  });
}

std::vector<model::AuditHead> list_audit_heads(store::Store& store, std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) {
    std::vector<model::AuditHead> heads;
    for (const OrgId one : chain_orgs(reader, org)) {
      if (const auto head = store::find_audit_head(reader, one)) heads.push_back(*head);
    }
    return heads;
  });
}

std::size_t link_earlier_audit(store::Store& store) {
  std::size_t linked = 0;
  const auto orgs =
      store.read([](store::Reader& reader) { return chain_orgs(reader, std::nullopt); });
  for (const OrgId org : orgs) {
    AuditId after;
    // Asked before it is written: most starts find nothing, and a read disturbs nobody.
    const bool any = store.read([&](store::Reader& reader) {
      return !store::list_unlinked_audit(reader, org, after, 1).empty();
    });
    for (bool more = any; more;) {
      more = store.write([&](store::Tx& tx) { return link_some(tx, org, after, linked); });
    }
  }
  return linked;
}

std::vector<model::AuditHead> AuditWatch::look(store::Store& store, Instant now) {
  // The absolute value: a clock that was set back must not keep them untold for as long.
  if (looked_at_ && std::chrono::abs(now - *looked_at_) < audit_heads_every) return {};
  looked_at_ = now;
  link_earlier_audit(store);
  auto heads = list_audit_heads(store, std::nullopt);
  std::erase_if(heads, [&](const model::AuditHead& head) {
    std::int64_t& told = told_[head.org];
    const bool known = told == head.seq;
    told = head.seq;
    return known;
  });
  return heads;
}

}  // namespace muster::fleet
