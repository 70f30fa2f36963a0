// SPDX-License-Identifier: Apache-2.0
#include "fleet/supersession.h"

#include <gtest/gtest.h>

#include "fleet/hosts.h"
#include "fleet/testing.h"
#include "store/sql/agents.h"

namespace muster::fleet {
namespace {

/// A machine whose host another machine took: its agent was superseded.
struct Superseded {
  explicit Superseded(const std::string& machine_id = {}) {
    first = fleet.enrol("web-1", machine_id);
    call_first(first);
    fleet.now = fleet.now + fleet.config.offline_after();
    second = fleet.enrol("web-1", machine_id);
    EXPECT_EQ(second.host, first.host);
    call_first(second);
  }

  void call_first(const Enrolled& agent) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       0, fleet.now)
          .value();
    });
  }
  Result<void> bring_back(const Enrolled& agent) {
    return fleet->store.write([&](store::Tx& tx) {
      return bring_back_agent(tx, fleet->ids, fleet->credentials, fleet->presence, fleet->directory,
                              agent.org, agent.agent, 0, fleet.now);
    });
  }
  std::optional<AgentCredential> known(const Enrolled& agent) {
    return fleet->credentials.agents.find(fleet->credentials.hash(agent.key));
  }

  TestFleet fleet;
  Enrolled first, second;
};

TEST(Supersession, OfAMachineThatWasOnlyOffEndsWhenItCallsAgain) {
  Superseded at;
  ASSERT_TRUE(at.known(at.first)->superseded_at.has_value());
  ASSERT_TRUE(at.bring_back(at.first).ok());
  ASSERT_TRUE(at.bring_back(at.first).ok()) << "two calls at once";
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'agent_split'"), 1);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM hosts"), 2);
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto first = at.known(at.first);
    const auto second = at.known(at.second);
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(first->superseded_at || second->superseded_at);
    EXPECT_EQ(second->host, at.second.host) << "it keeps the host and its history";
    EXPECT_NE(first->host, second->host);
    EXPECT_EQ(at.fleet->presence.find_agent(at.first.agent)->host, first->host);
    at.fleet.reopen();
  }
}

TEST(Supersession, OfACloneLeavesBothOnHostsOfTheirOwnForGood) {
  Superseded at("machine-a");
  ASSERT_TRUE(at.bring_back(at.first).ok());
  const HostId split = at.known(at.first)->host;
  EXPECT_FALSE(at.fleet->directory.find(TestFleet::org, "machine-a", "none").has_value())
      << "the id names neither";
  at.fleet.now = at.fleet.now + Duration(5);
  const Enrolled third = at.fleet.enrol("web-1", "machine-a");
  EXPECT_NE(third.host, split) << "its agent has just called";
  at.fleet.now = at.fleet.now + at.fleet.config.offline_after();
  at.fleet->presence.touch_agent(at.first.agent, at.fleet.now);
  const Enrolled fourth = at.fleet.enrol("web-1", "machine-a");
  EXPECT_NE(fourth.host, split);
  EXPECT_LE(at.fleet.count("SELECT count(*) FROM hosts"), 3) << "it joined a silent one";
  EXPECT_NE(at.fleet.enrol("web-9", "machine-a").host, third.host) << "of another name";
}

TEST(Supersession, OfAStolenKeyIsForGood) {
  TestFleet fleet;
  const Enrolled stolen = fleet.enrol("web-1", "machine-a");
  fleet->store.write([&](store::Tx& tx) {
    set_agent_disabled(tx, fleet->ids, fleet->credentials, fleet.actor, stolen.org, stolen.agent,
                       true, fleet.now)
        .value();
  });
  fleet.now = fleet.now + Duration(5);
  const Enrolled fresh = fleet.enrol("web-1", "machine-a");
  fleet->store.write([&](store::Tx& tx) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, fresh.org, fresh.agent, 0,
                     fleet.now)
        .value();
  });
  const auto bring_back = [&] {
    return fleet->store.write([&](store::Tx& tx) {
      return bring_back_agent(tx, fleet->ids, fleet->credentials, fleet->presence, fleet->directory,
                              stolen.org, stolen.agent, 0, fleet.now);
    });
  };
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_FALSE(fleet->credentials.agents.find(fleet->credentials.hash(stolen.key)).has_value());
    EXPECT_EQ(bring_back().error().code, Errc::invalid_credentials);
    fleet.reopen();
  }
}

TEST(Supersession, IsForGoodOnceTheAgentIsDecommissioned) {
  Superseded at;
  at.fleet->store.write([&](store::Tx& tx) {
    decommission_agent(tx, at.fleet->ids, at.fleet->credentials, at.fleet->presence, at.fleet.actor,
                       at.first.org, at.first.agent, at.fleet.now)
        .value();
  });
  EXPECT_FALSE(at.known(at.first).has_value());
  EXPECT_EQ(at.bring_back(at.first).error().code, Errc::invalid_credentials);
}

TEST(Supersession, KeepsTheWorkOfTheAgentForItsReturn) {
  Superseded at;
  ASSERT_TRUE(at.bring_back(at.first).ok());
  TaskOrder order(model::TaskType::execute_command);
  order.agents = {at.first.agent};
  order.payload.command = "true";
  at.fleet.create(order).value();
  at.fleet.now = at.fleet.now + at.fleet.config.offline_after();
  at.fleet->presence.touch_agent(at.second.agent, at.fleet.now);
  const Enrolled third = at.fleet.enrol("web-1");
  at.call_first(third);
  EXPECT_FALSE(at.fleet->presence.find_agent(at.first.agent).has_value());
  ASSERT_TRUE(at.bring_back(at.first).ok());
  EXPECT_TRUE(at.fleet->presence.find_agent(at.first.agent)->has_pending_task);
}

TEST(Reports, OfClonesDoNotMakeTheMachineIdOfTheirHostFlap) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1", "machine-a");
  InventoryReport report = TestFleet::report_of("web-1");
  report.agent = {agent.agent, agent.host};
  report.machine_id = "machine-b";
  ASSERT_TRUE(fleet.report(report).ok());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM hosts WHERE machine_id = 'machine-a'"), 1);
}

}  // namespace
}  // namespace muster::fleet
