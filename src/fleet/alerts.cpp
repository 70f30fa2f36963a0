// SPDX-License-Identifier: Apache-2.0
#include "fleet/alerts.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "fleet/host_search.h"
#include "fleet/presence.h"
#include "fleet/saved_views.h"
#include "store/sql/webhooks.h"
#include "store/store.h"

namespace muster::fleet {

using model::AlertState;
using store::AlertRow;

namespace {

constexpr std::string_view fired = model::event_type_name(model::EventType::alert_firing);

Error no_such_alert() {
  return {Errc::not_found, "There is no such alert."};
}

Result<AlertRow> find(store::Reader& reader, AlertId id) {
  auto alert = store::find_alert_anywhere(reader, id);
  if (!alert) return no_such_alert();
  return std::move(*alert);
}

bool is_muted(const AlertRow& alert, Instant now) {
  return alert.muted_until && now < *alert.muted_until;
}

void write_condition(JsonWriter& details, const AlertRow& alert) {
  details.member("query", alert.query)
      .member(model::alert_comparison_name(alert.condition.comparison), alert.condition.threshold)
      .member("for_seconds", alert.condition.hold / std::chrono::seconds(1));
}

Result<void> check_room(store::Reader& reader, const AlertOrder& order) {
  const std::vector<AlertRow> all = store::list_alerts(reader, std::nullopt);
  const auto of_org = static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const AlertRow& alert) { return alert.org == order.org; }));
  if (of_org >= limits::alerts_of_org || all.size() >= limits::alerts) {
    return invalid_field(
        "name", "there are " + std::to_string(of_org) + " alerts, and no more are evaluated");
  }
  const bool taken = std::any_of(all.begin(), all.end(), [&](const AlertRow& alert) {
    return alert.org == order.org && alert.name == order.name;
  });
  if (taken) return Error{Errc::name_taken, "There is an alert of that name.", "name"};
  return {};
}

Result<void> check_condition(const model::AlertCondition& condition) {
  const std::int64_t least = condition.comparison == model::AlertComparison::below ? 1 : 0;
  // Searches count no further.
  if (condition.threshold < least || condition.threshold > limits::counted_rows) {
    return invalid_field("threshold", "must be from " + std::to_string(least) + " to " +
                                          std::to_string(limits::counted_rows));
  }
  if (condition.hold < Duration{} ||
      condition.hold > std::chrono::seconds(limits::alert_hold_seconds_max)) {
    return invalid_field("for_seconds",
                         "must be from 0 to " + std::to_string(limits::alert_hold_seconds_max));
  }
  return {};
}

/// Whether the answer depends on who was heard of lately.
bool asks_presence(const model::HostQuery& query) {
  bool found = false;
  model::for_each_term(query, [&](const model::HostTerm& term) {
    found |= term.field == model::HostField::status || term.field == model::HostField::last_seen;
  });
  return found;
}

/// What an evaluation is made with.
struct Search {
  store::Store& store;
  const PresenceTable& presence;
  const Config& config;
};

/// How many hosts the query means now; nothing while the server cannot know: until it has listened
/// for long enough nobody is offline, and what fires because of it would end and fire again.
Result<std::optional<model::HostCount>> count_hosts(const Search& search, const AlertRow& alert,
                                                    Instant now) {
  using Counted = Result<std::optional<model::HostCount>>;
  return search.store.read([&](store::Reader& reader) -> Counted {
    const model::HostQuery query = TRY(read_host_query(reader, alert.org, alert.query));
    const bool listened =
        now - search.presence.server_started() >= search.presence.offline_after(search.config);
    if (!listened && asks_presence(query)) return std::optional<model::HostCount>();
    HostSearch hosts(reader, search.presence, search.config, query, alert.org, HostId{0}, now);
    const store::Total total = count_found(hosts, 0);
    // One more than was counted: "more than 10,000" is above 10,000.
    const bool beyond = !total.exact && total.value == limits::counted_rows;
    return std::optional(model::HostCount{total.value + (beyond ? 1 : 0), total.exact});
  });
}

void tell(store::Tx& tx, NumberIds& ids, model::EventType type, const AlertRow& alert,
          AlertState from, Instant now) {
  record_event(
      tx, ids, alert.org, type, std::nullopt, std::nullopt,
      [&](JsonWriter& details) {
        details.member("alert_id", alert.id)
            .member("alert", alert.name)
            .member("from", model::alert_state_name(from))
            .member("state", model::alert_state_name(alert.course.state))
            .member("hosts", alert.hosts ? alert.hosts->value : 0)
            .member("muted", is_muted(alert, now));
        write_condition(details, alert);
      },
      now, is_muted(alert, now) ? Telling::quiet : Telling::told);
}

model::EventType event_of(AlertState state) {
  switch (state) {
    case AlertState::ok:
      return model::EventType::alert_ok;
    case AlertState::pending:
      return model::EventType::alert_pending;
    case AlertState::firing:
      return model::EventType::alert_firing;
  }
  check_failed("a state of alerts", __FILE__, __LINE__);
}

/// Commits what an evaluation of `seen` found, unless the alert has gone on without it. Returns
/// whether its state changed.
bool record(store::Tx& tx, NumberIds& ids, const AlertRow& seen,
            const Result<std::optional<model::HostCount>>& counted, Instant now) {
  auto alert = store::find_alert(tx, seen.org, seen.id);
  if (!alert || alert->course != seen.course) return false;
  const AlertState before = alert->course.state;
  alert->failure = counted.ok() ? "" : counted.error().message;
  if (counted.ok()) {
    alert->hosts = **counted;
    if (const auto verdict = model::holds(alert->condition, **counted)) {
      alert->course = model::advance(alert->condition, alert->course, *verdict, now);
    } else {
      alert->failure = "The query is for more hosts than one search looks at.";
    }
  }
  const AlertState after = alert->course.state;
  if (after == AlertState::ok) {
    alert->acknowledged_at.reset();
    alert->acknowledged_by.clear();
  }
  const bool mute_ended = alert->muted_until && *alert->muted_until <= now;
  if (mute_ended) {
    alert->muted_until.reset();
    alert->muted_by.clear();
  }
  store::set_alert_course(tx, *alert);
  if (after != before) {
    tell(tx, ids, event_of(after), *alert, before, now);
  } else if (mute_ended && after == AlertState::firing) {
    tell(tx, ids, model::EventType::alert_unmuted, *alert, before, now);
  }
  return after != before;
}

AlertView view_of(AlertRow alert, const std::vector<store::WebhookRow>& webhooks) {
  AlertView view;
  for (const store::WebhookRow& webhook : webhooks) {
    const bool wants =
        std::find(webhook.events.begin(), webhook.events.end(), fired) != webhook.events.end();
    if (webhook.org == alert.org && wants && webhook.failures > 0) {
      view.failing_webhooks.push_back(webhook.name);
    }
  }
  view.alert = std::move(alert);
  return view;
}

}  // namespace

Result<AlertRow> create_alert(store::Tx& tx, NumberIds& ids, const Actor& actor,
                              const AlertOrder& order, Instant now) {
  if (order.name.empty() || order.name.size() > limits::name_bytes || !is_plain_text(order.name)) {
    return invalid_field(
        "name", "must be text of at most " + std::to_string(limits::name_bytes) + " bytes");
  }
  TRY(check_condition(order.condition));
  TRY(read_host_query(tx, order.org, order.query));
  TRY(check_room(tx, order));
  AlertRow alert;
  alert.org = order.org;
  alert.id = ids.next<AlertId>(now);
  alert.name = order.name;
  alert.query = order.query;
  alert.condition = order.condition;
  alert.created_at = now;
  alert.created_by = actor.text;
  alert.course = {AlertState::ok, now, std::nullopt};
  store::insert_alert(tx, alert);
  record_audit(
      tx, ids, alert.org, actor, "alerts.create", alert.name,
      [&](JsonWriter& details) {
        details.member("alert_id", alert.id);
        write_condition(details, alert);
      },
      now);
  return alert;
}

Result<AlertRow> delete_alert(store::Tx& tx, NumberIds& ids, const Actor& actor, AlertId id,
                              Instant now) {
  AlertRow alert = TRY(find(tx, id));
  store::delete_alert(tx, alert.org, id);
  record_audit(
      tx, ids, alert.org, actor, "alerts.delete", alert.name,
      [&](JsonWriter& details) {
        details.member("alert_id", alert.id);
        write_condition(details, alert);
      },
      now);
  return alert;
}

Result<AlertRow> mute_alert(store::Tx& tx, NumberIds& ids, const Actor& actor, AlertId id,
                            std::optional<Instant> until, Instant now) {
  AlertRow alert = TRY(find(tx, id));
  if (alert.muted_until == until) return alert;
  alert.muted_until = until;
  alert.muted_by = until ? actor.text : std::string();
  store::set_alert_course(tx, alert);
  record_audit(
      tx, ids, alert.org, actor, until ? "alerts.mute" : "alerts.unmute", alert.name,
      [&](JsonWriter& details) { details.member("alert_id", id).member("until", until); }, now);
  if (!until && alert.course.state == AlertState::firing) {
    tell(tx, ids, model::EventType::alert_unmuted, alert, AlertState::firing, now);
  }
  return alert;
}

Result<AlertRow> acknowledge_alert(store::Tx& tx, NumberIds& ids, const Actor& actor, AlertId id,
                                   Instant now) {
  AlertRow alert = TRY(find(tx, id));
  if (alert.course.state == AlertState::ok) {
    return Error{Errc::illegal_transition, "The alert is ok: there is nothing to look after."};
  }
  if (alert.acknowledged_at) return alert;
  alert.acknowledged_at = now;
  alert.acknowledged_by = actor.text;
  store::set_alert_course(tx, alert);
  record_audit(
      tx, ids, alert.org, actor, "alerts.acknowledge", alert.name,
      [&](JsonWriter& details) { details.member("alert_id", id); }, now);
  return alert;
}

std::vector<AlertView> list_alerts(store::Store& store, std::optional<OrgId> org) {
  return store.read([&](store::Reader& reader) {
    const std::vector<store::WebhookRow> webhooks = store::list_webhooks(reader, org);
    std::vector<AlertView> views;
    for (AlertRow& alert : store::list_alerts(reader, org)) {
      views.push_back(view_of(std::move(alert), webhooks));
    }
    return views;
  });
}

Result<AlertView> show_alert(store::Store& store, AlertId id) {
  return store.read([&](store::Reader& reader) -> Result<AlertView> {
    AlertRow alert = TRY(find(reader, id));
    const std::vector<store::WebhookRow> webhooks = store::list_webhooks(reader, alert.org);
    return view_of(std::move(alert), webhooks);
  });
}

AlertPass AlertWatch::look(store::Store& store, NumberIds& ids, const PresenceTable& presence,
                           const Config& config, const std::function<Instant()>& clock,
                           const std::function<bool()>& goes_on) {
  AlertPass pass;
  const Instant began = clock();
  std::vector<AlertRow> due =
      store.read([](store::Reader& reader) { return store::list_alerts(reader, std::nullopt); });
  std::erase_if(tried_, [&](const auto& tried) {
    return std::none_of(due.begin(), due.end(),
                        [&](const AlertRow& alert) { return alert.id == tried.first; });
  });
  const auto last_look = [&](const AlertRow& alert) {
    const auto tried = tried_.find(alert.id);
    const Instant failed = tried == tried_.end() ? Instant{} : tried->second;
    return std::max(alert.course.evaluated_at.value_or(Instant{}), failed);
  };
  // The absolute value: a clock that was set back must not put them off for as long.
  std::erase_if(due, [&](const AlertRow& alert) {
    return std::chrono::abs(began - last_look(alert)) < limits::alert_every;
  });
  std::stable_sort(due.begin(), due.end(), [&](const AlertRow& a, const AlertRow& b) {
    return last_look(a) < last_look(b);
  });
  const Search search{store, presence, config};
  for (std::size_t i = 0; i < due.size(); ++i) {
    const AlertRow& alert = due[i];
    const Instant now = clock();
    if (!goes_on() || std::chrono::abs(now - began) >= limits::alert_pass) {
      pass.late = due.size() - i;
      break;
    }
    const auto counted = count_hosts(search, alert, now);
    if (counted.ok() && !*counted) continue;
    if (counted.ok() && model::holds(alert.condition, **counted)) {
      tried_.erase(alert.id);
    } else {
      tried_[alert.id] = now;
      ++pass.failed;
    }
    ++pass.evaluated;
    const bool moved =
        store.write([&](store::Tx& tx) { return record(tx, ids, alert, counted, now); });
    if (moved) ++pass.moved;
  }
  return pass;
}

}  // namespace muster::fleet
