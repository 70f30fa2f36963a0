// SPDX-License-Identifier: Apache-2.0
// Alerts by query.
#include "fleet/alerts.h"

#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/presence.h"
#include "model/host_query.h"
#include "store/store.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_alert(const fleet::AlertView& view, fleet::OperatorNames& names) {
  const store::AlertRow& alert = view.alert;
  JsonWriter json;
  json.begin_object()
      .member("id", alert.id)
      .member("org_id", alert.org)
      .member("name", alert.name)
      .member("query", alert.query)
      .member("comparison", model::alert_comparison_name(alert.condition.comparison))
      .member("threshold", alert.condition.threshold)
      .member("for_seconds", alert.condition.hold / std::chrono::seconds(1))
      .member("created_at", alert.created_at);
  write_actor(json, "created_by", alert.created_by, names);
  json.member("state", model::alert_state_name(alert.course.state))
      .member("since", alert.course.since)
      .key("hosts");
  if (alert.hosts) {
    write_total(json, {alert.hosts->value, alert.hosts->exact});
  } else {
    json.null();
  }
  json.member("evaluated_at", alert.course.evaluated_at)
      .member("failure", alert.failure)
      .member("acknowledged_at", alert.acknowledged_at);
  write_actor(json, "acknowledged_by", alert.acknowledged_by, names);
  json.member("muted_until", alert.muted_until);
  write_actor(json, "muted_by", alert.muted_by, names);
  json.member("failing_webhooks", view.failing_webhooks).end_object();
  return json.take();
}

Result<AlertId> alert_param(const Request& request) {
  return AlertId{TRY(number_param(request.params[0], "alert"))};
}

/// `above` or `below`, and `for_seconds`.
model::AlertCondition condition_members(Fields& fields) {
  model::AlertCondition condition;
  const auto above = fields.optional_integer("above", 0, limits::counted_rows);
  const auto below = fields.optional_integer("below", 1, limits::counted_rows);
  if (above && below) fields.fail("below", "is instead of above");
  if (!above && !below) fields.fail("above", "is required, or below");
  if (below) condition.comparison = model::AlertComparison::below;
  condition.threshold = below ? *below : above.value_or(0);
  const auto seconds = fields.optional_integer("for_seconds", 0, limits::alert_hold_seconds_max);
  condition.hold = std::chrono::seconds(seconds.value_or(0));
  return condition;
}

/// What a change left. How telling of the alert goes is asked for apart.
Response changed(store::Tx& tx, store::AlertRow alert, int status = 200) {
  fleet::OperatorNames names(tx);
  return http::json_response(status, encode_alert({std::move(alert), {}}, names));
}

}  // namespace

Result<Reply> create_alert(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::AlertOrder order;
  order.name = fields.text("name", limits::name_bytes);
  order.query = fields.text("query", limits::query_bytes);
  order.condition = condition_members(fields);
  TRY(fields.finish());
  order.org = TRY(org_member(app, request, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    return changed(tx, TRY(fleet::create_alert(tx, app.ids, actor, order, now)), 201);
  }));
}

Result<Reply> list_alerts(App& app, const Request& request) {
  const std::optional<OrgId> org = TRY(org_param(app, request));
  const auto word = http::query_param(request.query, "state");
  const auto state = word ? model::parse_alert_state(*word) : std::nullopt;
  if (word && !state) return invalid_field("state", "must be one of ok, pending, firing");
  std::vector<Listed> all;
  fleet::OperatorNames names(app.store);
  for (const fleet::AlertView& view : fleet::list_alerts(app.store, org)) {
    if (state && view.alert.course.state != *state) continue;
    all.push_back({std::to_string(view.alert.id.value), encode_alert(view, names)});
  }
  return page_of(all, request);
}

Result<Reply> show_alert(App& app, const Request& request) {
  const AlertId id = TRY(alert_param(request));
  const fleet::AlertView view = TRY(fleet::show_alert(app.store, id));
  fleet::OperatorNames names(app.store);
  return Reply(http::json_response(200, encode_alert(view, names)));
}

Result<Reply> delete_alert(App& app, const Request& request) {
  const AlertId id = TRY(alert_param(request));
  return Reply(http::Write(
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        return changed(tx, TRY(fleet::delete_alert(tx, app.ids, actor, id, now)));
      }));
}

Result<Reply> mute_alert(App& app, const Request& request) {
  const AlertId id = TRY(alert_param(request));
  Fields fields(TRY(decode_body(request)));
  const auto seconds = fields.integer("for_seconds", 0, limits::alert_mute_seconds_max);
  TRY(fields.finish());
  const auto until =
      seconds > 0 ? std::optional(request.now + std::chrono::seconds(seconds)) : std::nullopt;
  return Reply(http::Write([&app, actor = actor_of(request), id, until,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    return changed(tx, TRY(fleet::mute_alert(tx, app.ids, actor, id, until, now)));
  }));
}

Result<Reply> acknowledge_alert(App& app, const Request& request) {
  const AlertId id = TRY(alert_param(request));
  return Reply(http::Write(
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        return changed(tx, TRY(fleet::acknowledge_alert(tx, app.ids, actor, id, now)));
      }));
}

}  // namespace muster::endpoints
