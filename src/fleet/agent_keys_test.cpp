// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_keys.h"

#include <gtest/gtest.h>

#include "fleet/testing.h"

namespace muster::fleet {
namespace {

/// An agent that has called with its first key.
struct Rotating {
  Rotating() { use(0); }

  std::string key(std::int64_t generation) {
    return fleet->credentials.agent_key(agent.agent, generation);
  }
  std::optional<AgentCredential> known(std::int64_t generation) {
    return fleet->credentials.agents.find(fleet->credentials.hash(key(generation)));
  }
  Result<void> try_use(std::int64_t generation) {
    return fleet->store.write([&](store::Tx& tx) {
      return record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org,
                              agent.agent, generation, fleet.now);
    });
  }
  void use(std::int64_t generation) { try_use(generation).value(); }
  OfferedKey rotate() {
    return fleet->store
        .write([&](store::Tx& tx) {
          return rotate_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org,
                                  agent.agent, fleet.now);
        })
        .value();
  }
  OfferedKey reissue() {
    return fleet->store
        .write([&](store::Tx& tx) {
          return reissue_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org,
                                   agent.agent, fleet.now);
        })
        .value();
  }

  TestFleet fleet;
  Enrolled agent = fleet.enrol("web-1", "machine-a");
};

TEST(KeyRotation, BothKeysAreKnownUntilTheNewOneIsUsedAlsoAfterARestart) {
  Rotating at;
  EXPECT_EQ(at.key(0), at.agent.key);
  EXPECT_EQ(at.rotate().key, at.key(1));
  for (int restarts = 0; restarts < 2; ++restarts) {
    ASSERT_TRUE(at.known(0) && at.known(1)) << restarts;
    EXPECT_EQ(at.known(0)->offered, 1);
    EXPECT_FALSE(at.known(0)->first_use);
    EXPECT_TRUE(at.known(1)->first_use);
    at.fleet.reopen();
  }
  at.use(1);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_FALSE(at.known(0).has_value()) << restarts;
    ASSERT_TRUE(at.known(1).has_value());
    EXPECT_FALSE(at.known(1)->first_use);
    EXPECT_EQ(at.known(1)->offered, 0);
    at.fleet.reopen();
  }
}

TEST(KeyRotation, ACallThatProvedAKeyWhichEndedMeanwhileIsRefused) {
  Rotating at;
  at.rotate();
  at.use(1);
  EXPECT_EQ(at.try_use(0).error().code, Errc::invalid_credentials);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'key_rotated'"), 1);
  at.use(1);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'key_rotated'"), 1);
}

TEST(KeyRotation, ReissueAcceptsTheFormerKeyUntilTheNewOneIsUsed) {
  Rotating at;
  at.rotate();
  at.use(1);
  EXPECT_EQ(at.reissue().generation, 2);
  at.fleet.reopen();
  EXPECT_TRUE(at.known(0) && at.known(1) && at.known(2));
  EXPECT_EQ(at.known(0)->offered, 2);
  at.use(2);
  EXPECT_FALSE(at.known(0) || at.known(1));
  EXPECT_TRUE(at.known(2).has_value());
}

TEST(KeyRotation, IsOfNoMoreUseOnceTheAgentIsSuperseded) {
  Rotating at;
  at.rotate();
  at.fleet.now = at.fleet.now + Duration(5);
  const Enrolled again = at.fleet.enrol("web-1", "machine-a");
  at.fleet->store.write([&](store::Tx& tx) {
    record_first_use(tx, at.fleet->ids, at.fleet->credentials, at.fleet->presence, again.org,
                     again.agent, 0, at.fleet.now)
        .value();
  });
  for (int restarts = 0; restarts < 2; ++restarts) {
    ASSERT_TRUE(at.known(0) && at.known(1)) << "of no use but to return";
    EXPECT_TRUE(at.known(0)->superseded_at && at.known(1)->superseded_at);
    at.fleet.reopen();
  }
}

TEST(KeyRotation, IsAuditedOnceAndKeepsTheKeyOutOfTheLog) {
  Rotating at;
  at.rotate();
  at.rotate();
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM audit WHERE action = 'agents.rotate_key'"), 1);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM audit WHERE details LIKE '%ak_%'"), 0);
}

}  // namespace
}  // namespace muster::fleet
