// SPDX-License-Identifier: Apache-2.0
#include "fleet/alerts.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "fleet/saved_views.h"
#include "fleet/testing.h"
#include "fleet/webhooks.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::fleet {
namespace {

using model::AlertComparison;
using model::AlertState;
using std::chrono::minutes;
using std::chrono::seconds;

class Alerts : public ::testing::Test {
 protected:
  Alerts() {
    // Long enough to know who is offline.
    fleet.now = fleet.now + std::chrono::hours(1);
  }

  Result<store::AlertRow> create(const std::string& name, const std::string& query,
                                 model::AlertCondition condition) {
    return fleet->store.write([&](store::Tx& tx) {
      return create_alert(tx, fleet->ids, fleet.actor, {TestFleet::org, name, query, condition},
                          fleet.now);
    });
  }
  Result<store::AlertRow> mute(AlertId id, std::optional<Instant> until) {
    return fleet->store.write([&](store::Tx& tx) {
      return mute_alert(tx, fleet->ids, fleet.actor, id, until, fleet.now);
    });
  }
  Result<store::AlertRow> acknowledge(AlertId id) {
    return fleet->store.write([&](store::Tx& tx) {
      return acknowledge_alert(tx, fleet->ids, fleet.actor, id, fleet.now);
    });
  }
  AlertPass look(AlertWatch& by) {
    return by.look(
        fleet->store, fleet->ids, fleet->presence, fleet.config,
        [this] {
          const Instant at = fleet.now;
          fleet.now = fleet.now + each_look;
          return at;
        },
        [this] { return goes_on; });
  }
  AlertPass look_later(Duration later = limits::alert_every) {
    fleet.now = fleet.now + later;
    return look(watch);
  }
  store::AlertRow alert(AlertId id) { return show_alert(fleet->store, id).value().alert; }
  /// Events of alerts, oldest first.
  std::vector<store::EventRow> events() {
    auto all = fleet->store.read([](store::Reader& reader) {
      return store::list_events(reader, {}, EventId{number_id_max}, 100);
    });
    std::erase_if(all,
                  [](const store::EventRow& event) { return !event.type.starts_with("alert_"); });
    std::reverse(all.begin(), all.end());
    return all;
  }
  std::vector<std::string> told() {
    std::vector<std::string> types;
    for (const store::EventRow& event : events()) types.push_back(event.type);
    return types;
  }
  /// A host that `hostname:web-*` means.
  void report(const std::string& hostname) { fleet.report(TestFleet::report_of(hostname)).value(); }

  TestFleet fleet;
  AlertWatch watch;
  Duration each_look{};
  bool goes_on = true;
};

const model::AlertCondition above_none{AlertComparison::above, 0, minutes(10)};
const model::AlertCondition at_once{AlertComparison::above, 0, {}};

TEST_F(Alerts, FireOnceTheyHeldForLongEnoughAndTellEachStepOnce) {
  const AlertId id = create("web", "hostname:web-*", above_none).value().id;
  EXPECT_EQ(look_later().evaluated, 1U);
  EXPECT_EQ(alert(id).course.state, AlertState::ok);
  EXPECT_EQ(alert(id).hosts, (model::HostCount{0, true}));
  report("web-1");
  EXPECT_EQ(look_later().moved, 1U);
  EXPECT_EQ(alert(id).course.state, AlertState::pending);
  for (int minute = 0; minute < 12; ++minute) look_later(minutes(1));
  EXPECT_EQ(alert(id).course.state, AlertState::firing);
  EXPECT_EQ(alert(id).hosts, (model::HostCount{1, true}));
  EXPECT_EQ(told(), (std::vector<std::string>{"alert_pending", "alert_firing"}));
  const std::string details = events().back().details;
  EXPECT_NE(details.find("\"alert\": \"web\""), std::string::npos) << details;
  EXPECT_NE(details.find("\"from\": \"pending\""), std::string::npos) << details;
  EXPECT_NE(details.find("\"hosts\": 1"), std::string::npos) << details;
}

TEST_F(Alerts, EndAndMayFireAgain) {
  create("few", "hostname:web-*", {AlertComparison::below, 1, {}}).value();
  look_later();
  EXPECT_EQ(told(), std::vector<std::string>{"alert_firing"});
  report("web-1");
  look_later();
  EXPECT_EQ(told(), (std::vector<std::string>{"alert_firing", "alert_ok"}));
  look_later();
  EXPECT_EQ(told().size(), 2U);
}

TEST_F(Alerts, AreAskedOnceAMinute) {
  create("web", "hostname:web-*", at_once).value();
  EXPECT_EQ(look_later().evaluated, 1U);
  EXPECT_EQ(look_later(seconds(30)).evaluated, 0U);
  EXPECT_EQ(look_later(seconds(30)).evaluated, 1U);
  fleet.now = fleet.now + std::chrono::hours(-24);  // a clock that is set back puts nothing off
  EXPECT_EQ(look(watch).evaluated, 1U);
}

TEST_F(Alerts, GoOnOverARestartAndTellNothingTwice) {
  const AlertId id =
      create("web", "hostname:web-*", {AlertComparison::above, 0, minutes(2)}).value().id;
  report("web-1");
  look_later();
  fleet.reopen();
  watch = AlertWatch();
  const Instant since = alert(id).course.since;
  look_later();
  EXPECT_EQ(alert(id).course.since, since) << "a restart of a minute is no gap";
  look_later();
  EXPECT_EQ(alert(id).course.state, AlertState::firing);
  fleet.reopen();
  watch = AlertWatch();
  look_later();
  EXPECT_EQ(told(), (std::vector<std::string>{"alert_pending", "alert_firing"}));
}

TEST_F(Alerts, AreToldOnceByTwoServersThatBothTakeThemselvesForTheLeader) {
  create("web", "hostname:web-*", at_once).value();
  report("web-1");
  fleet.now = fleet.now + limits::alert_every;
  // The other looks between this one's search and its commit.
  AlertWatch other;
  bool once = true;
  const AlertPass pass = watch.look(
      fleet->store, fleet->ids, fleet->presence, fleet.config, [this] { return fleet.now; },
      [&] {
        if (std::exchange(once, false)) look(other);
        return true;
      });
  EXPECT_EQ(pass.evaluated, 1U);
  EXPECT_EQ(pass.moved, 0U);
  EXPECT_EQ(told(), std::vector<std::string>{"alert_firing"});
}

TEST_F(Alerts, ThatAskWhoIsOfflineWaitUntilTheServerKnows) {
  report("web-1");
  const AlertId offline = create("offline", "status:offline", at_once).value().id;
  const AlertId other = create("other", "hostname:web-*", at_once).value().id;
  fleet.reopen();  // at this moment the server has heard of nobody
  EXPECT_EQ(look(watch).evaluated, 1U);
  EXPECT_EQ(alert(offline).course.evaluated_at, std::nullopt);
  EXPECT_NE(alert(other).course.evaluated_at, std::nullopt);
  look_later(fleet->presence.offline_after(fleet.config) + seconds(1));
  EXPECT_NE(alert(offline).course.evaluated_at, std::nullopt);
}

TEST_F(Alerts, ThatCannotBeAskedSayWhyAndKeepTheirState) {
  ASSERT_TRUE(fleet->store
                  .write([&](store::Tx& tx) {
                    return set_view(tx, fleet->ids, fleet.actor, TestFleet::org, "web",
                                    "hostname:web-*", fleet.now);
                  })
                  .ok());
  const AlertId id = create("web", "group:web", at_once).value().id;
  report("web-1");
  look_later();
  ASSERT_EQ(alert(id).course.state, AlertState::firing);
  // A view that an alert names is not deleted but by hand.
  fleet->store.write([&](store::Tx& tx) { store::delete_saved_view(tx, TestFleet::org, "web"); });
  EXPECT_EQ(look_later().failed, 1U);
  EXPECT_EQ(alert(id).course.state, AlertState::firing);
  EXPECT_EQ(alert(id).failure, "query: there is no group \"web\"");
  EXPECT_EQ(look_later(seconds(10)).evaluated, 0U) << "not more often for that";
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(Alerts, OfWhichThereIsNoTimeForComeFirstTheNextTime) {
  for (const char* name : {"a", "b", "c"}) create(name, "os:linux", at_once).value();
  each_look = limits::alert_pass;  // each reading of the clock
  AlertPass pass = look_later();
  EXPECT_EQ(pass.evaluated, 0U);
  EXPECT_EQ(pass.late, 3U);
  each_look = limits::alert_pass / 2;
  pass = look_later();
  EXPECT_EQ(pass.evaluated, 1U);
  EXPECT_EQ(pass.late, 2U);
  std::size_t rounds = 0;
  for (; rounds < 5; ++rounds) {
    look_later(Duration(0));
    const auto all = list_alerts(fleet->store, std::nullopt);
    if (std::all_of(all.begin(), all.end(), [](const AlertView& view) {
          return view.alert.course.evaluated_at.has_value();
        })) {
      break;
    }
  }
  EXPECT_LT(rounds, 5U);
  goes_on = false;
  each_look = {};
  EXPECT_EQ(look_later().late, 3U);
}

TEST_F(Alerts, TellWebhooksUnlessTheyAreMuted) {
  const auto hook = fleet->store.write([&](store::Tx& tx) {
    return create_webhook(tx, fleet->ids, fleet->keyed_hash, fleet.config, fleet.actor,
                          {TestFleet::org,
                           "pager",
                           "https://192.0.2.1/",
                           {model::EventType::alert_firing, model::EventType::alert_unmuted}},
                          fleet.now);
  });
  const auto waiting = [&] { return list_webhooks(fleet->store, TestFleet::org)[0].waiting; };
  const AlertId loud = create("loud", "hostname:web-*", at_once).value().id;
  const AlertId quiet = create("quiet", "hostname:web-*", at_once).value().id;
  EXPECT_EQ(mute(quiet, fleet.now + minutes(5)).value().muted_by, "operator:1");
  report("web-1");
  look_later();
  EXPECT_EQ(told(), (std::vector<std::string>{"alert_firing", "alert_firing"}));
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(alert(loud).muted_until, std::nullopt);
  // It ends by itself, and what fires still is told then.
  look_later(minutes(6));
  EXPECT_EQ(told().back(), "alert_unmuted");
  EXPECT_EQ(alert(quiet).muted_until, std::nullopt);
  EXPECT_EQ(waiting(), 2);
  mute(loud, fleet.now + minutes(5)).value();
  mute(loud, std::nullopt).value();
  EXPECT_EQ(waiting(), 3) << "ended by hand, it is told as well";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'alerts.mute'"), 2);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'alerts.unmute'"), 1);
}

TEST_F(Alerts, AreAcknowledgedUntilTheyAreOk) {
  const AlertId id = create("few", "hostname:web-*", {AlertComparison::below, 1, {}}).value().id;
  EXPECT_EQ(acknowledge(id).error().code, Errc::illegal_transition);
  look_later();
  EXPECT_EQ(acknowledge(id).value().acknowledged_by, "operator:1");
  acknowledge(id).value();  // says nothing new
  EXPECT_NE(alert(id).acknowledged_at, std::nullopt);
  look_later();
  EXPECT_NE(alert(id).acknowledged_at, std::nullopt);
  report("web-1");
  look_later();
  EXPECT_EQ(alert(id).acknowledged_at, std::nullopt);
  EXPECT_EQ(alert(id).acknowledged_by, "");
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'alerts.acknowledge'"), 1);
}

TEST_F(Alerts, AreRefusedWhenTheyCouldNotBeEvaluated) {
  EXPECT_EQ(create("", "os:linux", at_once).error().field, "name");
  EXPECT_EQ(create("a", "os:(", at_once).error().field, "query");
  EXPECT_EQ(create("a", "group:nowhere", at_once).error().field, "query");
  EXPECT_EQ(create("a", "os:linux", {AlertComparison::above, -1, {}}).error().field, "threshold");
  EXPECT_EQ(create("a", "os:linux", {AlertComparison::below, 0, {}}).error().field, "threshold");
  EXPECT_EQ(create("a", "os:linux", {AlertComparison::above, 10'001, {}}).error().field,
            "threshold");
  EXPECT_EQ(create("a", "os:linux", {AlertComparison::above, 0, Duration(-1)}).error().field,
            "for_seconds");
  EXPECT_TRUE(list_alerts(fleet->store, std::nullopt).empty());
  create("a", "os:linux", at_once).value();
  EXPECT_EQ(create("a", "os:windows", at_once).error().code, Errc::name_taken);
  for (std::size_t i = 1; i < limits::alerts_of_org; ++i) {
    ASSERT_TRUE(create("alert " + std::to_string(i), "os:linux", at_once).ok());
  }
  EXPECT_EQ(create("one more", "os:linux", at_once).error().field, "name");
}

TEST_F(Alerts, AreDeletedAndTheirEventsStay) {
  const AlertId id = create("few", "hostname:web-*", {AlertComparison::below, 1, {}}).value().id;
  look_later();
  const auto remove = [&] {
    return fleet->store.write(
        [&](store::Tx& tx) { return delete_alert(tx, fleet->ids, fleet.actor, id, fleet.now); });
  };
  EXPECT_EQ(remove().value().name, "few");
  EXPECT_EQ(remove().error().code, Errc::not_found);
  EXPECT_EQ(show_alert(fleet->store, id).error().code, Errc::not_found);
  EXPECT_EQ(look_later().evaluated, 0U);
  EXPECT_EQ(told().size(), 1U);
}

}  // namespace
}  // namespace muster::fleet
