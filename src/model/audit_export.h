// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/audit_chain.h"

/// The audit log as lines that stand for themselves (docs/reference/audit.md): the rows of one
/// organisation after those of another, the head of its chain behind each, and an end.
namespace muster::model {

/// A row and its place in the chain, as they are kept: that they belong together is yet to prove.
struct LinkedAuditRow {
  AuditRow row;
  std::int64_t seq = 0;
  crypto::Sha256 hash;
};

/// More than any row of ours has: a line that is longer is no line.
inline constexpr std::size_t audit_line_bytes = std::size_t{1} << 20;

/// The lines, without their ends.
std::string encode_audit_line(const LinkedAuditRow& linked);
std::string encode_head_line(const AuditHead& head);
/// Behind the last line of a page. An empty cursor says that there are no more pages.
std::string encode_page_line(std::string_view next_cursor);

/// Fails with invalid_field for any text that encode_audit_line does not yield: no line can be read
/// in two ways.
Result<LinkedAuditRow> parse_audit_line(std::string_view line);

/// The first thing in an export that is not as it was.
struct AuditBreak {
  std::int64_t line = 0;  // from 1
  OrgId org;
  std::int64_t seq = 0;  // of the row that is missing, altered or not in its place; 0: no row
  std::string what;
};

/// Proves an export line by line, with no more memory than one chain's head. It proves that each
/// row is the one that was linked, that none is missing between the first and the head that the
/// export carries, and that the chains go through every head that was noted elsewhere. Somebody who
/// writes a whole chain anew is found by such a head alone.
class AuditCheck {
 public:
  /// A chain whose first row in the export is the one behind a noted head begins there; any other
  /// begins with row 1.
  explicit AuditCheck(const std::vector<AuditHead>& noted);

  /// The next line. The first break ends the check.
  std::optional<AuditBreak> take(std::string_view line);
  /// After the last line.
  std::optional<AuditBreak> finish();

  std::int64_t rows() const { return rows_; }
  /// Of the chains that were proven, in the order of the export.
  const std::vector<AuditHead>& heads() const { return heads_; }

 private:
  struct Noted {
    AuditHead head;
    bool met = false;
  };
  std::optional<AuditBreak> take_row(std::string_view line);
  std::optional<AuditBreak> take_head(std::string_view text);
  std::optional<AuditBreak> begin_chain(OrgId org, std::int64_t seq);
  AuditBreak broken(std::int64_t seq, std::string what) const;

  std::vector<Noted> noted_;
  std::vector<AuditHead> heads_;
  std::optional<AuditHead> head_;  // of the chain that is being read
  OrgId latest_{-1};               // the last organisation that had a chain
  std::int64_t line_ = 0;
  std::int64_t rows_ = 0;
  bool ended_ = false;
};

}  // namespace muster::model
