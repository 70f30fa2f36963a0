// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/alert.h"
#include "store/sql/orgs.h"

namespace muster::store {

class Reader;
class Tx;

/// Whom to tell of events, and what came of it.
struct WebhookRow {
  OrgId org;
  WebhookId id;
  std::string name;
  std::string url;
  std::vector<std::string> events;  // their types: letters, digits and _
  Instant created_at;
  std::string created_by;
  std::optional<Instant> delivered_at;  // the last that was taken
  std::int64_t failures = 0;            // in a row since then
  std::optional<Instant> failed_at;
  std::string failure;             // of the last one
  std::optional<Instant> next_at;  // when to try again; nothing: at once
  std::int64_t given_up = 0;       // events that were not delivered and no more will be
};

/// Fails, with a StoreError of kind duplicate, for a name that there is.
void insert_webhook(Tx& tx, const WebhookRow& webhook);
/// All but what it was created with.
void set_webhook_course(Tx& tx, const WebhookRow& webhook);
/// With what waits for it.
void delete_webhook(Tx& tx, OrgId org, WebhookId id);
std::optional<WebhookRow> find_webhook(Reader& reader, OrgId org, WebhookId id);
/// Asks every organisation.
std::optional<WebhookRow> find_webhook_anywhere(Reader& reader, WebhookId id);
/// Of an organisation or of all, by organisation, then id.
std::vector<WebhookRow> list_webhooks(Reader& reader, std::optional<OrgId> org);

/// Lets each event wait for each webhook of its organisation that wants its type, however many wait
/// (delete_late_deliveries). One statement; on SQLite, which nobody else writes to, none as long as
/// there was no webhook since the start.
void insert_deliveries(Tx& tx, OrgId org, const std::vector<EventRow>& events);

/// Lets an event wait for one webhook, whatever it wants.
void insert_delivery(Tx& tx, OrgId org, WebhookId webhook, EventId event);

/// An event that waits for a webhook.
struct Delivery {
  EventRow event;
  std::int64_t attempts = 0;
};
/// The oldest. An event that is no more is left out (delete_lost_deliveries).
std::vector<Delivery> list_deliveries(Reader& reader, OrgId org, WebhookId webhook, int count);
std::int64_t count_deliveries(Reader& reader, OrgId org, WebhookId webhook);
void set_delivery_attempts(Tx& tx, OrgId org, WebhookId webhook, EventId event,
                           std::int64_t attempts);
/// Whether it waited still.
bool delete_delivery(Tx& tx, OrgId org, WebhookId webhook, EventId event);
/// The oldest behind the first `most`, at most `count`. Returns how many.
std::int64_t delete_late_deliveries(Tx& tx, OrgId org, WebhookId webhook, std::int64_t most,
                                    int count);
/// Those whose events were pruned. Returns how many.
std::int64_t delete_lost_deliveries(Tx& tx, OrgId org, WebhookId webhook);

}  // namespace muster::store
