// SPDX-License-Identifier: Apache-2.0
#include "store/sql/webhooks.h"

#include <algorithm>

#include "store/store.h"

namespace muster::store {

namespace {

#define WEBHOOK_COLUMNS                                                                    \
  "org_id, webhook_id, name, url, events, created_at, created_by, delivered_at, failures," \
  " failed_at, failure, next_at, given_up"

/// " alert_ok alert_firing ": the statement that looks for a type looks for " type ".
std::string encode_types(const std::vector<std::string>& types) {
  std::string text = " ";
  for (const std::string& type : types) text.append(type).push_back(' ');
  return text;
}

std::vector<std::string> decode_types(std::string_view text) {
  std::vector<std::string> types;
  while (true) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return types;
    text.remove_prefix(begin);
    const auto end = std::min(text.find(' '), text.size());
    types.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

WebhookRow read_webhook(const Rows& rows) {
  WebhookRow webhook;
  webhook.org = rows.number_id<OrgId>(0);
  webhook.id = rows.number_id<WebhookId>(1);
  webhook.name = rows.string(2);
  webhook.url = rows.string(3);
  webhook.events = decode_types(rows.text(4));
  webhook.created_at = rows.instant(5);
  webhook.created_by = rows.string(6);
  webhook.delivered_at = rows.maybe_instant(7);
  webhook.failures = rows.integer(8);
  webhook.failed_at = rows.maybe_instant(9);
  webhook.failure = rows.string(10);
  webhook.next_at = rows.maybe_instant(11);
  webhook.given_up = rows.integer(12);
  return webhook;
}

std::optional<WebhookRow> read_one(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return read_webhook(rows);
}

}  // namespace

void insert_webhook(Tx& tx, const WebhookRow& webhook) {
  tx.may_have_webhooks = true;
  tx.post("INSERT INTO webhooks (" WEBHOOK_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
          webhook.org, webhook.id, webhook.name, webhook.url, encode_types(webhook.events),
          webhook.created_at, webhook.created_by, webhook.delivered_at, webhook.failures,
          webhook.failed_at, webhook.failure, webhook.next_at, webhook.given_up);
}

void set_webhook_course(Tx& tx, const WebhookRow& webhook) {
  tx.post(
      "UPDATE webhooks SET delivered_at = $3, failures = $4, failed_at = $5, failure = $6,"
      " next_at = $7, given_up = $8 WHERE org_id = $1 AND webhook_id = $2",
      webhook.org, webhook.id, webhook.delivered_at, webhook.failures, webhook.failed_at,
      webhook.failure, webhook.next_at, webhook.given_up);
}

void delete_webhook(Tx& tx, OrgId org, WebhookId id) {
  tx.may_have_webhooks = true;  // this may be undone
  tx.post("DELETE FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2", org, id);
  tx.post("DELETE FROM webhooks WHERE org_id = $1 AND webhook_id = $2", org, id);
}

std::optional<WebhookRow> find_webhook(Reader& reader, OrgId org, WebhookId id) {
  return read_one(reader.query(
      "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE org_id = $1 AND webhook_id = $2", org, id));
}

std::optional<WebhookRow> find_webhook_anywhere(Reader& reader, WebhookId id) {
  return read_one(
      reader.query("SELECT " WEBHOOK_COLUMNS
                   " FROM webhooks WHERE org_id IN (SELECT org_id FROM orgs) AND webhook_id = $1",
                   id));
}

std::vector<WebhookRow> list_webhooks(Reader& reader, std::optional<OrgId> org) {
  std::vector<WebhookRow> webhooks;
  Rows rows = reader.query("SELECT " WEBHOOK_COLUMNS
                           " FROM webhooks WHERE ($1 IS NULL OR org_id = $1)"
                           " ORDER BY org_id, webhook_id",
                           org);
  while (rows.next()) webhooks.push_back(read_webhook(rows));
  return webhooks;
}

#undef WEBHOOK_COLUMNS

namespace {

bool has_webhooks(Reader& reader) {
  return reader.query("SELECT 1 FROM webhooks LIMIT 1").next();
}

}  // namespace

void insert_deliveries(Tx& tx, OrgId org, const std::vector<EventRow>& events) {
  if (tx.engine() == Engine::sqlite) {
    if (!tx.may_have_webhooks) tx.may_have_webhooks = has_webhooks(tx);
    if (!*tx.may_have_webhooks) return;
  }
  // An underscore of LIKE is any letter: types that differ in no more than that are not made.
  std::vector<std::pair<EventId, std::string>> wanted;
  for (const EventRow& event : events) wanted.emplace_back(event.id, "% " + event.type + " %");
  tx.post_batch(
      "INSERT INTO webhook_deliveries (org_id, webhook_id, event_id, attempts)"
      " SELECT w.org_id, w.webhook_id, $2, 0 FROM webhooks w WHERE w.org_id = $1"
      " AND w.events LIKE $3 ON CONFLICT (org_id, webhook_id, event_id) DO NOTHING",
      "INSERT INTO webhook_deliveries (org_id, webhook_id, event_id, attempts)"
      " SELECT w.org_id, w.webhook_id, given.event_id, 0 FROM webhooks w,"
      " unnest($2, $3) AS given (event_id, type) WHERE w.org_id = $1"
      " AND w.events LIKE given.type ON CONFLICT (org_id, webhook_id, event_id) DO NOTHING",
      org, wanted, [](const std::pair<EventId, std::string>& event) {
        return std::array<Param, 2>{event.first, event.second};
      });
}

void insert_delivery(Tx& tx, OrgId org, WebhookId webhook, EventId event) {
  tx.post(
      "INSERT INTO webhook_deliveries (org_id, webhook_id, event_id, attempts)"
      " VALUES ($1, $2, $3, 0) ON CONFLICT (org_id, webhook_id, event_id) DO NOTHING",
      org, webhook, event);
}

std::vector<Delivery> list_deliveries(Reader& reader, OrgId org, WebhookId webhook, int count) {
  std::vector<Delivery> deliveries;
  Rows rows = reader.query(
      "SELECT e.org_id, e.event_id, e.at, e.type, e.agent_id, e.host_id, e.details, d.attempts,"
      " h.hostname"
      " FROM webhook_deliveries d"
      " JOIN events e ON e.org_id = d.org_id AND e.event_id = d.event_id"
      " LEFT JOIN hosts h ON h.org_id = e.org_id AND h.host_id = e.host_id"
      " WHERE d.org_id = $1 AND d.webhook_id = $2 ORDER BY d.event_id LIMIT $3",
      org, webhook, count);
  while (rows.next()) {
    Delivery& delivery = deliveries.emplace_back();
    EventRow& event = delivery.event;
    event.org = rows.number_id<OrgId>(0);
    event.id = rows.number_id<EventId>(1);
    event.at = rows.instant(2);
    event.type = rows.string(3);
    if (!rows.is_null(4)) event.agent = rows.uuid_id<AgentId>(4);
    if (!rows.is_null(5)) event.host = rows.number_id<HostId>(5);
    event.details = rows.string(6);
    delivery.attempts = rows.integer(7);
    if (!rows.is_null(8)) event.hostname = rows.string(8);
  }
  return deliveries;
}

std::int64_t count_deliveries(Reader& reader, OrgId org, WebhookId webhook) {
  Rows rows =
      reader.query("SELECT count(*) FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2",
                   org, webhook);
  rows.next();
  return rows.integer(0);
}

void set_delivery_attempts(Tx& tx, OrgId org, WebhookId webhook, EventId event,
                           std::int64_t attempts) {
  tx.post(
      "UPDATE webhook_deliveries SET attempts = $4"
      " WHERE org_id = $1 AND webhook_id = $2 AND event_id = $3",
      org, webhook, event, attempts);
}

bool delete_delivery(Tx& tx, OrgId org, WebhookId webhook, EventId event) {
  return tx.execute(
             "DELETE FROM webhook_deliveries"
             " WHERE org_id = $1 AND webhook_id = $2 AND event_id = $3",
             org, webhook, event) == 1;
}

std::int64_t delete_late_deliveries(Tx& tx, OrgId org, WebhookId webhook, std::int64_t most,
                                    int count) {
  return tx.execute(
      "DELETE FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2 AND event_id IN"
      " (SELECT event_id FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2"
      " ORDER BY event_id LIMIT $4 OFFSET $3)",
      org, webhook, most, count);
}

std::int64_t delete_lost_deliveries(Tx& tx, OrgId org, WebhookId webhook) {
  return tx.execute(
      "DELETE FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2"
      " AND NOT EXISTS (SELECT 1 FROM events e"
      " WHERE e.org_id = $1 AND e.event_id = webhook_deliveries.event_id)",
      org, webhook);
}

}  // namespace muster::store
