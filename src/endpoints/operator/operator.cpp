// SPDX-License-Identifier: Apache-2.0
#include "endpoints/operator/operator.h"

#include <algorithm>

#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/reach.h"
#include "fleet/catalogue.h"
#include "fleet/cursor.h"
#include "fleet/feed_age.h"
#include "fleet/orgs.h"
#include "fleet/writes.h"

namespace muster::endpoints {

fleet::Actor actor_of(const http::Request& request) {
  if (request.caller.kind == http::Caller::Kind::inventory_key) {
    return fleet::Actor::inventory_key(KeyId{request.caller.key});
  }
  return fleet::Actor::operator_token(OperatorId{request.caller.key});
}

Result<OrgId> reached_org(App& app, const http::Request& request, std::string_view id_or_name) {
  const OrgId org = TRY(fleet::resolve_org(app.store, id_or_name));
  TRY(check_role_in(request, org, fleet::no_such_org()));
  return org;
}

Result<OrgId> org_member(App& app, const http::Request& request, Fields& fields, const Json& body) {
  const auto given = body.find("org");
  if (given && given->integer()) {
    return reached_org(app, request, std::to_string(*given->integer()));
  }
  const auto name = fields.optional_text("org", limits::name_bytes);
  if (name) return reached_org(app, request, *name);
  return org_param_or_default(app, request);
}

Result<std::optional<OrgId>> org_param(App& app, const http::Request& request) {
  const auto text = http::query_param(request.query, "org");
  if (text) {
    const OrgId org = TRY(reached_org(app, request, *text));
    return std::optional<OrgId>(org);
  }
  if (!request.caller.is_limited()) return std::optional<OrgId>();
  const std::vector<OrgId> own = request.caller.authority.orgs_with(request.caller.least);
  if (own.size() == 1) return std::optional<OrgId>(own.front());
  return invalid_field("org", "must name one of your organisations");
}

Result<OrgId> org_param_or_default(App& app, const http::Request& request) {
  const std::optional<OrgId> org = TRY(org_param(app, request));
  return org.value_or(OrgId{1});
}

Result<http::Reply> reply_when_followed(App& app, http::Write work) {
  std::optional<Result<http::Response>> outcome;
  fleet::write_everywhere(app.store, app.nodes, [&](store::Tx& tx) {
    outcome.emplace(work(tx));
    return outcome->ok();
  });
  return http::Reply(TRY(std::move(*outcome)));
}

void write_epss(JsonWriter& json, const std::optional<model::EpssScore>& score) {
  const auto write = [&](std::string_view name, std::int32_t model::EpssScore::*share) {
    json.key(name);
    if (!score) {
      json.null();
    } else {
      json.value(static_cast<double>((*score).*share) / model::EpssScore::whole);
    }
  };
  write("epss", &model::EpssScore::probability);
  write("epss_percentile", &model::EpssScore::percentile);
}

void write_operator(JsonWriter& json, std::string_view member, std::optional<OperatorId> id,
                    fleet::OperatorNames& names) {
  json.member(member, id).member(std::string(member) + "_name", id ? names.of(*id) : std::nullopt);
}

void write_actor(JsonWriter& json, std::string_view member, std::string_view actor,
                 fleet::OperatorNames& names) {
  json.member(member, actor).member(std::string(member) + "_name", names.of_actor(actor));
}

void write_feeds(JsonWriter& json, const App& app, Instant now) {
  json.key("feeds").begin_array();
  for (const fleet::FeedAge& age :
       fleet::feed_ages(app.catalogue.current()->feeds, app.config, now)) {
    if (!age.imported_at) continue;
    json.begin_object()
        .member("feed", feeds::feed_name(age.kind))
        .member("imported_at", age.imported_at)
        .member("published", age.published)
        .member("stale", age.stale)
        .end_object();
  }
  json.end_array();
}

namespace {

void begin_page(JsonWriter& json, const std::vector<std::string>& items,
                std::string_view next_cursor, store::Total total) {
  json.begin_object().key("items").begin_array();
  for (const std::string& item : items) json.raw(item);
  json.end_array().key("next_cursor");
  if (next_cursor.empty()) {
    json.null();
  } else {
    json.value(next_cursor);
  }
  json.key("total");
  write_total(json, total);
}

}  // namespace

void write_total(JsonWriter& json, store::Total total) {
  json.begin_object()
      .member("value", total.value)
      .member("relation", total.exact ? "eq" : "gte")
      .end_object();
}

http::Response page_response(const std::vector<std::string>& items, std::string_view next_cursor,
                             store::Total total) {
  JsonWriter json;
  begin_page(json, items, next_cursor, total);
  json.end_object();
  return http::json_response(200, json.take());
}

http::Response page_response(const std::vector<std::string>& items, std::string_view next_cursor,
                             store::Total total, const App& app, Instant now,
                             std::optional<store::Total> unknown_not_shown) {
  JsonWriter json;
  begin_page(json, items, next_cursor, total);
  if (unknown_not_shown) {
    json.key("unknown_not_shown");
    write_total(json, *unknown_not_shown);
  }
  write_feeds(json, app, now);
  json.end_object();
  return http::json_response(200, json.take());
}

Result<http::Reply> page_of(const std::vector<Listed>& all, const http::Request& request) {
  const auto limit = static_cast<std::size_t>(TRY(page_limit(request)));
  const std::string cursor = page_cursor(request);
  auto at = all.begin();
  if (!cursor.empty()) {
    at = std::find_if(all.begin(), all.end(),
                      [&](const Listed& row) { return row.cursor == cursor; });
    if (at == all.end()) return fleet::not_a_cursor();
    ++at;
  }
  std::vector<std::string> items;
  for (; at != all.end() && items.size() < limit; ++at) items.push_back(at->json);
  const bool more = at != all.end();
  return http::Reply(page_response(items, more ? std::prev(at)->cursor : "",
                                   {static_cast<std::int64_t>(all.size()), true}));
}

}  // namespace muster::endpoints
