// SPDX-License-Identifier: Apache-2.0
// Settings and events.
#include "fleet/settings.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
#include "fleet/hosts.h"
#include "fleet/orgs.h"

namespace muster::endpoints {

using fleet::SettingScope;
using http::Reply;
using http::Request;
using http::Response;

namespace {

/// The scope that `?scope=`, `?target=` and `?org=` name. Fails with missing_field, invalid_field
/// and not_found.
Result<SettingScope> scope_of(App& app, const Request& request) {
  const auto kind = http::query_param(request.query, "scope");
  const std::string target = http::query_param(request.query, "target").value_or("");
  if (!kind) return Error{Errc::missing_field, "scope: is required", "scope"};
  SettingScope scope;
  if (*kind == "org") {
    scope.kind = SettingScope::Kind::org;
    scope.org = TRY(target.empty() ? org_param_or_default(app, request)
                                   : reached_org(app, request, target));
    return scope;
  }
  scope.org = TRY(org_param_or_default(app, request));
  if (*kind == "tag") {
    if (target.empty() || target.size() > limits::tag_bytes) {
      return invalid_field("target", "must be a tag");
    }
    scope.kind = SettingScope::Kind::tag;
    scope.id = target;
    return scope;
  }
  if (*kind != "host") return invalid_field("scope", "must be one of org, host, tag");
  const fleet::HostRef host = TRY(host_of(app, request, target));
  scope.kind = SettingScope::Kind::host;
  scope.org = host.org;
  scope.id = std::to_string(host.id.value);
  return scope;
}

Response scope_response(const App& app, const SettingScope& scope) {
  JsonWriter json;
  json.begin_object()
      .member("scope", fleet::scope_kind_name(scope.kind))
      .member("target",
              scope.kind == SettingScope::Kind::org ? std::to_string(scope.org.value) : scope.id)
      .key("settings")
      .raw(app.settings.set_at_json(scope))
      .end_object();
  return http::json_response(200, json.take());
}

}  // namespace

Result<Reply> show_settings(App& app, const Request& request) {
  return Reply(scope_response(app, TRY(scope_of(app, request))));
}

Result<Reply> set_settings(App& app, const Request& request) {
  const SettingScope scope = TRY(scope_of(app, request));
  const Json body = TRY(decode_body(request));
  // Runs on a worker, so it may wait for its commit and answer with what is set then.
  TRY(fleet::change_settings(app.store, app.ids, app.settings, actor_of(request),
                             request.caller.authority.in(scope.org), scope, body, request.now));
  return Reply(scope_response(app, scope));
}

Result<Reply> list_events(App& app, const Request& request) {
  fleet::EventQuestion question;
  question.org = TRY(org_param(app, request));
  if (const auto text = http::query_param(request.query, "host")) {
    question.host = TRY(host_of(app, request, *text)).id;
  }
  if (const auto text = http::query_param(request.query, "agent")) {
    question.agent = AgentId{TRY(uuid_param(*text, "agent"))};
  }
  if (const auto text = http::query_param(request.query, "type")) {
    question.type = TRY(model::read_event_type(*text, "type"));
  }
  question.since = TRY(time_param(request, "since"));
  question.until = TRY(time_param(request, "until"));
  const int limit = TRY(page_limit(request));
  const fleet::HistoryPage page =
      TRY(fleet::list_event_page(app.store, question, page_cursor(request), limit));
  return Reply(page_response(page.rows, page.next_cursor, page.total));
}

}  // namespace muster::endpoints
