// SPDX-License-Identifier: Apache-2.0
// Whom to tell of events.
#include "fleet/webhooks.h"

#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/credentials.h"
#include "store/store.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;
using model::EventType;

namespace {

void write_webhook(JsonWriter& json, const store::WebhookRow& webhook,
                   fleet::OperatorNames& names) {
  json.member("id", webhook.id)
      .member("org_id", webhook.org)
      .member("name", webhook.name)
      .member("url", webhook.url)
      .member("events", webhook.events)
      .member("created_at", webhook.created_at);
  write_actor(json, "created_by", webhook.created_by, names);
  json.member("delivered_at", webhook.delivered_at)
      .member("failures", webhook.failures)
      .member("failed_at", webhook.failed_at)
      .member("failure", webhook.failure)
      .member("next_at", webhook.next_at)
      .member("given_up", webhook.given_up);
}

std::string encode_webhook(const store::WebhookRow& webhook, fleet::OperatorNames& names) {
  JsonWriter json;
  json.begin_object();
  write_webhook(json, webhook, names);
  json.end_object();
  return json.take();
}

Result<std::vector<EventType>> types_of(const std::vector<std::string>& texts) {
  std::vector<EventType> types;
  for (const std::string& text : texts) {
    const std::string member = "events[" + std::to_string(types.size()) + "]";
    types.push_back(TRY(model::read_event_type(text, member)));
  }
  return types;
}

Result<WebhookId> webhook_param(const Request& request) {
  return WebhookId{TRY(number_param(request.params[0], "webhook"))};
}

}  // namespace

Result<Reply> create_webhook(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::WebhookOrder order;
  order.name = fields.text("name", limits::name_bytes);
  order.url = fields.text("url", limits::webhook_url_bytes);
  order.events = {EventType::alert_firing, EventType::alert_ok, EventType::alert_unmuted};
  if (fields.has("events")) {
    const std::vector<std::string> texts =
        fields.optional_texts("events", limits::webhook_events, limits::event_type_bytes);
    TRY(fields.finish());
    order.events = TRY(types_of(texts));
  }
  TRY(fields.finish());
  order.org = TRY(org_member(app, request, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::CreatedWebhook created = TRY(fleet::create_webhook(
        tx, app.ids, app.credentials.keyed_hash(), app.config, actor, order, now));
    JsonWriter json;
    json.begin_object();
    fleet::OperatorNames names(tx);
    write_webhook(json, created.webhook, names);
    json.member("secret", created.secret).end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_webhooks(App& app, const Request& request) {
  const std::optional<OrgId> org = TRY(org_param(app, request));
  std::vector<Listed> all;
  fleet::OperatorNames names(app.store);
  for (const fleet::WebhookView& view : fleet::list_webhooks(app.store, org)) {
    JsonWriter json;
    json.begin_object();
    write_webhook(json, view.webhook, names);
    json.member("waiting", view.waiting).end_object();
    all.push_back({std::to_string(view.webhook.id.value), json.take()});
  }
  return page_of(all, request);
}

Result<Reply> delete_webhook(App& app, const Request& request) {
  const WebhookId id = TRY(webhook_param(request));
  return Reply(http::Write(
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        const store::WebhookRow webhook = TRY(fleet::delete_webhook(tx, app.ids, actor, id, now));
        fleet::OperatorNames names(tx);
        return http::json_response(200, encode_webhook(webhook, names));
      }));
}

Result<Reply> test_webhook(App& app, const Request& request) {
  const WebhookId id = TRY(webhook_param(request));
  return Reply(http::Write(
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        const store::WebhookRow webhook = TRY(fleet::test_webhook(tx, app.ids, actor, id, now));
        fleet::OperatorNames names(tx);
        return http::json_response(200, encode_webhook(webhook, names));
      }));
}

}  // namespace muster::endpoints
