// SPDX-License-Identifier: Apache-2.0
// Saved views: queries with a name.
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/saved_views.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

void write_view(JsonWriter& json, const store::SavedView& view, fleet::OperatorNames& names) {
  json.member("name", view.name)
      .member("org_id", view.org)
      .member("query", view.query)
      .member("set_at", view.set_at);
  write_actor(json, "set_by", view.set_by, names);
}

std::string encode_view(const store::SavedView& view, fleet::OperatorNames& names) {
  JsonWriter json;
  json.begin_object();
  write_view(json, view, names);
  json.end_object();
  return json.take();
}

/// The view's name in the path.
std::string name_param(const Request& request) {
  return http::decode_component(request.params[0]).value_or("");
}

}  // namespace

Result<Reply> list_views(App& app, const Request& request) {
  const std::optional<OrgId> org = TRY(org_param(app, request));
  std::vector<Listed> all;
  fleet::OperatorNames names(app.store);
  for (const store::SavedView& view : fleet::list_views(app.store, org)) {
    all.push_back({std::to_string(view.org.value) + ":" + view.name, encode_view(view, names)});
  }
  return page_of(all, request);
}

Result<Reply> show_view(App& app, const Request& request) {
  const OrgId org = TRY(org_param_or_default(app, request));
  const fleet::ShownView shown = TRY(
      fleet::show_view(app.store, app.presence, app.config, org, name_param(request), request.now));
  JsonWriter json;
  json.begin_object();
  fleet::OperatorNames names(app.store);
  write_view(json, shown.view, names);
  json.key("hosts");
  write_total(json, shown.hosts);
  json.key("used_by")
      .begin_object()
      .member("views", shown.views)
      .member("alerts", shown.alerts)
      .end_object()
      .end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> set_view(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const std::string query(fields.text("query", limits::query_bytes));
  const OrgId org = TRY(org_member(app, request, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), org, name = name_param(request), query,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const store::SavedView view = TRY(fleet::set_view(tx, app.ids, actor, org, name, query, now));
    fleet::OperatorNames names(tx);
    return http::json_response(200, encode_view(view, names));
  }));
}

Result<Reply> delete_view(App& app, const Request& request) {
  const OrgId org = TRY(org_param_or_default(app, request));
  return Reply(http::Write([&app, actor = actor_of(request), org, name = name_param(request),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const store::SavedView view = TRY(fleet::delete_view(tx, app.ids, actor, org, name, now));
    fleet::OperatorNames names(tx);
    return http::json_response(200, encode_view(view, names));
  }));
}

}  // namespace muster::endpoints
