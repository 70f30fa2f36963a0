// SPDX-License-Identifier: Apache-2.0
#include "fleet/health.h"

#include <gtest/gtest.h>

#include "fleet/testing.h"
#include "store/sql/outages.h"
#include "store/sql/tasks.h"

namespace muster::fleet {
namespace {

using std::chrono::hours;

/// Agents that all enrolled and called at the start and are heard of all the time.
class Clinic {
 public:
  explicit Clinic(int count) {
    for (int i = 0; i < count; ++i) {
      agents.push_back(fleet.enrol("web-" + std::to_string(i)));
      call(agents.back());
    }
  }
  void call(const Enrolled& agent) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       0, fleet.now)
          .value();
    });
  }
  void pass(Duration time) {
    fleet.now = fleet.now + time;
    for (const Enrolled& agent : agents) fleet->presence.touch_agent(agent.agent, fleet.now);
  }
  /// Began `since` ago and ended `until` ago; never, if nothing is given.
  void add_outage(std::size_t i, Duration since, std::optional<Duration> until,
                  const std::string& telling = "alone") {
    const Enrolled& agent = agents.at(i);
    const auto ended = until ? std::optional(fleet.now - *until) : std::nullopt;
    fleet->store.write([&](store::Tx& tx) {
      store::insert_outages(tx, {{agent.org,
                                  agent.agent,
                                  agent.host,
                                  fleet.now - since,
                                  fleet.now - since,
                                  ended,
                                  telling,
                                  {},
                                  "",
                                  ""}});
    });
  }
  void add_task(std::size_t i, model::TaskStatus status, Duration ago) {
    model::Task task;
    task.org = TestFleet::org;
    task.id = {make_uuid7(fleet.rng, fleet.now)};
    task.agent = agents.at(i).agent;
    task.payload = "{}";
    task.status = status;
    task.finished_at = fleet.now - ago;
    fleet->store.write([&](store::Tx& tx) {
      store::insert_task(tx, task);
      store::set_task(tx, task);
    });
  }
  model::Record record(std::size_t i) {
    model::Agent agent;
    agent.org = TestFleet::org;
    agent.id = agents.at(i).agent;
    agent.enrolled_at = test_epoch;
    return fleet->store.read(
        [&](store::Reader& reader) { return agent_record(reader, agent, fleet.now); });
  }
  FleetNumbers numbers(std::optional<OrgId> org = {}) {
    FleetHealth health(fleet->store, fleet->presence, fleet.config);
    return health.show(org, fleet.now);
  }

  TestFleet fleet;
  std::vector<Enrolled> agents;
};

TEST(Health, OfAYoungFleetIsAHundredInEverything) {
  Clinic clinic(3);
  clinic.pass(hours(1));
  const FleetNumbers numbers = clinic.numbers();
  EXPECT_EQ(numbers.agents, 3);
  EXPECT_EQ(numbers.online, 3);
  EXPECT_EQ(numbers.average_health(), 100);
  EXPECT_EQ(model::percent(model::uptime_share(numbers.month)), 100);
  EXPECT_EQ(numbers.month.observed, hours(3)) << "an hour each, from the enrolment on";
  EXPECT_EQ(model::hours_between_outages(numbers.month), std::nullopt);
  EXPECT_EQ(model::agent_health(clinic.record(0)), 100);
}

TEST(Health, OfAnAgentIsOfSevenDaysAndOfAFleetOfThirty) {
  Clinic clinic(2);
  clinic.pass(hours(24 * 40));
  clinic.add_outage(0, hours(24 * 31), hours(24 * 29));  // one day of it within the month
  clinic.add_outage(0, hours(24 * 8), hours(24 * 6));    // one day of it within the week
  clinic.add_outage(0, hours(10), hours(9));
  clinic.add_outage(0, hours(5), hours(4), "return");  // a restart, no outage
  clinic.add_outage(1, hours(2), {});
  const model::Record record = clinic.record(0);
  EXPECT_EQ(record.observed, model::health_window);
  EXPECT_EQ(record.away, hours(25));
  EXPECT_EQ(record.outages, 1);
  const FleetNumbers numbers = clinic.numbers();
  EXPECT_EQ(numbers.month.observed, hours(24 * 60));
  EXPECT_EQ(numbers.month.away, hours(24 + 48 + 1 + 2)) << "the open one until now";
  EXPECT_EQ(numbers.month.outages, 3);
  EXPECT_EQ(numbers.week.away, hours(25 + 2));
  EXPECT_EQ(numbers.health_sum, model::agent_health(record) + model::agent_health(clinic.record(1)))
      << "the fleet's health is of the same formula";
}

TEST(Health, CountsTheTasksThatEndedWithinTheWeek) {
  Clinic clinic(2);
  clinic.pass(hours(24 * 40));
  for (const Duration ago :
       {Duration(hours(1)), Duration(hours(24 * 6)), Duration(hours(24 * 8))}) {
    clinic.add_task(0, model::TaskStatus::completed, ago);
    clinic.add_task(0, model::TaskStatus::expired, ago);
  }
  clinic.add_task(0, model::TaskStatus::failed, hours(1));
  clinic.add_task(1, model::TaskStatus::failed, hours(1));
  const model::Record record = clinic.record(0);
  EXPECT_EQ(record.tasks_completed, 2);
  EXPECT_EQ(record.tasks_failed, 1);
  EXPECT_EQ(clinic.numbers().week.tasks_completed, 2);
  EXPECT_EQ(clinic.numbers().week.tasks_failed, 2);
}

TEST(Health, OfAFleetLeavesOutWhoIsDisabledOrNeverCalledAndNamesWhoIsStale) {
  Clinic clinic(3);
  clinic.fleet.enrol("silent-from-the-start");
  clinic.fleet->store.write([&](store::Tx& tx) {
    set_agent_disabled(tx, clinic.fleet->ids, clinic.fleet->credentials, clinic.fleet.actor,
                       TestFleet::org, clinic.agents[2].agent, true, clinic.fleet.now)
        .value();
  });
  clinic.fleet.now = clinic.fleet.now + model::stale_after;
  clinic.fleet->presence.touch_agent(clinic.agents[0].agent, clinic.fleet.now);
  const FleetNumbers numbers = clinic.numbers();
  EXPECT_EQ(numbers.never_called, 1);
  EXPECT_EQ(numbers.agents, 2);
  EXPECT_EQ(numbers.online, 1);
  EXPECT_EQ(numbers.offline, 1);
  EXPECT_EQ(numbers.stale, 1);
  EXPECT_EQ(clinic.numbers(TestFleet::org).agents, 2);
  EXPECT_EQ(clinic.numbers(OrgId{77}).agents, 0) << "the filter by organisation works";
  EXPECT_EQ(clinic.numbers(OrgId{77}).average_health(), std::nullopt);
}

TEST(Health, OfAFleetIsCountedOnceAMinuteWhoeverAsks) {
  Clinic clinic(1);
  FleetHealth health(clinic.fleet->store, clinic.fleet->presence, clinic.fleet.config);
  const Instant first = clinic.fleet.now;
  EXPECT_EQ(health.show({}, first).agents, 1);
  clinic.agents.push_back(clinic.fleet.enrol("another"));
  clinic.call(clinic.agents.back());
  EXPECT_EQ(health.show({}, first + FleetHealth::fresh_for - Duration(1)).agents, 1);
  EXPECT_EQ(health.show(TestFleet::org, first + FleetHealth::fresh_for).agents, 2);
  EXPECT_EQ(health.show({}, first).at, first) << "also after the clock was set back";
}

}  // namespace
}  // namespace muster::fleet
