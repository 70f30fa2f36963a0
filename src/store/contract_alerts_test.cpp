// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: alerts and webhooks.
#include "store/sql/alerts.h"
#include "store/sql/webhooks.h"
#include "store/testing/contract.h"
#include "store/testing/statement_plans.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

auto fields(const AlertRow& a) {
  return std::make_tuple(a.org, a.id, a.name, a.query, a.condition.comparison,
                         a.condition.threshold, a.condition.hold, a.created_at, a.created_by,
                         a.course.state, a.course.since, a.course.evaluated_at,
                         a.hosts ? a.hosts->value : -1, a.hosts ? a.hosts->exact : true, a.failure,
                         a.acknowledged_at, a.acknowledged_by, a.muted_until, a.muted_by);
}
auto fields(const WebhookRow& w) {
  return std::make_tuple(w.org, w.id, w.name, w.url, w.events, w.created_at, w.created_by,
                         w.delivered_at, w.failures, w.failed_at, w.failure, w.next_at, w.given_up);
}

class AlertsContract : public testing::ContractOfTwoOrgs {
 protected:
  static AlertRow alert(std::int64_t id, const std::string& name, OrgId of = org) {
    AlertRow row;
    row.org = of;
    row.id = {id};
    row.name = name;
    row.query = text;
    row.condition = {model::AlertComparison::below, 3, std::chrono::minutes(10)};
    row.created_at = now;
    row.created_by = "operator:1";
    row.course = {model::AlertState::ok, now, std::nullopt};
    return row;
  }
  static WebhookRow webhook(std::int64_t id, std::vector<std::string> events, OrgId of = org) {
    WebhookRow row;
    row.org = of;
    row.id = {id};
    row.name = "hook " + std::to_string(id);
    row.url = "https://192.0.2.1/" + std::to_string(id);
    row.events = std::move(events);
    row.created_at = now;
    row.created_by = "operator:1";
    return row;
  }
  EventRow event(std::int64_t id, const std::string& type, OrgId of = org) {
    EventRow row{of, {id}, now, type, AgentId{uuid(1)}, HostId{7}, "{}"};
    return row;
  }
  void happens(Tx& tx, std::int64_t id, const std::string& type) {
    const EventRow row = event(id, type);
    insert_event(tx, row);
    insert_deliveries(tx, row.org, {row});
  }
  std::vector<std::int64_t> waiting(std::int64_t id) {
    std::vector<std::int64_t> ids;
    for (const Delivery& each :
         read([&](Reader& reader) { return list_deliveries(reader, org, {id}, 100); })) {
      ids.push_back(each.event.id.value);
    }
    return ids;
  }
};
ON_EVERY_DATABASE(AlertsContract);

TEST_P(AlertsContract, AlertsAreKeptAsTheyWere) {
  AlertRow row = alert(1, text);
  write([&](Tx& tx) { insert_alert(tx, row); });
  const auto stored = [&] {
    return read([](Reader& reader) { return find_alert(reader, org, {1}); });
  };
  EXPECT_EQ(fields(*stored()), fields(row));
  row.course = {model::AlertState::firing, now + Duration(1), now + Duration(2)};
  row.hosts = model::HostCount{10'000, false};
  row.failure = text;
  row.acknowledged_at = now;
  row.acknowledged_by = "operator:2";
  row.muted_until = now + Duration(3);
  row.muted_by = "operator:3";
  write([&](Tx& tx) { set_alert_course(tx, row); });
  EXPECT_EQ(fields(*stored()), fields(row));
  EXPECT_EQ(read([](Reader& reader) { return find_alert(reader, other_org, {1}); }).has_value(),
            false);
  EXPECT_EQ(fields(*read([](Reader& reader) { return find_alert_anywhere(reader, {1}); })),
            fields(row));
  write([](Tx& tx) { delete_alert(tx, org, {1}); });
  EXPECT_FALSE(stored().has_value());
}

TEST_P(AlertsContract, AlertsAreListedByOrganisationAndAge) {
  write([&](Tx& tx) {
    insert_alert(tx, alert(3, "c"));
    insert_alert(tx, alert(2, "a", other_org));
    insert_alert(tx, alert(1, "b"));
  });
  const auto ids = [&](std::optional<OrgId> of) {
    std::vector<std::int64_t> out;
    for (const AlertRow& row : read([&](Reader& reader) { return list_alerts(reader, of); })) {
      out.push_back(row.id.value);
    }
    return out;
  };
  EXPECT_EQ(ids(org), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(ids(std::nullopt), (std::vector<std::int64_t>{1, 3, 2}));
}

TEST_P(AlertsContract, WebhooksAreKeptAsTheyWere) {
  WebhookRow row = webhook(1, {"alert_ok", "alert_firing"});
  write([&](Tx& tx) { insert_webhook(tx, row); });
  row.delivered_at = now;
  row.failures = 3;
  row.failed_at = now + Duration(1);
  row.failure = text;
  row.next_at = now + Duration(2);
  row.given_up = 4;
  write([&](Tx& tx) { set_webhook_course(tx, row); });
  EXPECT_EQ(fields(*read([](Reader& reader) { return find_webhook(reader, org, {1}); })),
            fields(row));
  EXPECT_EQ(fields(*read([](Reader& reader) { return find_webhook_anywhere(reader, {1}); })),
            fields(row));
  EXPECT_EQ(read([](Reader& reader) { return list_webhooks(reader, other_org); }).size(), 0U);
  EXPECT_EQ(read([](Reader& reader) { return list_webhooks(reader, std::nullopt); }).size(), 1U);
}

TEST_P(AlertsContract, EventsWaitForThoseThatWantThem) {
  write([&](Tx& tx) {
    insert_webhook(tx, webhook(1, {"alert_ok", "alert_firing"}));
    insert_webhook(tx, webhook(2, {"offline"}));
    insert_webhook(tx, webhook(3, {"alert_firing"}, other_org));
    for (const auto& [id, type] : {std::pair(1, "alert_firing"),
                                   {2, "offline"},
                                   {3, "firing"},
                                   {4, "alert_firing_again"},
                                   {5, "alert_ok"}}) {
      happens(tx, id, type);
      insert_deliveries(tx, org, {event(id, type)});  // twice is once
    }
  });
  EXPECT_EQ(waiting(1), (std::vector<std::int64_t>{1, 5}));
  EXPECT_EQ(waiting(2), std::vector<std::int64_t>{2});
  EXPECT_EQ(read([](Reader& reader) { return count_deliveries(reader, org, {1}); }), 2);
  EXPECT_EQ(read([](Reader& reader) { return count_deliveries(reader, other_org, {3}); }), 0);
}

TEST_P(AlertsContract, WhatWaitsBehindABoundIsDeletedOldestFirst) {
  write([&](Tx& tx) {
    insert_webhook(tx, webhook(1, {"a"}));
    insert_webhook(tx, webhook(2, {"a"}));
    for (const int id : {5, 1, 4, 2, 3}) happens(tx, id, "a");
  });
  const auto bound = [&](std::int64_t most, int count) {
    return write([&](Tx& tx) { return delete_late_deliveries(tx, org, {1}, most, count); });
  };
  EXPECT_EQ(bound(5, 10), 0);
  EXPECT_EQ(bound(2, 1), 1);
  EXPECT_EQ(waiting(1), (std::vector<std::int64_t>{1, 2, 4, 5}));
  EXPECT_EQ(bound(2, 10), 2);
  EXPECT_EQ(waiting(1), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(waiting(2).size(), 5U) << "another's are its own";
}

TEST_P(AlertsContract, AnEventAsksForNoWebhookWhereThereWasNoneBefore) {
  if (GetParam() != Engine::sqlite) GTEST_SKIP() << "other servers write there, too";
  testing::StatementLog statements;
  store.reset();
  store.emplace(database->open());
  std::int64_t event_id = 0;
  const auto asked = [&] {
    statements.texts.clear();
    statements.listening = true;
    write([&](Tx& tx) { happens(tx, ++event_id, "a"); });
    statements.listening = false;
    EXPECT_FALSE(statements.texts.empty());
    return std::count_if(
        statements.texts.begin(), statements.texts.end(),
        [](const std::string& sql) { return sql.find("webhook") != std::string::npos; });
  };
  EXPECT_EQ(asked(), 1) << "once";
  EXPECT_EQ(asked(), 0);
  write([&](Tx& tx) { insert_webhook(tx, webhook(1, {"b"})); });
  EXPECT_EQ(asked(), 1);
}

TEST_P(AlertsContract, AWebhookHearsOfEventsThatFollowEventsWithoutAny) {
  write([&](Tx& tx) { happens(tx, 1, "a"); });
  const bool undone = !write([&](Tx& tx) -> Result<void> {
                         insert_webhook(tx, webhook(1, {"a"}));
                         return Error{Errc::name_taken, "for a test"};
                       }).ok();
  EXPECT_TRUE(undone);
  write([&](Tx& tx) { happens(tx, 2, "a"); });
  write([&](Tx& tx) { insert_webhook(tx, webhook(1, {"a"})); });
  write([&](Tx& tx) { happens(tx, 3, "a"); });
  EXPECT_EQ(waiting(1), std::vector<std::int64_t>{3});
}

TEST_P(AlertsContract, AWebhookWhoseDeletionWasUndoneHearsOfTheNextEvent) {
  write([&](Tx& tx) { insert_webhook(tx, webhook(1, {"a"})); });
  store.reset();
  store.emplace(database->open());
  const bool undone = !write([&](Tx& tx) -> Result<void> {
                         delete_webhook(tx, org, {1});
                         happens(tx, 1, "a");
                         return Error{Errc::name_taken, "for a test"};
                       }).ok();
  EXPECT_TRUE(undone);
  write([&](Tx& tx) { happens(tx, 2, "a"); });
  EXPECT_EQ(waiting(1), std::vector<std::int64_t>{2});
}

TEST_P(AlertsContract, AWebhookMadeOnAnotherServerHearsOfTheNextEventOfThisOne) {
  if (GetParam() == Engine::sqlite) GTEST_SKIP() << "one server alone has a file";
  write([&](Tx& tx) { happens(tx, 1, "a"); });
  Store another(database->open());
  another.write([&](Tx& tx) { insert_webhook(tx, webhook(1, {"a"})); });
  write([&](Tx& tx) { happens(tx, 2, "a"); });
  EXPECT_EQ(waiting(1), std::vector<std::int64_t>{2});
}

TEST_P(AlertsContract, DeliveriesAreCountedAndEnd) {
  write([&](Tx& tx) {
    insert_webhook(tx, webhook(1, {"a"}));
    for (const int id : {1, 2, 3}) {
      insert_event(tx, event(id, "b"));
      insert_delivery(tx, org, {1}, {id});
      insert_delivery(tx, org, {1}, {id});
    }
    set_delivery_attempts(tx, org, {1}, {2}, 5);
  });
  const auto deliveries = read([](Reader& reader) { return list_deliveries(reader, org, {1}, 2); });
  ASSERT_EQ(deliveries.size(), 2U);
  EXPECT_EQ(deliveries[0].attempts, 0);
  EXPECT_EQ(deliveries[1].attempts, 5);
  EXPECT_EQ(deliveries[1].event.type, "b");
  EXPECT_EQ(deliveries[1].event.host, HostId{7});
  EXPECT_EQ(deliveries[1].event.at, now);
  EXPECT_TRUE(write([](Tx& tx) { return delete_delivery(tx, org, {1}, {1}); }));
  EXPECT_FALSE(write([](Tx& tx) { return delete_delivery(tx, org, {1}, {1}); }));
  write([](Tx& tx) { delete_old_events(tx, {3}, 10); });
  EXPECT_EQ(write([](Tx& tx) { return delete_lost_deliveries(tx, org, {1}); }), 1);
  EXPECT_EQ(waiting(1), std::vector<std::int64_t>{3});
  write([](Tx& tx) { delete_webhook(tx, org, {1}); });
  EXPECT_EQ(read([](Reader& reader) { return count_deliveries(reader, org, {1}); }), 0);
  EXPECT_FALSE(read([](Reader& reader) { return find_webhook(reader, org, {1}); }).has_value());
}

TEST_P(AlertsContract, EventsSayWhatTheirHostIsCalledWhileThereIsOne) {
  model::Host host;
  host.org = org;
  host.id = HostId{7};
  host.hostname = text;
  write([&](Tx& tx) {
    insert_host(tx, host);
    insert_webhook(tx, webhook(1, {"a"}));
    happens(tx, 1, "a");
    insert_event(tx, {org, {2}, now, "a", std::nullopt, std::nullopt, "{}"});
    insert_event(tx, {org, {3}, now, "a", std::nullopt, HostId{8}, "{}"});
  });
  const auto events =
      read([](Reader& reader) { return list_events(reader, {}, {number_id_max}, 10); });
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].hostname, std::nullopt) << "there is no such host any more";
  EXPECT_EQ(events[1].hostname, std::nullopt);
  EXPECT_EQ(events[2].hostname, text);
  const auto sent = read([](Reader& reader) { return list_deliveries(reader, org, {1}, 10); });
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].event.hostname, text);
}

}  // namespace
}  // namespace muster::store
