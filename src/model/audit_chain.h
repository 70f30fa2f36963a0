// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sha256.h"

/// The audit log as a chain of hashes, one for each organisation (docs/adr/0022).
namespace muster::model {

/// A row of the append-only audit log. `details` is a JSON object without secrets.
struct AuditRow {
  OrgId org;  // 0: of the whole server
  AuditId id;
  Instant at;
  std::string actor;   // "operator:12", "server"
  std::string action;  // "tokens.create"
  std::string target;  // "34"
  std::string details;
};

/// How far the chain of an organisation has come. Whoever holds one can tell whether a longer chain
/// is this one continued.
struct AuditHead {
  OrgId org;
  std::int64_t seq = 0;  // of the last row; 0 before the first
  crypto::Sha256 hash;   // of the last row

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

/// Before the first row: the hash is that of a fixed text.
AuditHead first_audit_head(OrgId org);

/// The head once `row`, of the same organisation, has joined: SHA-256 over the hash before it and
/// every member of the row, each with its length, so that no two rows have one encoding.
AuditHead advance(const AuditHead& head, const AuditRow& row);

/// "ORG:SEQ:HASH", the hash as 64 hexadecimal digits.
std::string encode_audit_head(const AuditHead& head);
/// As people note it: `SEQ:HASH` alone is of `org_default`. Fails with invalid_field naming `head`,
/// also for row 0, which proves nothing.
Result<AuditHead> parse_audit_head(std::string_view text, OrgId org_default);

}  // namespace muster::model
