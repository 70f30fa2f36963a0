// SPDX-License-Identifier: Apache-2.0
#include "fleet/history.h"

#include "base/limits.h"
#include "base/text.h"
#include "fleet/audit.h"
#include "fleet/cursor.h"
#include "fleet/operator_names.h"
#include "store/sql/audit.h"
#include "store/sql/outages.h"
#include "store/sql/webhooks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Drops the row that was read only to see whether there is a next page.
template <typename Row>
std::string cut_page(std::vector<Row>& rows, int count) {
  if (rows.size() <= static_cast<std::size_t>(count)) return {};
  rows.resize(static_cast<std::size_t>(count));
  return std::to_string(rows.back().id.value);
}

/// Ids are in the order of time, so they bound the search. They run ahead of it where many rows
/// meet in a millisecond, hence the minute.
template <typename Id, typename Filter>
void set_times(Filter& filter, std::optional<Instant> since, std::optional<Instant> until) {
  filter.since = since;
  filter.until = until;
  if (since) filter.from = NumberIds::first<Id>(*since);
  if (until) filter.below = NumberIds::first<Id>(*until + std::chrono::minutes(1));
}

}  // namespace

Actor Actor::operator_token(OperatorId id) {
  return {"operator:" + std::to_string(id.value)};
}

Actor Actor::inventory_key(KeyId id) {
  return {"key:" + std::to_string(id.value)};
}

Result<Actor> parse_actor(std::string_view text) {
  const auto id_behind = [&](std::string_view prefix) {
    const auto id = text.starts_with(prefix) ? parse_int(text.substr(prefix.size())) : std::nullopt;
    return id && *id > 0 ? id : std::nullopt;
  };
  if (text == Actor::server().text) return Actor::server();
  if (const auto id = id_behind("key:")) return Actor::inventory_key({*id});
  if (const auto id = id_behind("operator:")) return Actor::operator_token({*id});
  if (const auto id = id_behind("")) return Actor::operator_token({*id});
  return invalid_field("actor", "must be the id of an operator, operator:ID, key:ID or server");
}

void record_audit(store::Tx& tx, NumberIds& ids, OrgId org, const Actor& actor,
                  std::string_view action, std::string_view target, const Details& details,
                  Instant now) {
  AuditRows rows(ids, actor, now);
  rows.add(org, action, target, details);
  rows.record(tx);
}

EventId EventRows::add(model::EventType type, std::optional<AgentId> agent,
                       std::optional<HostId> host, const Details& details, Instant now) {
  const auto id = ids_.next<EventId>(now);
  rows_.push_back({org_, id, now, std::string(model::event_type_name(type)), agent, host,
                   details_json(details)});
  return id;
}

void EventRows::record(store::Tx& tx, Telling telling) {
  store::insert_events(tx, org_, rows_);
  if (telling == Telling::told) store::insert_deliveries(tx, org_, rows_);
  rows_.clear();
}

EventId record_event(store::Tx& tx, NumberIds& ids, OrgId org, model::EventType type,
                     std::optional<AgentId> agent, std::optional<HostId> host,
                     const Details& details, Instant now, Telling telling) {
  EventRows rows(ids, org);
  const EventId id = rows.add(type, agent, host, details, now);
  rows.record(tx, telling);
  return id;
}

Result<HistoryPage> list_audit_page(store::Store& store, const AuditQuestion& question,
                                    std::string_view cursor, int count) {
  const AuditId before{TRY(parse_id_cursor(cursor, number_id_max))};
  store::AuditFilter filter;
  filter.org = question.org;
  if (question.actor) filter.actor = question.actor->text;
  filter.action = question.action;
  filter.target = question.target;
  set_times<AuditId>(filter, question.since, question.until);
  HistoryPage page;
  auto rows = store.read([&](store::Reader& reader) {
    page.total = store::count_audit(reader, filter);
    return store::list_audit(reader, filter, before, count + 1);
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
      .member("hostname", event.hostname)
      .key("details")
      .raw(event.details)
      .end_object();
}

Result<HistoryPage> list_event_page(store::Store& store, const EventQuestion& question,
                                    std::string_view cursor, int count) {
  const EventId before{TRY(parse_id_cursor(cursor, number_id_max))};
  store::EventFilter filter;
  filter.org = question.org;
  filter.agent = question.agent;
  filter.host = question.host;
  if (question.type) filter.type = model::event_type_name(*question.type);
  set_times<EventId>(filter, question.since, question.until);
  HistoryPage page;
  auto rows = store.read([&](store::Reader& reader) {
    page.total = store::count_events(reader, filter);
    return store::list_events(reader, filter, before, count + 1);
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
