// SPDX-License-Identifier: Apache-2.0
#include "fleet/change_tail.h"

#include <gtest/gtest.h>

#include "fleet/presence.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using model::EventType;

constexpr OrgId everywhere{0};
constexpr std::string_view kev =
    R"({"title": "t", "catalogVersion": "1", "dateReleased": "2026-03-21T00:00:00Z", "count": 1,)"
    R"( "vulnerabilities": [{"cveID": "CVE-2000-0001", "vendorProject": "v", "product": "p",)"
    R"( "vulnerabilityName": "n", "dateAdded": "2026-03-20", "shortDescription": "s",)"
    R"( "requiredAction": "a", "dueDate": "2026-04-01", "knownRansomwareCampaignUse": "Known",)"
    R"( "notes": ""}]})";

void no_details(JsonWriter&) {}

class Tail : public ::testing::Test {
 protected:
  /// What a look finds, a second after the last.
  Changed look() {
    fleet.now = fleet.now + std::chrono::seconds(1);
    tail.look(fleet->store, fleet->nodes, changes, fleet.now);
    return changes.take();
  }
  Changed look_at_presence(Duration later = ChangeTail::presence_every) {
    fleet.now = fleet.now + later;
    tail.look_at_presence(fleet->presence, fleet.config, changes, fleet.now);
    return changes.take();
  }
  /// By a server of its own, for ids of one never go back.
  void event(OrgId org, EventType type, Instant at) {
    NumberIds ids(fleet.rng);
    fleet->store.write([&](store::Tx& tx) {
      record_event(tx, ids, org, type, std::nullopt, std::nullopt, no_details, at);
    });
  }
  void heartbeat(AgentId agent) {
    fleet->presence.with_agent(agent, [](AgentPresence& state) { state.called = true; });
    fleet->presence.touch_agent(agent, fleet.now);
  }

  TestFleet fleet;
  ChangeTail tail;
  Changes changes;
};

TEST_F(Tail, FindsWhatOperatorsDidInTheOrganisationWhereTheyDidIt) {
  look();
  fleet->store.write([&](store::Tx& tx) {
    record_audit(tx, fleet->ids, OrgId{7}, fleet.actor, "tasks.create", "t", no_details, fleet.now);
    record_audit(tx, fleet->ids, everywhere, fleet.actor, "operators.create", "o", no_details,
                 fleet.now);
  });
  EXPECT_EQ(look(), (Changed{{OrgId{7}, Topic::audit | Topic::tasks},
                             {everywhere, Topic::audit | Topic::access}}));
  EXPECT_TRUE(look().empty());
}

TEST_F(Tail, FindsWhatHappenedToAgents) {
  look();
  fleet.enrol("web-1");
  const Changed found = look();
  ASSERT_TRUE(found.contains(TestFleet::org));
  const Topics topics = found.at(TestFleet::org);
  for (const Topic each : {Topic::events, Topic::agents, Topic::hosts, Topic::access}) {
    EXPECT_TRUE(topics.has(each));
  }
  EXPECT_FALSE(topics.has(Topic::findings));
  EXPECT_TRUE(look().empty());
}

TEST_F(Tail, FindsRowsThatCameLateOnceAndOldOnesNever) {
  event(OrgId{1}, EventType::came_online, fleet.now);
  look();
  event(OrgId{2}, EventType::task_failed, fleet.now - ChangeTail::late / 2);  // a slower clock's
  event(OrgId{3}, EventType::task_failed, fleet.now - 2 * ChangeTail::late);
  EXPECT_EQ(look(), (Changed{{OrgId{2}, Topic::events | Topic::tasks}}));
  EXPECT_TRUE(look().empty());
}

TEST_F(Tail, OfMoreThanItFollowsSaysThatItMayBeAnybodys) {
  look();
  const auto write = [&](int rows) {
    fleet->store.write([&](store::Tx& tx) {
      for (int i = 0; i < rows; ++i) {
        record_event(tx, fleet->ids, OrgId{5}, EventType::came_online, std::nullopt, std::nullopt,
                     no_details, fleet.now);
      }
    });
  };
  write(ChangeTail::rows_max + 1);
  EXPECT_EQ(look()[everywhere], Topics::all());
  write(1);
  const Changed after = look();
  EXPECT_FALSE(after.contains(everywhere)) << "what is new is known again";
  EXPECT_TRUE(after.contains(OrgId{5}));
}

TEST_F(Tail, FindsImportsForAllAndThatTheirMatchingIsDone) {
  look();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::kev, std::string(kev)).ok());
  const Topics topics = look()[everywhere];
  EXPECT_TRUE(topics.has(Topic::feeds));
  EXPECT_TRUE(topics.has(Topic::findings));
  EXPECT_TRUE(look().empty());
}

TEST_F(Tail, FindsAgentsThatWentOfflineWithoutAnEvent) {
  const AgentId agent = fleet.enrol("web-1").agent;
  fleet.now = fleet.now + std::chrono::hours(1);  // the server knows who is silent
  heartbeat(agent);
  EXPECT_TRUE(look_at_presence().empty()) << "there is nothing to compare with";
  heartbeat(agent);
  EXPECT_TRUE(look_at_presence().empty()) << "still online";
  const Changed of_org = {{TestFleet::org, Topic::agents | Topic::hosts}};
  EXPECT_EQ(look_at_presence(fleet->presence.offline_after(fleet.config) + Duration(1)), of_org);
  EXPECT_TRUE(look_at_presence().empty());
  heartbeat(agent);
  EXPECT_TRUE(look_at_presence(Duration(1)).empty()) << "not so often";
  EXPECT_EQ(look_at_presence(), of_org);
}

TEST(TopicsOf, NothingThatIsWrittenDownIsLeftWithoutATopic) {
  EXPECT_EQ(topics_of_action("agents.disable"), Topic::audit | Topic::agents | Topic::hosts);
  EXPECT_EQ(topics_of_action("sign_in.refused"), Topic::audit | Topic::access);
  EXPECT_EQ(topics_of_action("what.nobody.thought.of"), Topics::all());
  EXPECT_EQ(topics_of_event("task_completed"), Topic::events | Topic::tasks);
  EXPECT_EQ(topics_of_event("went_offline"), Topic::events | Topic::agents | Topic::hosts);
}

}  // namespace
}  // namespace muster::fleet
