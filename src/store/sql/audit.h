// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/audit_chain.h"
#include "model/audit_export.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

using model::AuditHead;
using model::AuditRow;
using model::LinkedAuditRow;

/// Appends rows and links each to the chain of its organisation, whose head is read once for all of
/// them. Nobody else appends before the commit: write transactions take turns.
void insert_audit(Tx& tx, std::span<const AuditRow> rows);
void insert_audit(Tx& tx, const AuditRow& row);

/// The last row of the chain; nothing before the first.
std::optional<AuditHead> find_audit_head(Reader& reader, OrgId org);
/// In the order of the chain, from behind `after` on. As they are kept: a row that somebody deleted
/// is left out, and a hash that is none is all zeroes.
std::vector<LinkedAuditRow> list_linked_audit(Reader& reader, OrgId org, std::int64_t after,
                                              int count);

/// Rows that have no link, in the order of their ids, from behind `after` on.
std::vector<AuditRow> list_unlinked_audit(Reader& reader, OrgId org, AuditId after, int count);
/// Links rows that are there, in this order.
void link_audit(Tx& tx, std::span<const AuditRow> rows);

/// Which rows are meant; what is not given leaves nothing out.
struct AuditFilter {
  std::optional<OrgId> org;
  std::optional<std::string> actor;
  std::optional<std::string> action;
  std::optional<std::string> target;
  AuditId from{};                // ids from here on
  AuditId below{number_id_max};  // ids below this
  std::optional<Instant> since;  // at or after
  std::optional<Instant> until;  // before
};
/// Newest first, `before` excluded.
std::vector<AuditRow> list_audit(Reader& reader, const AuditFilter& filter, AuditId before,
                                 int count);
Total count_audit(Reader& reader, const AuditFilter& filter);

}  // namespace muster::store
