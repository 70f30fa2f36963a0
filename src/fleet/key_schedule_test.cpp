// SPDX-License-Identifier: Apache-2.0
#include "fleet/key_schedule.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/clones.h"
#include "fleet/testing.h"
#include "model/key_age.h"

namespace muster::fleet {
namespace {

constexpr Duration quarter = std::chrono::hours(24 * 90);

struct Scheduled {
  /// An agent that begins to use its key now.
  Enrolled agent(const std::string& name) {
    Enrolled enrolled = fleet.enrol(name, "machine of " + name);
    use(enrolled, 0);
    return enrolled;
  }
  void use(const Enrolled& agent, std::int64_t generation) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       generation, fleet.now)
          .value();
    });
  }
  std::size_t rotate(Duration after = quarter) { return schedule().rotate(after, fleet.now); }
  store::KeyNumbers count() {
    KeySchedule counting = schedule();
    counting.count(fleet.now);
    return counting.numbers();
  }
  model::Agent row(const Enrolled& agent) {
    return fleet->store.read([&](store::Reader& reader) {
      return store::find_agent(reader, agent.org, agent.agent).value();
    });
  }
  KeySchedule schedule() { return {fleet->store, fleet->ids, fleet->credentials}; }
  /// Whether the server takes the agent's key of that generation.
  bool takes(const Enrolled& agent, std::int64_t generation) {
    const std::string key = fleet->credentials.agent_key(agent.agent, generation);
    return fleet->credentials.agents.find(fleet->credentials.hash(key)).has_value();
  }

  TestFleet fleet;
};

TEST(KeySchedule, OffersANewKeyAtTheAgentsOwnMomentAndNotBefore) {
  Scheduled at;
  const Enrolled agent = at.agent("web-1");
  const Instant due = model::rotation_due_at(agent.agent, at.fleet.now, quarter);
  at.fleet.now = due - Duration(1);
  EXPECT_EQ(at.rotate(), 0U);
  at.fleet.now = due;
  EXPECT_EQ(at.rotate(Duration(0)), 0U) << "off";
  EXPECT_EQ(at.rotate(), 1U);
  EXPECT_EQ(at.row(agent).keys.offered, 1);
  EXPECT_EQ(at.row(agent).key_offered_at, due);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM audit WHERE action = 'agents.rotate_key' AND"
                           " actor = 'server'"),
            1);
}

TEST(KeySchedule, LocksNobodyOutHoweverLongTheHostIsOff) {
  Scheduled at;
  const Enrolled agent = at.agent("web-1");
  for (int quarters = 0; quarters < 8; ++quarters) {
    at.fleet.now = at.fleet.now + quarter;
    EXPECT_EQ(at.rotate(), quarters == 0 ? 1U : 0U) << "one is pending";
    at.fleet.reopen();
    EXPECT_TRUE(at.takes(agent, 0) && at.takes(agent, 1)) << quarters;
    EXPECT_FALSE(at.takes(agent, 2)) << quarters;
  }
  at.use(agent, 1);
  EXPECT_FALSE(at.takes(agent, 0));
  EXPECT_FALSE(at.row(agent).key_offered_at.has_value());
  at.fleet.now = at.fleet.now + quarter;
  EXPECT_EQ(at.rotate(), 1U) << "and again, from the first use of the new key on";
}

TEST(KeySchedule, LeavesAgentsAloneThatAreNotActiveOrNeverCalled) {
  Scheduled at;
  const Enrolled disabled = at.agent("disabled");
  const Enrolled ended = at.agent("ended");
  at.fleet.enrol("silent", "machine of silent");
  at.fleet->store.write([&](store::Tx& tx) {
    set_agent_disabled(tx, at.fleet->ids, at.fleet->credentials, at.fleet.actor, disabled.org,
                       disabled.agent, true, at.fleet.now)
        .value();
    decommission_agent(tx, at.fleet->ids, at.fleet->credentials, at.fleet->presence, at.fleet.actor,
                       ended.org, ended.agent, at.fleet.now)
        .value();
  });
  at.fleet.now = at.fleet.now + quarter * 2;
  EXPECT_EQ(at.rotate(), 0U);
}

TEST(KeySchedule, LeavesClonesAloneForOneOfTheMachinesWouldBeLockedOut) {
  Scheduled at;
  const Enrolled agent = at.agent("web-1");
  at.fleet.now = at.fleet.now + quarter;
  at.fleet->store.write([&](store::Tx& tx) {
    record_clone(tx, at.fleet->ids, at.fleet->credentials, agent.org, agent.agent,
                 at.row(agent).host, {}, at.fleet.now);
    EXPECT_FALSE(rotate_aged_key(tx, at.fleet->ids, at.fleet->credentials, agent.org, agent.agent,
                                 quarter, at.fleet.now));
  });
  EXPECT_EQ(at.rotate(), 0U);
  EXPECT_EQ(at.count().cloned, 1);
}

TEST(KeySchedule, BeginsSoManyAtATimeAndGoesOnAfterARestart) {
  Scheduled at;
  const std::size_t agents = limits::rotations_per_pass + 3;
  for (std::size_t i = 0; i < agents; ++i) at.agent("web-" + std::to_string(i));
  at.fleet.now = at.fleet.now + quarter;
  EXPECT_EQ(at.rotate(), limits::rotations_per_pass);
  at.fleet.reopen();
  EXPECT_EQ(at.rotate(), 3U);
  EXPECT_EQ(at.rotate(), 0U);
}

TEST(KeySchedule, TwoServersThatFindTheSameAgentRotateItOnce) {
  Scheduled at;
  const Enrolled agent = at.agent("web-1");
  at.fleet.now = at.fleet.now + quarter;
  const auto rotate = [&] {
    return at.fleet->store.write([&](store::Tx& tx) {
      return rotate_aged_key(tx, at.fleet->ids, at.fleet->credentials, agent.org, agent.agent,
                             quarter, at.fleet.now);
    });
  };
  EXPECT_TRUE(rotate());
  EXPECT_FALSE(rotate());
  at.use(agent, 1);
  EXPECT_FALSE(rotate()) << "the other found it before the new key was used";
}

TEST(KeySchedule, CountsKeysByStateAndTheAgeOfTheOldest) {
  Scheduled at;
  at.fleet.enrol("silent", "machine of silent");
  const Instant oldest = at.fleet.now;
  at.agent("web-1");
  at.fleet.now = at.fleet.now + quarter;
  at.agent("web-2");
  at.rotate();
  store::KeyNumbers numbers = at.count();
  EXPECT_EQ(numbers.unused, 1);
  EXPECT_EQ(numbers.current, 1);
  EXPECT_EQ(numbers.pending, 1);
  EXPECT_EQ(numbers.overdue, 0);
  EXPECT_EQ(numbers.oldest_since, oldest);
  at.fleet.now = at.fleet.now + limits::rotation_overdue + Duration(1);
  EXPECT_EQ(at.count().overdue, 1);
}

}  // namespace
}  // namespace muster::fleet
