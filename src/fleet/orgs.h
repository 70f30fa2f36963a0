// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "store/sql/keys.h"
#include "store/sql/orgs.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

using Org = store::Org;
using InventoryKey = store::InventoryKey;

/// Fails with name_taken, and with invalid_field for a name that reads as an id.
Result<Org> create_org(store::Tx& tx, NumberIds& ids, const Actor& actor, const std::string& name,
                       Instant now);
/// What resolve_org fails with.
Error no_such_org();
/// An organisation by id or name. Fails with not_found.
Result<OrgId> resolve_org(store::Store& store, std::string_view id_or_name);

/// All of them, newest first; never a secret.
std::vector<Org> list_all_orgs(store::Store& store);
std::vector<InventoryKey> list_all_keys(store::Store& store);

}  // namespace muster::fleet
