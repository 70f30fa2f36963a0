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
#include "store/total.h"

namespace muster {
struct Config;
}
namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

/// Queries that an organisation's operators keep under a name. Each is a group of hosts, too: in
/// other queries `group:NAME` means the hosts that it means (docs/adr/0030). Who is in it is never
/// stored.
namespace muster::fleet {

class PresenceTable;

/// Keeps a query under a name, in place of the former one. Fails with invalid_field of `name` or
/// `query`: a name that is none, a query that cannot be read, that names a group that there is not
/// or itself, or that would make a view or an alert longer than one may be; limits::saved_views
/// already.
Result<store::SavedView> set_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                  std::string_view name, std::string_view query, Instant now);
/// Returns what it was. Fails with not_found, and with invalid_field of `name` for one that other
/// views or alerts name.
Result<store::SavedView> delete_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                     std::string_view name, Instant now);
/// By organisation, then name.
std::vector<store::SavedView> list_views(store::Store& store, std::optional<OrgId> org);

/// A view and what it means at a moment.
struct ShownView {
  store::SavedView view;
  store::Total hosts;               // in it
  std::vector<std::string> views;   // that name it
  std::vector<std::string> alerts;  // likewise
};
/// Costs a search of all hosts. Fails with not_found.
Result<ShownView> show_view(store::Store& store, const PresenceTable& presence,
                            const Config& config, OrgId org, std::string_view name, Instant now);

/// Reads a query whose groups are the organisation's, and writes them out: what HostSearch asks
/// for. Fails with invalid_field of `query`.
Result<model::HostQuery> read_host_query(store::Reader& reader, OrgId org, std::string_view text);

/// Which hosts an operator asks for.
struct HostQuestion {
  model::HostQuery query;
  std::optional<OrgId> org;  // all of them without one
};
/// Reads a query, of the hosts of `org` or of all; with `view` also of those in the view of that
/// name. One that names a group or a view is about one organisation: `default` when none is named.
/// Fails with not_found for the view, and with invalid_field of `query`.
Result<HostQuestion> read_host_question(store::Store& store, std::optional<OrgId> org,
                                        std::string_view text,
                                        std::optional<std::string_view> view = std::nullopt);

}  // namespace muster::fleet

namespace muster::limits {

/// Views of one organisation: more than people tell apart.
inline constexpr std::size_t saved_views = 200;

}  // namespace muster::limits
