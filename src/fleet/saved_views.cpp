// SPDX-License-Identifier: Apache-2.0
#include "fleet/saved_views.h"

#include "base/limits.h"
#include "base/text.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_such_view() {
  return {Errc::not_found, "There is no such view."};
}

}  // namespace

Result<store::SavedView> set_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                  std::string_view name, std::string_view query, Instant now) {
  if (name.empty() || name.size() > limits::name_bytes || !is_plain_text(name)) {
    return invalid_field(
        "name", "must be text of at most " + std::to_string(limits::name_bytes) + " bytes");
  }
  TRY(model::parse_host_query(query));
  const auto former = store::find_saved_view(tx, org, name);
  if (former && former->query == query) return *former;
  if (!former && store::list_saved_views(tx, org).size() >= limits::saved_views) {
    return invalid_field(
        "name", "there are " + std::to_string(limits::saved_views) + " views, as many as are kept");
  }
  const store::SavedView view{org, std::string(name), std::string(query), now, actor.text};
  store::set_saved_view(tx, view);
  record_audit(
      tx, ids, org, actor, "views.set", view.name,
      [&](JsonWriter& details) { details.member("query", view.query); }, now);
  return view;
}

Result<store::SavedView> delete_view(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                     std::string_view name, Instant now) {
  const auto former = store::find_saved_view(tx, org, name);
  if (!former) return no_such_view();
  store::delete_saved_view(tx, org, name);
  record_audit(
      tx, ids, org, actor, "views.delete", former->name,
      [&](JsonWriter& details) { details.member("query", former->query); }, now);
  return *former;
}

std::vector<store::SavedView> list_views(store::Store& store, std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) { return store::list_saved_views(reader, org); });
}

Result<model::HostQuery> view_query(store::Store& store, OrgId org, std::string_view name) {
  const auto view =
      store.read([&](store::Reader& reader) { return store::find_saved_view(reader, org, name); });
  if (!view) return no_such_view();
  return model::parse_host_query(view->query);
}

}  // namespace muster::fleet
