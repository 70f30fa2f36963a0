// SPDX-License-Identifier: Apache-2.0
#include "store/sql/saved_views.h"

#include <algorithm>
#include <tuple>

#include "store/store.h"

namespace muster::store {

namespace {

#define VIEW_COLUMNS "org_id, name, query, set_at, set_by"

std::vector<SavedView> read_views(Rows rows) {
  std::vector<SavedView> views;
  while (rows.next()) {
    views.push_back({rows.number_id<OrgId>(0), rows.string(1), rows.string(2), rows.instant(3),
                     rows.string(4)});
  }
  return views;
}

}  // namespace

void set_saved_view(Tx& tx, const SavedView& view) {
  tx.post("INSERT INTO saved_views (" VIEW_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, name) DO UPDATE"
          " SET query = excluded.query, set_at = excluded.set_at, set_by = excluded.set_by",
          view.org, view.name, view.query, view.set_at, view.set_by);
}

bool delete_saved_view(Tx& tx, OrgId org, std::string_view name) {
  return tx.execute("DELETE FROM saved_views WHERE org_id = $1 AND name = $2", org, name) == 1;
}

std::optional<SavedView> find_saved_view(Reader& reader, OrgId org, std::string_view name) {
  std::vector<SavedView> found = read_views(reader.query(
      "SELECT " VIEW_COLUMNS " FROM saved_views WHERE org_id = $1 AND name = $2", org, name));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<SavedView> list_saved_views(Reader& reader, std::optional<OrgId> org) {
  std::vector<SavedView> views = read_views(reader.query(
      "SELECT " VIEW_COLUMNS " FROM saved_views WHERE ($1 IS NULL OR org_id = $1)", org));
  // The engines order text differently.
  std::sort(views.begin(), views.end(), [](const SavedView& a, const SavedView& b) {
    return std::tie(a.org, a.name) < std::tie(b.org, b.name);
  });
  return views;
}

#undef VIEW_COLUMNS

}  // namespace muster::store
