// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "fleet/history.h"
#include "http/fetch.h"
#include "model/event_type.h"
#include "store/sql/webhooks.h"

namespace muster {
struct Config;
}
namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Telling others of events by HTTPS, signed as the Standard Webhooks specification says
/// (docs/adr/0031, https://www.standardwebhooks.com). An event that a webhook wants waits in the
/// store from the transaction in which it happened, so it is delivered at least once, and with the
/// same id each time.
namespace muster::fleet {

struct WebhookOrder {
  OrgId org;
  std::string name;
  std::string url;
  std::vector<model::EventType> events;
};
/// `secret` ("whsec_", then base64) is shown this once: it follows from the server's own and the
/// webhook's id, and is not stored.
struct CreatedWebhook {
  store::WebhookRow webhook;
  std::string secret;
};
/// Fails with name_taken, and with invalid_field of `name` (none, or limits::webhooks_of_org
/// already), `url` (not https, or http where [egress] plain_http is empty) or `events`.
Result<CreatedWebhook> create_webhook(store::Tx& tx, NumberIds& ids,
                                      const crypto::KeyedHash& keyed_hash, const Config& config,
                                      const Actor& actor, const WebhookOrder& order, Instant now);
/// With what waits for it. Returns what it was. Fails with not_found.
Result<store::WebhookRow> delete_webhook(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                         WebhookId id, Instant now);
/// Lets an event `webhook_test` wait for it, and has it tried at once. Fails with not_found, and
/// with rate_limited while limits::webhook_queue events wait.
Result<store::WebhookRow> test_webhook(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                       WebhookId id, Instant now);

struct WebhookView {
  store::WebhookRow webhook;
  std::int64_t waiting = 0;  // events
};
/// By organisation, then age.
std::vector<WebhookView> list_webhooks(store::Store& store, std::optional<OrgId> org);

/// The octets that a webhook's messages are signed with.
std::string webhook_key(const crypto::KeyedHash& keyed_hash, OrgId org, WebhookId id);
/// The header `webhook-signature`: "v1," and the base64 of HMAC-SHA256 over id, time and body,
/// joined by dots.
std::string sign_webhook(std::string_view key, std::string_view message_id, Instant at,
                         std::string_view body);

/// How long a webhook rests after so many failures in a row: from limits::webhook_wait_first on
/// twice as long each time, limits::webhook_wait_most at most.
Duration webhook_wait(std::int64_t failures);

/// What deliveries need of the world.
struct WebhookWorld {
  http::Fetch fetch;
  std::function<Instant()> now;
  std::function<bool()> goes_on;  // false: give up what is under way
};
struct WebhookPass {
  std::size_t delivered = 0;
  std::size_t failed = 0;
  std::size_t given_up = 0;
};
/// Delivers what waits, on the server that leads. Of each webhook's events those behind the first
/// limits::webhook_queue are given up; then they are delivered, the oldest first, until one is
/// not taken or limits::webhook_turn is over; that one is tried again after webhook_wait(), or what
/// the receiver asked for, and given up after limits::webhook_attempts. What became of each is
/// committed before the next is sent. Blocks. Throws store::StoreError.
WebhookPass deliver_events(store::Store& store, const crypto::KeyedHash& keyed_hash,
                           const WebhookWorld& world);

}  // namespace muster::fleet

namespace muster::limits {

inline constexpr std::size_t webhooks_of_org = 20;
/// Events that wait for one: a day of a busy fleet's, and the receiver is away. What comes between
/// two passes waits beyond it.
inline constexpr std::int64_t webhook_queue = 1000;
inline constexpr std::size_t webhook_url_bytes = 2000;
/// Types of events that one wants.
inline constexpr std::size_t webhook_events = 50;
inline constexpr std::size_t event_type_bytes = 64;
/// A receiver queues what takes longer.
inline constexpr Duration webhook_time = std::chrono::seconds(10);
/// One webhook's share of a pass, so that a slow one does not hold up the others.
inline constexpr Duration webhook_turn = std::chrono::seconds(20);
inline constexpr int webhook_turn_rows = 50;
inline constexpr Duration webhook_wait_first = std::chrono::seconds(10);
inline constexpr Duration webhook_wait_most = std::chrono::hours(1);
/// With those waits a little less than a day.
inline constexpr std::int64_t webhook_attempts = 30;

}  // namespace muster::limits
