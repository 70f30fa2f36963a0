// SPDX-License-Identifier: Apache-2.0
// Enrolment tokens: who may use them, and who did.
#include <gtest/gtest.h>

#include "fleet/agent_keys.h"
#include "fleet/enrolment.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

bool is_in_memory(TestFleet& fleet, const CreatedToken& token) {
  return fleet->credentials.enrolment_tokens.find(fleet->credentials.hash(token.token)).has_value();
}

Errc refusal(TestFleet& fleet, std::string_view token, const EnrolmentRequest& request) {
  return prove_token(fleet->credentials, token, request, fleet.now).error().code;
}

TEST(TokenProof, IsRefusedWithoutAToken) {
  TestFleet fleet;
  fleet.token();
  EXPECT_EQ(refusal(fleet, "", TestFleet::request_of("h")), Errc::invalid_token);
}

TEST(TokenProof, IsRefusedForAWrongOrShortenedToken) {
  TestFleet fleet;
  std::string text = fleet.token().token;
  EXPECT_EQ(refusal(fleet, text.substr(0, text.size() - 1), TestFleet::request_of("h")),
            Errc::invalid_token);
  text.back() = text.back() == '0' ? '1' : '0';
  EXPECT_EQ(refusal(fleet, text, TestFleet::request_of("h")), Errc::invalid_token);
}

TEST(TokenProof, EndsWhenTheTokenExpires) {
  TestFleet fleet;
  const CreatedToken token = fleet.token();
  fleet.now = token.expires_at - Duration(1);
  EXPECT_TRUE(
      prove_token(fleet->credentials, token.token, TestFleet::request_of("h"), fleet.now).ok());
  fleet.now = token.expires_at;
  EXPECT_EQ(refusal(fleet, token.token, TestFleet::request_of("h")), Errc::invalid_token);
}

TEST(TokenProof, OfAUsedUpTokenIsInMemoryUntilItsAgentsHaveCalled) {
  TestFleet fleet;
  const CreatedToken token = fleet.token(2);
  std::vector<AgentId> agents;
  const auto enrol = [&](const std::string& name, bool keep) {
    return fleet->store
        .write([&](store::Tx& tx) -> Result<Enrolled> {
          const Enrolled made =
              TRY(fleet.enrol_in(tx, fleet.credential(token), TestFleet::request_of(name)));
          if (!keep) return Error{Errc::unavailable, "undone"};
          agents.push_back(made.agent);
          return made;
        })
        .ok();
  };
  ASSERT_TRUE(enrol("web-1", true));
  ASSERT_FALSE(enrol("web-2", false));
  EXPECT_TRUE(is_in_memory(fleet, token)) << "an undone use ends no token";
  ASSERT_TRUE(enrol("web-2", true));
  fleet.reopen();
  EXPECT_TRUE(is_in_memory(fleet, token)) << "an agent that heard no answer may ask again";
  for (const AgentId agent : agents) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, TestFleet::org, agent,
                       0, fleet.now)
          .value();
    });
  }
  EXPECT_FALSE(is_in_memory(fleet, token));
  EXPECT_EQ(refusal(fleet, token.token, TestFleet::request_of("h")), Errc::invalid_token);
  fleet.reopen();
  EXPECT_FALSE(is_in_memory(fleet, token));
}

TEST(TokenProof, OfAnotherOrganisationIsRefusedOnceProved) {
  TestFleet fleet;
  const CreatedToken token = fleet.token();
  EnrolmentRequest request = TestFleet::request_of("h");
  request.org = TestFleet::org.value;
  EXPECT_TRUE(prove_token(fleet->credentials, token.token, request, fleet.now).ok());
  request.org = 2;
  EXPECT_EQ(refusal(fleet, token.token, request), Errc::organization_forbidden);
  EXPECT_EQ(refusal(fleet, "et_guessed", request), Errc::invalid_token)
      << "who has no token learns nothing";
}

TEST(TokenProof, OutsideTheFenceIsRefusedAlsoAfterARestart) {
  TestFleet fleet;
  model::TokenTerms terms;
  terms.networks = {parse_ip_network("192.0.2.0/24").value()};
  terms.systems = {"linux/amd64"};
  const CreatedToken token = fleet.token(9, terms);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EnrolmentRequest request = TestFleet::request_of("h");
    EXPECT_TRUE(prove_token(fleet->credentials, token.token, request, fleet.now).ok());
    request.arch = "arm64";
    EXPECT_EQ(refusal(fleet, token.token, request), Errc::outside_token_fence);
    request.arch = "amd64";
    request.ip_address = "198.51.100.1";
    EXPECT_EQ(refusal(fleet, token.token, request), Errc::outside_token_fence);
    fleet.reopen();
  }
}

TEST(TokenUses, SayWhoEnrolledWhenAndFromWhere) {
  TestFleet fleet;
  const CreatedToken token = fleet.token();
  const CreatedToken unused = fleet.token();
  for (const char* name : {"web-1", "web-2", "web-3"}) {
    fleet.now = fleet.now + Duration(1);
    ASSERT_TRUE(fleet->store
                    .write([&](store::Tx& tx) {
                      return fleet.enrol_in(tx, fleet.credential(token),
                                            TestFleet::request_of(name));
                    })
                    .ok());
  }
  const auto page = list_token_uses(fleet->store, token.id, "", 2).value();
  ASSERT_EQ(page.uses.size(), 2U);
  EXPECT_EQ(page.uses[0].hostname, "web-3");
  EXPECT_EQ(page.uses[0].agent.enrolled_at, fleet.now);
  EXPECT_EQ(page.uses[0].agent.enrolled_from, "192.0.2.1");
  EXPECT_EQ(page.total.value, 3);
  const auto rest = list_token_uses(fleet->store, token.id, page.next_cursor, 2).value();
  ASSERT_EQ(rest.uses.size(), 1U);
  EXPECT_EQ(rest.uses[0].hostname, "web-1");
  EXPECT_TRUE(rest.next_cursor.empty());
  EXPECT_TRUE(list_token_uses(fleet->store, unused.id, "", 2).value().uses.empty());
  EXPECT_EQ(list_token_uses(fleet->store, TokenId{1}, "", 2).error().code, Errc::not_found);
}

}  // namespace
}  // namespace muster::fleet
