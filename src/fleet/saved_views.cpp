// SPDX-License-Identifier: Apache-2.0
#include "fleet/saved_views.h"

#include <functional>
#include <map>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "fleet/host_search.h"
#include "model/host_groups.h"
#include "store/sql/alerts.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr OrgId default_org{1};

Error no_such_view() {
  return {Errc::not_found, "There is no such view."};
}

model::FindGroup groups_of(store::Reader& reader, OrgId org) {
  return [&reader, org](std::string_view name) -> std::optional<std::string> {
    auto view = store::find_saved_view(reader, org, name);
    if (!view) return std::nullopt;
    return std::move(view->query);
  };
}

bool text_names_group(std::string_view text, std::string_view name) {
  const Result<model::HostQuery> query = model::parse_host_query(text);
  return query.ok() && model::names_group(*query, name);
}

/// Views and alerts that name a group, by their names.
struct GroupUses {
  std::vector<std::string> views;
  std::vector<std::string> alerts;
};
GroupUses uses_of(store::Reader& reader, OrgId org, std::string_view name) {
  GroupUses uses;
  for (store::SavedView& view : store::list_saved_views(reader, org)) {
    if (text_names_group(view.query, name)) uses.views.push_back(std::move(view.name));
  }
  for (store::AlertRow& alert : store::list_alerts(reader, org)) {
    if (text_names_group(alert.query, name)) uses.alerts.push_back(std::move(alert.name));
  }
  return uses;
}

/// Whether all that the organisation keeps can be read once the view is `query`: what names it
/// grows with it.
Result<void> check_all_with(store::Reader& reader, OrgId org, std::string_view name,
                            std::string_view query) {
  std::map<std::string, std::string, std::less<>> views;
  for (store::SavedView& view : store::list_saved_views(reader, org)) {
    views[std::move(view.name)] = std::move(view.query);
  }
  views[std::string(name)] = query;
  const auto find = [&](std::string_view group) -> std::optional<std::string> {
    const auto found = views.find(group);
    return found == views.end() ? std::nullopt : std::optional(found->second);
  };
  const auto can_be_read = [&](std::string_view text) -> Result<void> {
    const model::HostQuery read = TRY(model::parse_host_query(text));
    TRY(model::expand_groups(read, find));
    return {};
  };
  // Its own mistakes first. By its name, so that it is told if it is part of itself.
  model::HostTerm self;
  self.field = model::HostField::group;
  self.text.pieces = {std::string(name)};
  TRY(model::expand_groups(model::host_query(std::move(self)), find));
  const auto fails = [&](std::string_view kind, std::string_view user, const Error& error) {
    return invalid_field("query", "the " + std::string(kind) + " \"" + std::string(user) +
                                      "\" names it, and could not be read: " + error.message);
  };
  for (const auto& [user, text] : views) {
    const Result<void> verdict = can_be_read(text);
    if (!verdict.ok()) return fails("view", user, verdict.error());
  }
  for (const store::AlertRow& alert : store::list_alerts(reader, org)) {
    const Result<void> verdict = can_be_read(alert.query);
    if (!verdict.ok()) return fails("alert", alert.name, verdict.error());
  }
  return {};
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
  TRY(check_all_with(tx, org, name, query));
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
  const GroupUses uses = uses_of(tx, org, name);
  for (const auto& [kind, users] : {std::pair("view", &uses.views), {"alert", &uses.alerts}}) {
    if (users->empty()) continue;
    return invalid_field("name",
                         std::string("the ") + kind + " \"" + users->front() + "\" names it");
  }
  store::delete_saved_view(tx, org, name);
  record_audit(
      tx, ids, org, actor, "views.delete", former->name,
      [&](JsonWriter& details) { details.member("query", former->query); }, now);
  return *former;
}

std::vector<store::SavedView> list_views(store::Store& store, std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) { return store::list_saved_views(reader, org); });
}

Result<ShownView> show_view(store::Store& store, const PresenceTable& presence,
                            const Config& config, OrgId org, std::string_view name, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<ShownView> {
    auto view = store::find_saved_view(reader, org, name);
    if (!view) return no_such_view();
    const model::HostQuery query = TRY(read_host_query(reader, org, view->query));
    HostSearch search(reader, presence, config, query, org, HostId{0}, now);
    ShownView shown;
    shown.hosts = count_found(search, 0);
    GroupUses uses = uses_of(reader, org, name);
    shown.views = std::move(uses.views);
    shown.alerts = std::move(uses.alerts);
    shown.view = std::move(*view);
    return shown;
  });
}

Result<model::HostQuery> read_host_query(store::Reader& reader, OrgId org, std::string_view text) {
  const model::HostQuery query = TRY(model::parse_host_query(text));
  return model::expand_groups(query, groups_of(reader, org));
}

Result<HostQuestion> read_host_question(store::Store& store, std::optional<OrgId> org,
                                        std::string_view text,
                                        std::optional<std::string_view> view) {
  HostQuestion question;
  question.query = TRY(model::parse_host_query(text));
  question.org = org;
  const bool of_one = view.has_value() || model::names_groups(question.query);
  if (!of_one) return question;
  question.org = org.value_or(default_org);
  return store.read([&](store::Reader& reader) -> Result<HostQuestion> {
    const model::FindGroup groups = groups_of(reader, *question.org);
    question.query = TRY(model::expand_groups(question.query, groups));
    if (!view) return question;
    const auto kept = store::find_saved_view(reader, *question.org, *view);
    if (!kept) return no_such_view();
    model::HostQuery members = TRY(read_host_query(reader, *question.org, kept->query));
    question.query = model::both(std::move(members), std::move(question.query));
    return question;
  });
}

}  // namespace muster::fleet
