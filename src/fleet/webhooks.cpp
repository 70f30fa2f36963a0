// SPDX-License-Identifier: Apache-2.0
#include "fleet/webhooks.h"

#include <algorithm>
#include <utility>

#include "base/config.h"
#include "base/text.h"
#include "crypto/hmac.h"
#include "crypto/signing.h"
#include "store/store.h"

namespace muster::fleet {

using store::WebhookRow;

namespace {

Error no_such_webhook() {
  return {Errc::not_found, "There is no such webhook."};
}

Result<WebhookRow> find(store::Reader& reader, WebhookId id) {
  auto webhook = store::find_webhook_anywhere(reader, id);
  if (!webhook) return no_such_webhook();
  return std::move(*webhook);
}

static_assert(model::event_type_count <= limits::webhook_events, "one may want all");

/// What can be said of an address before it is called; the rest is said by egress, each time.
Result<void> check_url(const std::string& url, const Config& config) {
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (url.size() > limits::webhook_url_bytes || !printable) {
    return invalid_field("url", "must be an address of at most " +
                                    std::to_string(limits::webhook_url_bytes) + " characters");
  }
  const bool is_https = url.starts_with("https://") && url.size() > 8;
  const bool is_http = url.starts_with("http://") && url.size() > 7;
  if (!is_https && (!is_http || config.egress_plain_http.empty())) {
    return invalid_field("url", "must begin with https://");
  }
  const auto authority = url.find("//") + 2;
  const std::string_view host = std::string_view(url).substr(
      authority, std::min(url.find_first_of("/?#", authority), url.size()) - authority);
  if (host.find('@') != std::string_view::npos) {
    return invalid_field("url", "must not hold a password");
  }
  return {};
}

Result<void> check_order(store::Reader& reader, const Config& config, const WebhookOrder& order) {
  if (order.name.empty() || order.name.size() > limits::name_bytes || !is_plain_text(order.name)) {
    return invalid_field(
        "name", "must be text of at most " + std::to_string(limits::name_bytes) + " bytes");
  }
  TRY(check_url(order.url, config));
  if (order.events.empty() || order.events.size() > limits::webhook_events) {
    return invalid_field(
        "events", "must be 1 to " + std::to_string(limits::webhook_events) + " types of events");
  }
  const std::vector<WebhookRow> others = store::list_webhooks(reader, order.org);
  if (others.size() >= limits::webhooks_of_org) {
    return invalid_field("name", "there are " + std::to_string(limits::webhooks_of_org) +
                                     " webhooks, as many as one organisation has");
  }
  for (const WebhookRow& other : others) {
    if (other.name == order.name) {
      return Error{Errc::name_taken, "There is a webhook of that name.", "name"};
    }
  }
  return {};
}

void write_facts(JsonWriter& details, const WebhookRow& webhook) {
  details.member("webhook_id", webhook.id).member("events", webhook.events);
}

std::string encode_message(const store::EventRow& event) {
  JsonWriter json;
  json.begin_object().member("type", event.type).member("timestamp", event.at).key("data");
  write_event(json, event);
  json.end_object();
  return json.take();
}

/// One event on its way to one webhook.
class Delivering {
 public:
  Delivering(store::Store& store, const crypto::KeyedHash& keyed_hash, const WebhookWorld& world,
             WebhookPass& pass)
      : store_(store), keyed_hash_(keyed_hash), world_(world), pass_(pass) {}

  /// Gives up what waits beyond limits::webhook_queue.
  void bound_queue(const WebhookRow& seen) {
    const auto waiting = store_.read(
        [&](store::Reader& reader) { return store::count_deliveries(reader, seen.org, seen.id); });
    std::int64_t late = waiting - limits::webhook_queue;
    while (late > 0 && world_.goes_on()) {
      give_up(seen, [&](store::Tx& tx) {
        return store::delete_late_deliveries(tx, seen.org, seen.id, limits::webhook_queue,
                                             limits::prune_rows);
      });
      late -= limits::prune_rows;
    }
  }

  /// Until one is not taken, none waits, or its turn is over.
  void deliver_to(const WebhookRow& webhook) {
    const Instant began = world_.now();
    const auto waiting = store_.read([&](store::Reader& reader) {
      return store::list_deliveries(reader, webhook.org, webhook.id, limits::webhook_turn_rows);
    });
    if (waiting.empty()) return forget_lost(webhook);
    for (const store::Delivery& delivery : waiting) {
      if (!world_.goes_on()) return;
      const Instant now = world_.now();
      if (std::chrono::abs(now - began) >= limits::webhook_turn) return;
      const Result<http::Fetched> answer = send(webhook, delivery.event, now);
      // Nobody knows whether it was taken: it is sent again, with the same id.
      if (!answer.ok() && !world_.goes_on()) return;
      record(webhook, delivery, answer);
      if (!answer.ok()) return;
    }
  }

 private:
  Result<http::Fetched> send(const WebhookRow& webhook, const store::EventRow& event,
                             Instant now) const {
    const std::string id = std::to_string(webhook.id.value) + "-" + std::to_string(event.id.value);
    const std::string key = webhook_key(keyed_hash_, webhook.org, webhook.id);
    http::FetchOrder order;
    order.url = webhook.url;
    order.body = encode_message(event);
    order.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", id},
                     {"webhook-timestamp", std::to_string(now.unix_ms / 1000)},
                     {"webhook-signature", sign_webhook(key, id, now, *order.body)}};
    order.bytes_max = limits::discard_bytes;
    order.time_max = limits::webhook_time;
    order.goes_on = [this](std::uint64_t, std::optional<std::uint64_t>) {
      return world_.goes_on();
    };
    return world_.fetch(order);
  }

  void record(const WebhookRow& seen, const store::Delivery& delivery,
              const Result<http::Fetched>& answer) {
    const Instant now = world_.now();
    const std::int64_t attempts = delivery.attempts + 1;
    const bool ends = answer.ok() || attempts >= limits::webhook_attempts;
    ++(answer.ok() ? pass_.delivered : pass_.failed);
    if (!answer.ok() && ends) ++pass_.given_up;
    store_.write([&](store::Tx& tx) {
      auto webhook = store::find_webhook(tx, seen.org, seen.id);
      if (!webhook) return;  // it was deleted meanwhile
      if (ends) {
        store::delete_delivery(tx, seen.org, seen.id, delivery.event.id);
      } else {
        store::set_delivery_attempts(tx, seen.org, seen.id, delivery.event.id, attempts);
      }
      if (answer.ok()) {
        webhook->delivered_at = now;
        webhook->failures = 0;
        webhook->failure.clear();
        webhook->next_at.reset();
      } else {
        ++webhook->failures;
        webhook->failed_at = now;
        webhook->failure = answer.error().message;
        const Duration asked = std::chrono::seconds(answer.error().retry_after_seconds.value_or(0));
        webhook->next_at = now + std::max(webhook_wait(webhook->failures),
                                          std::min<Duration>(asked, limits::webhook_wait_most));
        if (ends) ++webhook->given_up;
      }
      store::set_webhook_course(tx, *webhook);
    });
  }

  /// Events that waited for so long that they were pruned.
  void forget_lost(const WebhookRow& seen) {
    const auto left = store_.read(
        [&](store::Reader& reader) { return store::count_deliveries(reader, seen.org, seen.id); });
    if (left == 0) return;
    give_up(seen,
            [&](store::Tx& tx) { return store::delete_lost_deliveries(tx, seen.org, seen.id); });
  }

  /// Counts what `remove` removes.
  void give_up(const WebhookRow& seen, const std::function<std::int64_t(store::Tx&)>& remove) {
    pass_.given_up += static_cast<std::size_t>(store_.write([&](store::Tx& tx) {
      const std::int64_t removed = remove(tx);
      auto webhook = store::find_webhook(tx, seen.org, seen.id);
      if (webhook && removed > 0) {
        webhook->given_up += removed;
        store::set_webhook_course(tx, *webhook);
      }
      return removed;
    }));
  }

  store::Store& store_;
  const crypto::KeyedHash& keyed_hash_;
  const WebhookWorld& world_;
  WebhookPass& pass_;
};

}  // namespace

std::string webhook_key(const crypto::KeyedHash& keyed_hash, OrgId org, WebhookId id) {
  const crypto::KeyHash derived =
      keyed_hash.derive("webhook", std::to_string(org.value) + ":" + std::to_string(id.value));
  return {reinterpret_cast<const char*>(derived.bytes.data()), derived.bytes.size()};
}

std::string sign_webhook(std::string_view key, std::string_view message_id, Instant at,
                         std::string_view body) {
  const std::string signed_text =
      std::string(message_id) + "." + std::to_string(at.unix_ms / 1000) + "." + std::string(body);
  return "v1," + crypto::to_base64(crypto::hmac_sha256(key, signed_text).octets());
}

Duration webhook_wait(std::int64_t failures) {
  Duration wait = limits::webhook_wait_first;
  for (std::int64_t i = 1; i < failures && wait < limits::webhook_wait_most; ++i) wait *= 2;
  return std::min<Duration>(wait, limits::webhook_wait_most);
}

Result<CreatedWebhook> create_webhook(store::Tx& tx, NumberIds& ids,
                                      const crypto::KeyedHash& keyed_hash, const Config& config,
                                      const Actor& actor, const WebhookOrder& order, Instant now) {
  TRY(check_order(tx, config, order));
  WebhookRow webhook;
  webhook.org = order.org;
  webhook.id = ids.next<WebhookId>(now);
  webhook.name = order.name;
  webhook.url = order.url;
  for (const model::EventType type : order.events) {
    webhook.events.emplace_back(model::event_type_name(type));
  }
  webhook.created_at = now;
  webhook.created_by = actor.text;
  store::insert_webhook(tx, webhook);
  // Not its address: for many receivers that is the secret.
  record_audit(
      tx, ids, webhook.org, actor, "webhooks.create", webhook.name,
      [&](JsonWriter& details) { write_facts(details, webhook); }, now);
  std::string secret =
      "whsec_" + crypto::to_base64(webhook_key(keyed_hash, webhook.org, webhook.id));
  return CreatedWebhook{std::move(webhook), std::move(secret)};
}

Result<WebhookRow> delete_webhook(store::Tx& tx, NumberIds& ids, const Actor& actor, WebhookId id,
                                  Instant now) {
  WebhookRow webhook = TRY(find(tx, id));
  store::delete_webhook(tx, webhook.org, id);
  record_audit(
      tx, ids, webhook.org, actor, "webhooks.delete", webhook.name,
      [&](JsonWriter& details) { write_facts(details, webhook); }, now);
  return webhook;
}

Result<WebhookRow> test_webhook(store::Tx& tx, NumberIds& ids, const Actor& actor, WebhookId id,
                                Instant now) {
  WebhookRow webhook = TRY(find(tx, id));
  if (store::count_deliveries(tx, webhook.org, id) >= limits::webhook_queue) {
    return Error{Errc::rate_limited, "As many events wait for this webhook as may."};
  }
  const EventId event = record_event(
      tx, ids, webhook.org, model::EventType::webhook_test, std::nullopt, std::nullopt,
      [&](JsonWriter& details) {
        details.member("webhook_id", id).member("webhook", webhook.name);
      },
      now, Telling::quiet);
  store::insert_delivery(tx, webhook.org, id, event);
  webhook.next_at.reset();
  store::set_webhook_course(tx, webhook);
  record_audit(
      tx, ids, webhook.org, actor, "webhooks.test", webhook.name,
      [&](JsonWriter& details) { details.member("webhook_id", id).member("event_id", event); },
      now);
  return webhook;
}

std::vector<WebhookView> list_webhooks(store::Store& store, std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) {
    std::vector<WebhookView> views;
    for (WebhookRow& webhook : store::list_webhooks(reader, org)) {
      const std::int64_t waiting = store::count_deliveries(reader, webhook.org, webhook.id);
      views.push_back({std::move(webhook), waiting});
    }
    return views;
  });
}

WebhookPass deliver_events(store::Store& store, const crypto::KeyedHash& keyed_hash,
                           const WebhookWorld& world) {
  WebhookPass pass;
  Delivering delivering(store, keyed_hash, world, pass);
  const auto webhooks =
      store.read([](store::Reader& reader) { return store::list_webhooks(reader, std::nullopt); });
  // First, and of those that rest, too: the calls may take minutes.
  for (const WebhookRow& webhook : webhooks) delivering.bound_queue(webhook);
  for (const WebhookRow& webhook : webhooks) {
    if (!world.goes_on()) break;
    const Instant now = world.now();
    // A clock that was set back must not put it off for as long.
    if (webhook.next_at && now < *webhook.next_at &&
        *webhook.next_at - now <= limits::webhook_wait_most) {
      continue;
    }
    delivering.deliver_to(webhook);
  }
  return pass;
}

}  // namespace muster::fleet
