// SPDX-License-Identifier: Apache-2.0
// Enrolments with a token that is used up, because the answer to its last use was lost.
#include <array>

#include <gtest/gtest.h>

#include "fleet/enrolment.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

bool key_is_live(TestFleet& fleet, const std::string& key) {
  return fleet->credentials.agents.find(fleet->credentials.hash(key)).has_value();
}

/// A host that enrols with a token of one use.
struct OneUse {
  TestFleet fleet;
  CreatedToken token = fleet.token(1);

  Result<Enrolled> enrol(const EnrolmentRequest& request) {
    const auto proved = prove_token(fleet->credentials, token.token, request, fleet.now);
    if (!proved.ok()) return proved.error();
    return fleet->store.write([&](store::Tx& tx) { return fleet.enrol_in(tx, *proved, request); });
  }
  Result<Enrolled> enrol(const std::string& hostname = "web-1") {
    return enrol(TestFleet::request_of(hostname));
  }
  Result<void> call(const Enrolled& agent, std::int64_t generation) {
    return fleet->store.write([&](store::Tx& tx) {
      return record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org,
                              agent.agent, generation, fleet.now);
    });
  }
};

TEST(RepeatedEnrolment, AfterALostAnswerIsTheSameAgentOnTheSameHost) {
  OneUse at;
  const Enrolled lost = at.enrol().value();
  at.fleet.reopen();
  const Enrolled again = at.enrol("WEB-1").value();
  EXPECT_EQ(again.agent, lost.agent);
  EXPECT_EQ(again.host, lost.host);
  EXPECT_NE(again.key, lost.key) << "whoever heard the first answer does not know it";
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM hosts"), 1);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM agents"), 1);
  EXPECT_EQ(at.fleet.count("SELECT uses FROM enrolment_tokens"), 1);
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'enrolment_repeated'"), 1);
  for (const bool restarted : {false, true}) {
    if (restarted) at.fleet.reopen();
    for (const Enrolled& answer : {lost, again}) EXPECT_TRUE(key_is_live(at.fleet, answer.key));
  }
}

TEST(RepeatedEnrolment, EndsWithTheFirstUseOfAnyKey) {
  for (const std::int64_t used : {0, 1, 2}) {
    OneUse at;
    const std::array<Enrolled, 3> answers = {at.enrol().value(), at.enrol().value(),
                                             at.enrol().value()};
    at.call(answers[0], used).value();
    for (const bool restarted : {false, true}) {
      if (restarted) at.fleet.reopen();
      for (std::int64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(key_is_live(at.fleet, answers[static_cast<std::size_t>(i)].key), i == used);
        EXPECT_EQ(at.call(answers[0], i).ok(), i == used);
      }
      EXPECT_EQ(at.enrol().error().code, Errc::invalid_token);
      EXPECT_FALSE(
          at.fleet->credentials.enrolment_tokens.find(at.fleet->credentials.hash(at.token.token)))
          << "nobody can present it any more";
    }
    EXPECT_EQ(at.fleet.count("SELECT count(*) FROM events WHERE type = 'key_rotated'"), 0);
    const auto rotated = at.fleet->store.write([&](store::Tx& tx) {
      return rotate_agent_key(tx, at.fleet->ids, at.fleet->credentials, at.fleet.actor,
                              answers[0].org, answers[0].agent, at.fleet.now);
    });
    EXPECT_EQ(rotated->generation, 3) << "no key that an answer carried";
  }
}

TEST(RepeatedEnrolment, IsNoWayToEnrolMore) {
  OneUse at;
  const Enrolled first = at.enrol().value();
  EXPECT_EQ(at.enrol("web-2").error().code, Errc::invalid_token);
  EnrolmentRequest other = TestFleet::request_of("web-1");
  other.arch = "arm64";
  EXPECT_EQ(at.enrol(other).error().code, Errc::invalid_token);
  EXPECT_EQ(at.enrol(TestFleet::request_of("web-1", "machine")).error().code, Errc::invalid_token);
  for (std::int64_t i = 0; i < model::enrolment_repeats; ++i) {
    EXPECT_EQ(at.enrol()->agent, first.agent);
  }
  EXPECT_EQ(at.enrol().error().code, Errc::invalid_token) << "somebody else is at it";
  EXPECT_EQ(at.fleet.count("SELECT count(*) FROM agents"), 1);
}

TEST(RepeatedEnrolment, NeedsATokenThatIsNeitherRevokedNorExpired) {
  for (const bool revoke : {true, false}) {
    OneUse at;
    const EnrolmentCredential proved = at.fleet.credential(at.token);
    at.enrol().value();
    if (revoke) {
      at.fleet->store.write([&](store::Tx& tx) {
        revoke_enrolment_token(tx, at.fleet->ids, at.fleet->credentials, at.fleet.actor,
                               at.token.id, at.fleet.now)
            .value();
      });
    } else {
      at.fleet.now = at.fleet.now + std::chrono::hours(24);
    }
    EXPECT_EQ(at.enrol().error().code, Errc::invalid_token);
    // It may have been proved before.
    const auto late = at.fleet->store.write([&](store::Tx& tx) {
      return at.fleet.enrol_in(tx, proved, TestFleet::request_of("web-1"));
    });
    EXPECT_EQ(late.error().code, Errc::invalid_token);
  }
}

TEST(RepeatedEnrolment, WhileTheTokenHasUsesLeftIsAnotherAgent) {
  // Two machines that look alike cannot be told from one that asks twice.
  TestFleet fleet;
  const EnrolmentCredential proof = fleet.credential(fleet.token(2));
  const auto enrol = [&] {
    return fleet->store.write([&](store::Tx& tx) {
      return fleet.enrol_in(tx, proof, TestFleet::request_of("web-1")).value();
    });
  };
  const Enrolled first = enrol();
  const Enrolled second = enrol();
  EXPECT_NE(second.agent, first.agent);
  EXPECT_EQ(enrol().agent, second.agent) << "the last of them";
}

}  // namespace
}  // namespace muster::fleet
