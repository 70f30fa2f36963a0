// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "model/host_query.h"
#include "store/sql/saved_views.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Queries that an organisation's operators keep under a name.
namespace muster::fleet {

/// Keeps a query under a name, in place of the former one. Fails with invalid_field of `name` or
/// `query`: a name that is none, a query that cannot be read, limits::saved_views already.
Result<store::SavedView> set_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                  std::string_view name, std::string_view query, Instant now);
/// Returns what it was. Fails with not_found.
Result<store::SavedView> delete_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                     std::string_view name, Instant now);
/// By organisation, then name.
std::vector<store::SavedView> list_views(store::Store& store, std::optional<OrgId> org);
/// The query of a view. Fails with not_found.
Result<model::HostQuery> view_query(store::Store& store, OrgId org, std::string_view name);

}  // namespace muster::fleet

namespace muster::limits {

/// Views of one organisation: more than people tell apart.
inline constexpr std::size_t saved_views = 200;

}  // namespace muster::limits
