// SPDX-License-Identifier: Apache-2.0
#include "fleet/enrolment.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/text.h"
#include "fleet/hosts.h"
#include "fleet/orgs.h"
#include "fleet/testing.h"
#include "store/sql/agents.h"

namespace muster::fleet {
namespace {

bool has_called(TestFleet& fleet, AgentId agent) {
  return fleet->presence.find_agent(agent)->called;
}

bool key_is_live(TestFleet& fleet, const std::string& key) {
  const auto known = fleet->credentials.agents.find(fleet->credentials.hash(key));
  return known && !known->superseded_at;
}

void call_first(TestFleet& fleet, const Enrolled& agent) {
  fleet->store.write([&](store::Tx& tx) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent, 0,
                     fleet.now)
        .value();
  });
}

TEST(Enrolment, AnAgentIsKnownByItsKeyAlsoAfterARestart) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  EXPECT_TRUE(agent.key.starts_with("ak_"));
  EXPECT_EQ(agent.key.size(), 3 + 64U);
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto known = fleet->credentials.agents.find(fleet->credentials.hash(agent.key));
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(known->agent, agent.agent);
    EXPECT_EQ(known->host, agent.host);
    EXPECT_FALSE(known->disabled);
    EXPECT_TRUE(fleet->directory.find(TestFleet::org, "", "WEB-1").has_value());
    fleet.reopen();
  }
}

TEST(Enrolment, TheKeyIsInNoFileOfTheStore) {
  TestFleet fleet(1, store::Engine::sqlite);
  const CreatedToken token = fleet.token();
  const Enrolled agent = fleet.enrol("web-1");
  const std::string raw_key = from_hex(agent.key.substr(3)).value();
  for (const char* name : {"/muster.db", "/muster.db-wal"}) {
    std::ifstream file(fleet.database.directory() + name, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(content.empty()) << name;
    EXPECT_EQ(content.find(agent.key), std::string::npos);
    EXPECT_EQ(content.find(raw_key), std::string::npos);
    EXPECT_EQ(content.find(token.token), std::string::npos);
  }
}

TEST(Enrolment, AnUndoneUseOfATokenDoesNotCount) {
  TestFleet fleet;
  const EnrolmentCredential proof = fleet.credential(fleet.token(2));
  for (int i = 0; i < 5; ++i) {
    const auto undone = fleet->store.write([&](store::Tx& tx) -> Result<Enrolled> {
      EXPECT_TRUE(fleet.enrol_in(tx, proof, TestFleet::request_of("web-1")).ok());
      return Error{Errc::unavailable, "the answer was lost"};
    });
    EXPECT_FALSE(undone.ok());
  }
  EXPECT_EQ(fleet.count("SELECT count(*) FROM agents"), 0);
  const auto enrol = [&](const std::string& hostname) {
    return fleet->store.write(
        [&](store::Tx& tx) { return fleet.enrol_in(tx, proof, TestFleet::request_of(hostname)); });
  };
  EXPECT_TRUE(enrol("web-1").ok());
  EXPECT_TRUE(enrol("web-2").ok());
  EXPECT_EQ(enrol("web-3").error().code, Errc::invalid_token);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM hosts"), 2);
}

TEST(Enrolment, UsesCountedInOneTransactionDoNotPassTheCap) {
  TestFleet fleet;
  const EnrolmentCredential proof = fleet.credential(fleet.token(1));
  fleet->store.write([&](store::Tx& tx) {
    EXPECT_TRUE(fleet.enrol_in(tx, proof, TestFleet::request_of("web-1")).ok());
    EXPECT_FALSE(fleet.enrol_in(tx, proof, TestFleet::request_of("web-2")).ok());
  });
}

TEST(Enrolment, ExpiredAndRevokedTokensEnrolNobody) {
  TestFleet fleet;
  const CreatedToken expired = fleet.token();
  const CreatedToken revoked = fleet.token();
  ASSERT_TRUE(fleet->store
                  .write([&](store::Tx& tx) {
                    return revoke_enrolment_token(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                  revoked.id, fleet.now);
                  })
                  .ok());
  EXPECT_FALSE(
      fleet->credentials.enrolment_tokens.find(fleet->credentials.hash(revoked.token)).has_value());
  EXPECT_TRUE(
      fleet->credentials.enrolment_tokens.find(fleet->credentials.hash(expired.token)).has_value());
  fleet.now = fleet.now + std::chrono::hours(24);
  for (const CreatedToken& token : {expired, revoked}) {
    const auto enrolled = fleet->store.write([&](store::Tx& tx) {
      return fleet.enrol_in(tx, fleet.credential(token), TestFleet::request_of("web-1"));
    });
    EXPECT_EQ(enrolled.error().code, Errc::invalid_token);
  }
}

TEST(Enrolment, PutsTheTokensTagsOnTheHostForGood) {
  TestFleet fleet;
  model::TokenTerms terms;
  terms.tags = {"site:lab", "ring:1"};
  EnrolmentCredential proof = fleet.credential(fleet.token(9));
  proof.terms = terms;
  const Enrolled agent = fleet->store
                             .write([&](store::Tx& tx) {
                               return fleet.enrol_in(tx, proof, TestFleet::request_of("web-1"));
                             })
                             .value();
  InventoryReport report = TestFleet::report_of("web-1");
  report.agent = {agent.agent, agent.host};
  report.tags = std::vector<std::string>{"ring:1", "own"};
  ASSERT_TRUE(fleet.report(report).ok());
  const std::vector<std::string> all = {"ring:1", "own", "site:lab"};
  EXPECT_EQ(fleet->directory.find(agent.host)->tags, all);
  report.tags = std::vector<std::string>{};
  ASSERT_TRUE(fleet.report(report).ok());
  EXPECT_EQ(fleet->directory.find(agent.host)->tags, terms.tags) << "a report clears its own only";
  fleet.reopen();
  EXPECT_EQ(fleet->directory.find(agent.host)->tags, terms.tags);
}

TEST(Enrolment, TheSameMachineIsTheSameHost) {
  TestFleet fleet;
  const Enrolled first = fleet.enrol("web-1", "machine-a");
  fleet.now = fleet.now + Duration(5);
  const Enrolled again = fleet.enrol("renamed", "machine-a");
  EXPECT_EQ(again.host, first.host);
  EXPECT_NE(again.agent, first.agent);
  EXPECT_NE(again.key, first.key);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM hosts"), 1);
  EXPECT_EQ(fleet->directory.find(TestFleet::org, "", "renamed")->id, first.host);
  EXPECT_FALSE(fleet->directory.find(TestFleet::org, "", "web-1").has_value())
      << "the name it gave up";
}

TEST(Enrolment, AHostnameAloneJoinsOnlyASilentHost) {
  TestFleet fleet;
  const Enrolled first = fleet.enrol("web-1");
  fleet.now = fleet.now + fleet.config.offline_after() - Duration(1);
  const Enrolled live = fleet.enrol("WEB-1");
  EXPECT_NE(live.host, first.host) << "two machines with one name";
  fleet.now = fleet.now + fleet.config.offline_after();
  const Enrolled silent = fleet.enrol("web-1");
  EXPECT_EQ(silent.host, live.host) << "the one seen last";
}

TEST(Enrolment, AHostnameOfAnotherMachineIsAnotherHost) {
  TestFleet fleet;
  const Enrolled first = fleet.enrol("web-1", "machine-a");
  fleet.now = fleet.now + std::chrono::hours(1);
  EXPECT_NE(fleet.enrol("web-1", "machine-b").host, first.host);
}

TEST(Enrolment, AHostnameOfAnotherOrganisationConflictsWhileItIsAlive) {
  TestFleet fleet;
  const Org other = fleet->store
                        .write([&](store::Tx& tx) {
                          return create_org(tx, fleet->ids, fleet.actor, "other", fleet.now);
                        })
                        .value();
  fleet.enrol("web-1");
  InventoryReport report = TestFleet::report_of("WEB-1");
  report.org = other.id;
  EXPECT_EQ(fleet.report(report).error().code, Errc::hostname_conflict);
  EXPECT_EQ(fleet.report(report).error().field, "hostname");
  fleet.config.hosts_unique_hostnames = "org";
  const auto tried = fleet->store.write([&](store::Tx& tx) -> Result<ReportOutcome> {
    EXPECT_TRUE(record_report(tx, fleet.inventory(), report, fleet.now).ok());
    return Error{Errc::unavailable, "only tried"};
  });
  EXPECT_EQ(tried.error().code, Errc::unavailable);
  fleet.config.hosts_unique_hostnames = "global";
  fleet.now = fleet.now + std::chrono::hours(24 * fleet.config.hosts_conflict_silent_days);
  EXPECT_TRUE(fleet.report(report).ok()) << "silent for long enough";
}

TEST(FirstCall, EndsTheEarlierAgentsOfTheHostAndNoOthers) {
  TestFleet fleet;
  const Enrolled bystander = fleet.enrol("web-2", "machine-b");
  const Enrolled old = fleet.enrol("web-1", "machine-a");
  fleet.now = fleet.now + Duration(5);
  const Enrolled fresh = fleet.enrol("web-1", "machine-a");
  EXPECT_TRUE(key_is_live(fleet, old.key)) << "until the new one calls";
  call_first(fleet, fresh);
  EXPECT_FALSE(key_is_live(fleet, old.key));
  EXPECT_TRUE(key_is_live(fleet, fresh.key));
  EXPECT_TRUE(key_is_live(fleet, bystander.key));
  EXPECT_FALSE(fleet->presence.find_agent(old.agent).has_value());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 're_enrolled'"), 1);
  call_first(fleet, fresh);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 're_enrolled'"), 1) << "repeated";
  fleet.reopen();
  EXPECT_FALSE(key_is_live(fleet, old.key));
  EXPECT_TRUE(key_is_live(fleet, fresh.key));
}

TEST(FirstCall, OfAnEarlierAgentDoesNotEndALaterOne) {
  TestFleet fleet;
  const Enrolled old = fleet.enrol("web-1", "machine-a");
  fleet.now = fleet.now + Duration(5);
  const Enrolled fresh = fleet.enrol("web-1", "machine-a");
  call_first(fleet, old);
  EXPECT_TRUE(key_is_live(fleet, old.key));
  EXPECT_TRUE(key_is_live(fleet, fresh.key));
}

TEST(FirstCall, IsStillToComeAfterARestartWithoutIt) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  fleet->presence.touch_agent(agent.agent, fleet.now + Duration(1));
  EXPECT_EQ(fleet->presence.flush(fleet->store), 0U) << "a row would say that it has called";
  fleet.reopen();
  EXPECT_FALSE(has_called(fleet, agent.agent));
  call_first(fleet, agent);
  EXPECT_TRUE(has_called(fleet, agent.agent));
  EXPECT_EQ(fleet->presence.flush(fleet->store), 1U);
  fleet.reopen();
  EXPECT_TRUE(has_called(fleet, agent.agent));
}

TEST(Disabling, IsKnownAtOnceAndAfterARestart) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  const auto set_disabled = [&](bool disabled) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_agent_disabled(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org,
                                agent.agent, disabled, fleet.now);
    });
  };
  const auto disabled = [&] {
    return fleet->credentials.agents.find(fleet->credentials.hash(agent.key))->disabled;
  };
  ASSERT_TRUE(set_disabled(true).ok());
  ASSERT_TRUE(set_disabled(true).ok()) << "a repeat";
  EXPECT_TRUE(disabled());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'agents.disable'"), 1);
  fleet.reopen();
  EXPECT_TRUE(disabled());
  ASSERT_TRUE(set_disabled(false).ok());
  EXPECT_FALSE(disabled());
}

TEST(Disabling, OfAnAgentThatWasSupersededIsRefused) {
  TestFleet fleet;
  const Enrolled old = fleet.enrol("web-1", "machine-a");
  fleet.now = fleet.now + Duration(5);
  call_first(fleet, fleet.enrol("web-1", "machine-a"));
  const auto set_disabled = [&](AgentId id) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_agent_disabled(tx, fleet->ids, fleet->credentials, fleet.actor, old.org, id, true,
                                fleet.now);
    });
  };
  EXPECT_EQ(set_disabled(old.agent).error().code, Errc::illegal_transition);
  EXPECT_EQ(set_disabled(AgentId{}).error().code, Errc::not_found);
}

Result<void> decommission(TestFleet& fleet, const Enrolled& agent) {
  return fleet->store.write([&](store::Tx& tx) {
    return decommission_agent(tx, fleet->ids, fleet->credentials, fleet->presence, fleet.actor,
                              agent.org, agent.agent, fleet.now);
  });
}

TEST(Decommissioning, EndsTheKeyForGoodAndKeepsTheHistory) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1", "machine-a");
  call_first(fleet, agent);
  ASSERT_TRUE(decommission(fleet, agent).ok());
  ASSERT_TRUE(decommission(fleet, agent).ok()) << "a repeat";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'agents.decommission'"), 1);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_FALSE(key_is_live(fleet, agent.key));
    EXPECT_FALSE(fleet->presence.find_agent(agent.agent).has_value());
    fleet.reopen();
  }
  const auto enabled = fleet->store.write([&](store::Tx& tx) {
    return set_agent_disabled(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org,
                              agent.agent, false, fleet.now);
  });
  EXPECT_EQ(enabled.error().code, Errc::illegal_transition) << "nothing revives it";
  const auto rotated = fleet->store.write([&](store::Tx& tx) {
    return rotate_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor, agent.org, agent.agent,
                            fleet.now);
  });
  EXPECT_EQ(rotated.error().code, Errc::illegal_transition);
  fleet.now = fleet.now + Duration(5);
  const Enrolled again = fleet.enrol("web-1", "machine-a");
  EXPECT_EQ(again.host, agent.host) << "the machine may come back as a new agent";
  call_first(fleet, again);
  EXPECT_EQ(show_agent(fleet->store, fleet->presence, fleet.config, agent.agent, fleet.now)
                .value()
                .agent.status,
            model::AgentStatus::decommissioned);
}

TEST(OperatorTags, OutliveTheAgentAndStayApartFromReportedOnes) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1", "machine-a");
  const auto change = [&](std::vector<std::string> add, std::vector<std::string> remove) {
    return fleet->store.write([&](store::Tx& tx) {
      return change_operator_tags(tx, fleet->ids, fleet->directory, fleet.actor, agent.org,
                                  agent.agent, add, remove, fleet.now);
    });
  };
  using Tags = std::vector<std::string>;
  EXPECT_EQ(change({"a", "b", "a"}, {}).value(), (Tags{"a", "b"}));
  EXPECT_EQ(change({"c"}, {"a", "none"}).value(), (Tags{"b", "c"}));
  EXPECT_EQ(change({"c"}, {}).value(), (Tags{"b", "c"}));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'agents.tag'"), 2)
      << "what changes nothing leaves no trace";
  Tags many;
  for (std::size_t i = 0; i < limits::tags; ++i) many.push_back("tag " + std::to_string(i));
  EXPECT_EQ(change(many, {}).error().code, Errc::invalid_field);
  fleet.now = fleet.now + Duration(5);
  EXPECT_EQ(fleet.enrol("web-1", "machine-a").host, agent.host);
  EXPECT_EQ(fleet->directory.find(agent.host)->tags, (Tags{"b", "c"}));
}

TEST(AgentList, OfAPresenceIsPagedWithoutLosingOrRepeatingAnyone) {
  TestFleet fleet;
  std::vector<AgentId> awake, asleep;
  for (int i = 0; i < 25; ++i) {
    const Enrolled agent = fleet.enrol("web-" + std::to_string(i));
    call_first(fleet, agent);
    (i % 3 == 0 ? awake : asleep).insert((i % 3 == 0 ? awake : asleep).begin(), agent.agent);
    fleet.now = fleet.now + Duration(1);
  }
  fleet.now = fleet.now + fleet.config.offline_after();
  for (const AgentId id : awake) fleet->presence.touch_agent(id, fleet.now);
  const auto all_of = [&](const AgentQuery& query) {
    std::vector<AgentId> ids;
    std::string cursor;
    for (int pages = 0; pages < 60; ++pages) {
      const AgentPage page =
          list_agent_page(fleet->store, fleet->presence, fleet.config, query, cursor, 2, fleet.now)
              .value();
      for (const AgentView& view : page.agents) ids.push_back(view.agent.id);
      EXPECT_LE(page.agents.size(), 2U);
      cursor = page.next_cursor;
      if (cursor.empty()) {
        EXPECT_EQ(page.total.value, static_cast<std::int64_t>(ids.size()));
        EXPECT_TRUE(page.total.exact);
        return ids;
      }
    }
    ADD_FAILURE() << "the list has no end";
    return ids;
  };
  AgentQuery query;
  query.presence = model::Presence::online;
  EXPECT_EQ(all_of(query), awake);
  query.presence = model::Presence::offline;
  EXPECT_EQ(all_of(query), asleep);
  query.presence.reset();
  query.silent_for = fleet.config.offline_after();
  EXPECT_EQ(all_of(query), asleep);
  query.filter.hostname = "WEB-2";
  EXPECT_EQ(all_of(query).size(), 4U) << "web-2, -20, -22 and -23";
  EXPECT_EQ(all_of({}).size(), 25U);
}

TEST(Secrets, AnotherSecretFileIsRefused) {
  TestFleet fleet;
  const TestDirectory elsewhere;
  SeededRng other(99);
  EXPECT_THROW(Fleet(fleet.database.open(), elsewhere.path() + "/secret", other, fleet.now),
               std::runtime_error);
}

TEST(BootstrapToken, IsMadeOnceAndWorks) {
  TestFleet fleet;
  const std::string path = fleet.directory.path() + "/admin.token";
  EXPECT_TRUE(create_bootstrap_token(*fleet, fleet.rng, path, fleet.now));
  EXPECT_FALSE(create_bootstrap_token(*fleet, fleet.rng, path, fleet.now));
  std::string token;
  std::ifstream(path) >> token;
  EXPECT_TRUE(fleet->credentials.operators.find(fleet->credentials.hash(token)).has_value());
  const auto mode = std::filesystem::status(path).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace muster::fleet
