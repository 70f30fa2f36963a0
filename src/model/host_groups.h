// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "model/host_query.h"

/// Groups in the fleet query: `group:web` means the hosts that the saved view `web` means
/// (docs/adr/0030).
namespace muster::model {

/// The query of the group of that name; nothing when there is none.
using FindGroup = std::function<std::optional<std::string>(std::string_view name)>;

/// Whether a term of `query` is about a group.
bool names_groups(const HostQuery& query);
/// Whether one is about the group of that name.
bool names_group(const HostQuery& query, std::string_view name);

/// The query with the queries of its groups, and of those that they name, in place of them. Pure
/// but for `find`. Fails with invalid_field of `query`: for a group that there is not, that is part
/// of itself, or within more others than limits::group_depth; and when the query written out is
/// longer than one may be (limits::query_terms, where each name of a group counts too, and
/// query_lookups).
Result<HostQuery> expand_groups(const HostQuery& query, const FindGroup& find);

}  // namespace muster::model

namespace muster::limits {

/// Groups within groups.
inline constexpr std::size_t group_depth = 8;

}  // namespace muster::limits
