// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "sim/checks.h"
#include "store/sql/audit.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::sim {

using store::Reader;

void check_audit_chain(Reader& reader, std::vector<model::AuditHead>& former, Ledger& ledger,
                       Instant now) {
  const auto breach = [&](std::string detail) {
    ledger.breach(Claim::audit_is_one_chain, std::move(detail), now);
  };
  std::vector<OrgId> orgs = {OrgId{0}};
  for (const store::Org& org : store::list_orgs(reader)) orgs.push_back(org.id);
  model::AuditCheck check(former);
  std::optional<model::AuditBreak> found;
  const auto take = [&](const std::string& line) {
    if (!found) found = check.take(line);
  };
  for (const OrgId org : orgs) {
    for (const auto& row : store::list_linked_audit(reader, org, 0, 1'000'000)) {
      take(model::encode_audit_line(row));
    }
    if (const auto head = store::find_audit_head(reader, org)) take(model::encode_head_line(*head));
    if (!store::list_unlinked_audit(reader, org, {}, 1).empty()) {
      breach("organisation " + std::to_string(org.value) + " has a row without a link");
    }
  }
  take(model::encode_page_line(""));
  if (!found) found = check.finish();
  if (found) return breach(found->what);
  former = check.heads();
}

void check_audit(Reader& reader, Ledger& ledger, Instant now) {
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::int64_t> rows;
  std::set<std::string> rotated;  // by schedule: an operator may have asked for the same key
  for (const store::AuditRow& row :
       store::list_audit(reader, {}, AuditId{number_id_max}, 1'000'000)) {
    if (row.actor == "server") {
      if (row.action != "agents.rotate_key") continue;
      ledger.count("rotations by schedule");
      rotated.insert(row.target);
      continue;
    }
    ++rows[{row.action, row.action == "settings.set" ? "" : row.target}];
  }
  const auto wrong = [&](const Key& key, std::int64_t found, const std::string& expected) {
    ledger.breach(
        Claim::audit_tells_every_change,
        key.first + " " + key.second + " has " + std::to_string(found) + " rows, not " + expected,
        now);
  };
  const auto& changes = ledger.changes();
  for (const auto& [key, change] : changes) {
    if (change.acknowledged == 0) continue;
    const std::int64_t found = rows.contains(key) ? rows.at(key) : 0;
    // Doing again what is so already is acknowledged, and is no change.
    const bool repeatable = key.first.starts_with("agents.") || key.first.ends_with(".revoke") ||
                            key.first == "blobs.upload";
    const bool same_key = key.first == "agents.rotate_key" && rotated.contains(key.second);
    const std::int64_t least = key.first == "agents.enable" || same_key ? 0
                               : repeatable                             ? 1
                                                                        : change.acknowledged;
    if (found < least) wrong(key, found, "at least " + std::to_string(least));
  }
  std::map<std::string, std::int64_t> unclaimed;  // created by calls that were not answered
  for (const auto& [key, found] : rows) {
    const auto known = changes.find(key);
    if (known != changes.end()) {
      const std::int64_t most = known->second.acknowledged + known->second.unknown;
      if (found > most) wrong(key, found, "at most " + std::to_string(most));
    } else if (key.first.ends_with(".create")) {
      unclaimed[key.first] += found;
    } else {
      wrong(key, found, "none");
    }
  }
  for (const auto& [action, found] : unclaimed) {
    const auto known = changes.find({action, ""});
    const std::int64_t most = known == changes.end() ? 0 : known->second.unknown;
    if (found > most) wrong({action, ""}, found, "at most " + std::to_string(most));
  }
}

}  // namespace muster::sim
