// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/package.h"

namespace muster::store {

class Reader;
class Tx;

struct IdentityOverrideRow {
  OrgId org;
  std::string name;    // of the packages, as reported
  std::string vendor;  // of the packages, as reported; empty for those that have none
  std::optional<model::IdentityOverride> identity;  // none: it was taken back
  Instant changed_at;
  bool matched = false;  // the hosts follow it
};

/// The stored form of what an operator said.
model::IdentityOverride decode_identity(bool skipped, std::string_view products);

/// Replaces what was said of the name and vendor. Packages read from now on have it.
void set_identity_override(Tx& tx, const IdentityOverrideRow& row);
/// The hosts follow it, if it is still the one of `changed_at`. Forgets one that was taken back.
void set_identity_override_matched(Tx& tx, const IdentityOverrideRow& row);
/// Also one that was taken back and that hosts do not follow yet.
std::optional<IdentityOverrideRow> find_identity_override(Reader& reader, OrgId org,
                                                          std::string_view name,
                                                          std::string_view vendor);
/// Those that hosts do not follow yet.
std::vector<IdentityOverrideRow> list_unmatched_identity_overrides(Reader& reader);

}  // namespace muster::store
