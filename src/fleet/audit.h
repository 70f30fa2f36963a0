// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "model/audit_chain.h"

/// The audit log as a chain (docs/adr/0022). One row is written by record_audit (fleet/history.h).
namespace muster::fleet {

/// Rows that are written together: the chain's head is read once for all of them, which on a remote
/// database is one answer to wait for instead of one for each row.
class AuditRows {
 public:
  AuditRows(NumberIds& ids, const Actor& actor, Instant now)
      : ids_(ids), actor_(actor), now_(now) {}

  /// As record_audit takes it; calls `details` before it returns.
  void add(OrgId org, std::string_view action, std::string_view target, const Details& details);
  /// Appends what was added, in the transaction of the changes themselves.
  void record(store::Tx& tx);

 private:
  NumberIds& ids_;
  const Actor& actor_;
  Instant now_;
  std::vector<model::AuditRow> rows_;
};

/// The JSON object that `details` fills.
std::string details_json(const Details& details);

/// Where a page of the export begins: behind row `after` of `org`.
struct AuditCursor {
  OrgId org;
  std::int64_t after = 0;
};
std::string encode_audit_cursor(const AuditCursor& cursor);  // "ORG.SEQ"
/// Empty text is the very beginning. Fails with invalid_field naming `cursor`.
Result<AuditCursor> parse_audit_cursor(std::string_view text);

/// `count` rows at most, of one organisation or of all in the order of their ids, with the head of
/// each chain whose end they reach, as lines (model/audit_export.h). The rows are of one moment.
std::string export_audit(store::Store& store, std::optional<OrgId> org, const AuditCursor& from,
                         int count);

/// Of every chain that has a row, in the order of organisations; that of the whole server first.
std::vector<model::AuditHead> list_audit_heads(store::Store& store, std::optional<OrgId> org);

/// Links the rows that have no link: those from before there were chains, and those that a server
/// of the release before wrote since. Many transactions of limits::prune_rows rows. Returns how
/// many rows; throws store::StoreError.
std::size_t link_earlier_audit(store::Store& store);

/// How often the heads are told to whoever keeps the server's log.
inline constexpr Duration audit_heads_every = std::chrono::hours(24);

/// Tells of heads that moved. For one thread.
class AuditWatch {
 public:
  /// The heads that are new since the last call that looked; nothing, and no look, within
  /// audit_heads_every of it. Links what is not linked first. Throws store::StoreError.
  std::vector<model::AuditHead> look(store::Store& store, Instant now);

 private:
  std::optional<Instant> looked_at_;
  std::map<OrgId, std::int64_t> told_;
};

}  // namespace muster::fleet
