// SPDX-License-Identifier: Apache-2.0
#include "fleet/retired_keys.h"

#include <gtest/gtest.h>

#include "fleet/testing.h"

namespace muster::fleet {
namespace {

struct Retired {
  Retired() {
    use(0);
    rotate_and_use(1);
  }
  void use(std::int64_t generation) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       generation, fleet.now)
          .value();
    });
  }
  void rotate_and_use(std::int64_t generation) {
    fleet->store.write([&](store::Tx& tx) {
      rotate_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org, agent.agent,
                       fleet.now)
          .value();
    });
    use(generation);
  }
  crypto::KeyHash hash(std::int64_t generation) {
    return fleet->credentials.hash(fleet->credentials.agent_key(agent.agent, generation));
  }
  bool retired(std::int64_t generation) {
    return fleet->credentials.retired.find(hash(generation)).has_value();
  }

  TestFleet fleet;
  Enrolled agent = fleet.enrol("web-1", "machine-a");
};

TEST(RetiredKeys, AreTheLastOfEachAgentAlsoAfterARestart) {
  Retired at;
  EXPECT_TRUE(at.retired(0));
  EXPECT_FALSE(at.retired(1));
  at.rotate_and_use(2);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_FALSE(at.retired(0)) << restarts;
    EXPECT_TRUE(at.retired(1)) << restarts;
    EXPECT_FALSE(at.retired(2)) << restarts;
    at.fleet.reopen();
  }
}

TEST(RetiredKeys, AreNoneWhileAReissueAcceptsThemAgain) {
  Retired at;
  at.fleet->store.write([&](store::Tx& tx) {
    reissue_agent_key(tx, at.fleet->ids, at.fleet->credentials, at.fleet.actor, at.agent.org,
                      at.agent.agent, at.fleet.now)
        .value();
  });
  EXPECT_FALSE(at.retired(0));
  at.fleet.reopen();
  EXPECT_FALSE(at.retired(0));
}

TEST(RetiredKeys, EndWithTheAgent) {
  Retired at;
  at.fleet->store.write([&](store::Tx& tx) {
    decommission_agent(tx, at.fleet->ids, at.fleet->credentials, at.fleet->presence, at.fleet.actor,
                       at.agent.org, at.agent.agent, at.fleet.now)
        .value();
  });
  EXPECT_FALSE(at.retired(0));
  at.fleet.reopen();
  EXPECT_FALSE(at.retired(0));
}

TEST(RetiredKeys, AreToldOnceTheStoreIsBack) {
  Retired at;
  RetiredKeyWatch watch(at.fleet->credentials);
  watch.note(at.hash(0), at.agent.agent, "192.0.2.7", at.fleet.now);
  at.fleet.faults->refuse("INSERT INTO events");
  EXPECT_THROW(watch.tell(at.fleet->store, at.fleet->ids), store::StoreError);
  at.fleet.faults->cancel();
  EXPECT_EQ(watch.tell(at.fleet->store, at.fleet->ids), 1U);
  EXPECT_EQ(watch.tell(at.fleet->store, at.fleet->ids), 0U);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'retired_key_used' AND"
                           " details LIKE '%192.0.2.7%'"),
            1);
}

}  // namespace
}  // namespace muster::fleet
