// SPDX-License-Identifier: Apache-2.0
#include "model/audit_chain.h"

#include "base/check.h"
#include "base/text.h"

namespace muster::model {

namespace {

/// What begins every text that is hashed here, so that it is no other text of ours.
constexpr std::string_view chain_domain = "muster audit chain 1\n";
constexpr std::string_view row_domain = "muster audit row 1\n";

/// As a netstring without its comma: the length in octets, a colon, the octets.
void append_member(std::string& out, std::string_view octets) {
  out.append(std::to_string(octets.size())).append(":").append(octets);
}

Error no_head(std::string what) {
  return invalid_field("head", std::move(what));
}

}  // namespace

AuditHead first_audit_head(OrgId org) {
  return {org, 0, crypto::sha256(chain_domain)};
}

AuditHead advance(const AuditHead& head, const AuditRow& row) {
  CHECK(row.org == head.org);
  const std::int64_t seq = head.seq + 1;
  std::string text(row_domain);
  text.reserve(text.size() + 160 + row.actor.size() + row.action.size() + row.target.size() +
               row.details.size());
  text.append(head.hash.octets());
  append_member(text, std::to_string(row.org.value));
  append_member(text, std::to_string(seq));
  append_member(text, std::to_string(row.id.value));
  append_member(text, std::to_string(row.at.unix_ms));
  append_member(text, row.actor);
  append_member(text, row.action);
  append_member(text, row.target);
  append_member(text, row.details);
  return {row.org, seq, crypto::sha256(text)};
}

std::string encode_audit_head(const AuditHead& head) {
  return std::to_string(head.org.value) + ":" + std::to_string(head.seq) + ":" + head.hash.text();
}

Result<AuditHead> parse_audit_head(std::string_view text, OrgId org_default) {
  const auto last = text.rfind(':');
  if (last == std::string_view::npos) return no_head("must be ORG:SEQ:HASH");
  std::string_view before = text.substr(0, last);
  AuditHead head{org_default, 0, {}};
  if (const auto colon = before.find(':'); colon != std::string_view::npos) {
    const auto org = parse_int(before.substr(0, colon));
    if (!org || *org < 0 || *org > number_id_max) return no_head("names no organisation");
    head.org = {*org};
    before.remove_prefix(colon + 1);
  }
  const auto seq = parse_int(before);
  if (!seq || *seq < 1 || *seq > number_id_max) return no_head("names no row");
  head.seq = *seq;
  const auto hash = crypto::parse_sha256(text.substr(last + 1));
  if (!hash) return no_head("has no hash of 64 hexadecimal digits");
  head.hash = *hash;
  return head;
}

}  // namespace muster::model
