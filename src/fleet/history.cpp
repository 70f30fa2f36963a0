// SPDX-License-Identifier: Apache-2.0
#include "fleet/history.h"

#include "base/limits.h"
#include "base/text.h"
#include "fleet/audit.h"
#include "fleet/operator_names.h"
#include "store/sql/audit.h"
#include "store/sql/orgs.h"
#include "store/sql/outages.h"
#include "store/sql/webhooks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

template <typename Id>
Id before_cursor(std::string_view cursor) {
  return Id{parse_int(cursor).value_or(number_id_max)};
}

/// Drops the row that was read only to see whether there is a next page.
template <typename Row>
std::string cut_page(std::vector<Row>& rows, int count) {
  if (rows.size() <= static_cast<std::size_t>(count)) return {};
  rows.resize(static_cast<std::size_t>(count));
  return std::to_string(rows.back().id.value);
}

}  // namespace

Actor Actor::operator_token(OperatorId id) {
  return {"operator:" + std::to_string(id.value)};
}

Actor Actor::inventory_key(KeyId id) {
  return {"key:" + std::to_string(id.value)};
}

void record_audit(store::Tx& tx, NumberIds& ids, OrgId org, const Actor& actor,
                  std::string_view action, std::string_view target, const Details& details,
                  Instant now) {
  AuditRows rows(ids, actor, now);
  rows.add(org, action, target, details);
  rows.record(tx);
}

EventId record_event(store::Tx& tx, NumberIds& ids, OrgId org, model::EventType type,
                     std::optional<AgentId> agent, std::optional<HostId> host,
                     const Details& details, Instant now, Telling telling) {
  const auto id = ids.next<EventId>(now);
  const store::EventRow event{
      org, id, now, std::string(model::event_type_name(type)), agent, host, details_json(details)};
  store::insert_event(tx, event);
  if (telling == Telling::told) store::insert_deliveries(tx, event);
  return id;
}

HistoryPage list_audit_page(store::Store& store, std::optional<OrgId> org, std::string_view cursor,
                            int count) {
  HistoryPage page;
  auto rows = store.read([&](store::Reader& reader) {
    page.total = store::count_audit(reader, org);
    return store::list_audit(reader, org, before_cursor<AuditId>(cursor), count + 1);
  });
  page.next_cursor = cut_page(rows, count);
  OperatorNames names(store);
  for (const auto& row : rows) {
    JsonWriter json;
    json.begin_object()
        .member("id", row.id)
        .member("org_id", row.org)
        .member("at", row.at)
        .member("actor", row.actor)
        .member("actor_name", names.of_actor(row.actor))
        .member("action", row.action)
        .member("target", row.target)
        .key("details")
        .raw(row.details)
        .end_object();
    page.rows.push_back(json.take());
  }
  return page;
}

void write_event(JsonWriter& json, const store::EventRow& event) {
  json.begin_object()
      .member("id", event.id)
      .member("org_id", event.org)
      .member("at", event.at)
      .member("type", event.type)
      .member("agent_id", event.agent)
      .member("asset_id", event.host)
      .key("details")
      .raw(event.details)
      .end_object();
}

HistoryPage list_event_page(store::Store& store, const EventQuestion& question,
                            std::string_view cursor, int count) {
  store::EventFilter filter;
  filter.org = question.org;
  filter.agent = question.agent;
  filter.host = question.host;
  if (question.type) filter.type = model::event_type_name(*question.type);
  filter.since = question.since;
  filter.until = question.until;
  // Ids are in the order of time, so they bound the search. They run ahead of it where many events
  // meet in a millisecond, hence the minute.
  if (question.since) filter.from = NumberIds::first<EventId>(*question.since);
  if (question.until) {
    filter.below = NumberIds::first<EventId>(*question.until + std::chrono::minutes(1));
  }
  HistoryPage page;
  auto rows = store.read([&](store::Reader& reader) {
    page.total = store::count_events(reader, filter);
    return store::list_events(reader, filter, before_cursor<EventId>(cursor), count + 1);
  });
  page.next_cursor = cut_page(rows, count);
  for (const auto& row : rows) {
    JsonWriter json;
    write_event(json, row);
    page.rows.push_back(json.take());
  }
  return page;
}

std::int64_t prune_events(store::Store& store, Duration keep, Instant now) {
  const Instant before = now - keep;
  std::int64_t deleted = 0;
  for (int round = 0; round < limits::prune_rounds; ++round) {
    const std::int64_t rows = store.write([&](store::Tx& tx) {
      return store::delete_old_events(tx, NumberIds::first<EventId>(before), limits::prune_rows) +
             store::delete_old_outages(tx, before, limits::prune_rows);
    });
    deleted += rows;
    if (rows < limits::prune_rows) break;
  }
  return deleted;
}

}  // namespace muster::fleet
