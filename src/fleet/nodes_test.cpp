// SPDX-License-Identifier: Apache-2.0
#include "fleet/nodes.h"

#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "fleet/agent_keys.h"
#include "fleet/clones.h"
#include "fleet/feed_import.h"
#include "fleet/finding_testing.h"
#include "fleet/nodes_testing.h"
#include "fleet/splits.h"
#include "fleet/writes.h"
#include "store/sql/keys.h"
#include "store/sql/nodes.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::fleet {
namespace {

TEST_F(NodesOnPostgres, AServerThatFollowsAcceptsWhatOneThatStartsAnewAccepts) {
  Fleet& fleet = a->fleet;
  const CreatedToken token = write([&](store::Tx& tx) {
    return create_enrolment_token(tx, fleet.ids, rng, fleet.credentials, actor,
                                  {org, std::chrono::hours(24), 5}, test_epoch);
  });
  expect_followed("a token");
  const auto enrol = [&](const std::string& hostname) {
    return write([&](store::Tx& tx) {
             return enrol_agent(tx, fleet.ids, rng, fleet.credentials, fleet.presence,
                                fleet.directory, Config{}, {org, token.id, token.expires_at},
                                TestFleet::request_of(hostname, "machine"), test_epoch);
           })
        .value();
  };
  const auto use = [&](AgentId agent, std::int64_t generation) {
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return record_first_use(tx, fleet.ids, fleet.credentials, fleet.presence, org,
                                          agent, generation, test_epoch);
                }).ok());
  };
  const Enrolled first = enrol("web-1");
  expect_followed("an agent");
  use(first.agent, 0);
  expect_followed("its first call");
  for (std::int64_t generation = 1; generation <= 3; ++generation) {
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return rotate_agent_key(tx, fleet.ids, fleet.credentials, actor, org, first.agent,
                                          test_epoch);
                }).ok());
    expect_followed("a rotation");
    use(first.agent, generation);
    expect_followed("the use of the new key");
  }
  EXPECT_TRUE(write([&](store::Tx& tx) {
                return reissue_agent_key(tx, fleet.ids, fleet.credentials, actor, org, first.agent,
                                         test_epoch);
              }).ok());
  expect_followed("a reissue");
  for (const bool disabled : {true, false}) {
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return set_agent_disabled(tx, fleet.ids, fleet.credentials, actor, org,
                                            first.agent, disabled, test_epoch);
                }).ok());
    expect_followed("disabled and enabled");
  }
  const Enrolled second = enrol("web-1");
  use(second.agent, 0);
  expect_followed("a second enrolment of the machine");
  const CreatedKey key = create_key();
  expect_followed("a site's key");
  b->fleet.nodes.renew(test_epoch);
  revoke(key.id);
  expect_followed("its revocation");
  const CreatedOperator person = write([&](store::Tx& tx) {
    return create_operator(tx, fleet.ids, rng, fleet.credentials, actor,
                           {"ci", http::Role::analyst, std::chrono::hours(1)}, test_epoch);
  });
  expect_followed("an operator's token");
  expect_sign_ins_followed(person.id);
  EXPECT_TRUE(write([&](store::Tx& tx) {
                return revoke_enrolment_token(tx, fleet.ids, fleet.credentials, actor, token.id,
                                              test_epoch);
              }).ok());
  expect_followed("the token's revocation");
}

TEST_F(NodesOnPostgres, RepeatedEnrolmentsAndSplitsAreFollowed) {
  Fleet& fleet = a->fleet;
  const CreatedToken token = write([&](store::Tx& tx) {
    return create_enrolment_token(tx, fleet.ids, rng, fleet.credentials, actor,
                                  {org, std::chrono::hours(24), 1}, test_epoch);
  });
  const auto enrol = [&] {
    return write([&](store::Tx& tx) {
             return enrol_agent(tx, fleet.ids, rng, fleet.credentials, fleet.presence,
                                fleet.directory, Config{}, {org, token.id, token.expires_at},
                                TestFleet::request_of("web-1"), test_epoch);
           })
        .value();
  };
  const auto use = [&](AgentId agent, std::int64_t generation) {
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return record_first_use(tx, fleet.ids, fleet.credentials, fleet.presence, org,
                                          agent, generation, test_epoch);
                }).ok());
  };
  const Enrolled agent = enrol();
  expect_followed("the last use of a token");
  for (int i = 0; i < 2; ++i) enrol();
  expect_followed("repeats");
  use(agent.agent, 1);
  expect_followed("the first call");

  write([&](store::Tx& tx) {
    record_clone(tx, fleet.ids, fleet.credentials, org, agent.agent, agent.host,
                 {{"m", "192.0.2.1", 1000}, {"m", "192.0.2.2", 9000}}, test_epoch);
  });
  const SplitAgent split = write([&](store::Tx& tx) {
    return split_agent(tx, fleet.ids, rng, fleet.credentials, fleet.presence, fleet.directory,
                       actor, org, agent.agent, test_epoch)
        .value();
  });
  expect_followed("a split");
  EXPECT_EQ(b->fleet.credentials.splits.take(agent.agent, 1000, "m"), std::nullopt);
  EXPECT_EQ(b->fleet.credentials.splits.take(agent.agent, 9000, "m"), split.agent);
  use(split.agent, 0);
  expect_followed("its end");
  EXPECT_EQ(b->fleet.credentials.splits.take(agent.agent, 9000, "m"), std::nullopt);
}

TEST_F(NodesOnPostgres, ARevocationIsAnsweredOnceTheOtherServerRefusesTheKey) {
  const CreatedKey key = create_key();
  b->fleet.nodes.renew(test_epoch);
  ASSERT_TRUE(accepts(*b, key));
  int looks = 0;
  while_waiting = [&] {
    EXPECT_FALSE(accepts(*a, key));
    if (++looks == 3) b->fleet.nodes.renew(test_epoch);
  };
  revoke(key.id);
  EXPECT_EQ(looks, 3);
  EXPECT_FALSE(accepts(*b, key));
}

TEST_F(NodesOnPostgres, ADeadServerHoldsARevocationUpForOneLeaseAndTheNextForNone) {
  const CreatedKey first = create_key();
  const CreatedKey second = create_key();
  b->fleet.nodes.renew(test_epoch);
  revoke(first.id);
  EXPECT_GE(waited, limits::node_lease);
  EXPECT_LE(waited, limits::node_lease + seconds(1));
  EXPECT_FALSE(b->fleet.nodes.may_serve());
  waited = Duration(0);
  revoke(second.id);
  EXPECT_EQ(waited, Duration(0));
}

TEST_F(NodesOnPostgres, AServerThatJoinedIsKnownOnceTheOthersRenewedOrLostTheirLease) {
  EXPECT_EQ(a->fleet.nodes.live(), 1) << "it has not looked since";
  int looks = 0;
  while_waiting = [&] {
    if (++looks == 3) a->fleet.nodes.renew(test_epoch);
  };
  b->fleet.nodes.await_known();
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(a->fleet.nodes.live(), 2);
  while_waiting = {};
  waited = Duration(0);
  b->fleet.nodes.await_known();
  EXPECT_GE(waited, limits::node_lease);
  EXPECT_LE(waited, limits::node_lease + seconds(1));
}

TEST_F(NodesOnPostgres, AServerThatComesBackFollowsBeforeItServes) {
  const CreatedKey key = create_key();
  b->fleet.nodes.renew(test_epoch);
  revoke(key.id);
  ASSERT_TRUE(accepts(*b, key));
  ASSERT_FALSE(b->fleet.nodes.may_serve());
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.nodes.may_serve());
  EXPECT_FALSE(accepts(*b, key));
}

TEST_F(NodesOnPostgres, ALeaseLastsFiveSecondsFromItsRenewal) {
  EXPECT_TRUE(a->fleet.nodes.may_serve());
  uptime += seconds(5) - milliseconds(1);
  EXPECT_TRUE(a->fleet.nodes.may_serve());
  uptime += milliseconds(1);
  EXPECT_FALSE(a->fleet.nodes.may_serve());
}

TEST_F(NodesOnPostgres, ARevocationThatCannotBeFollowedInTimeIsNotAnswered) {
  const CreatedKey key = create_key();
  b->fleet.nodes.renew(test_epoch);
  // Renewed all the time, and never further than it was.
  while_waiting = [&] {
    a->fleet.store.write([&](store::Tx& tx) {
      ASSERT_TRUE(store::renew_node(tx, b->fleet.store.node(), 0, 0, test_epoch));
    });
  };
  EXPECT_THROW(revoke(key.id), store::StoreError);
  while_waiting = [&] { b->fleet.nodes.renew(test_epoch); };
  revoke(key.id);  // asked again: it was done, and now it is waited for
  EXPECT_FALSE(accepts(*b, key));
}

TEST_F(NodesOnPostgres, ServersGiveOutIdsThatDiffer) {
  std::set<std::int64_t> all;
  for (int i = 0; i < 2000; ++i) {
    for (Server* server : {&*a, &*b}) {
      all.insert(server->fleet.ids.next<EventId>(test_epoch).value);
    }
  }
  EXPECT_EQ(all.size(), 4000U);
}

TEST_F(NodesOnPostgres, AServerTakesThePlaceOfOneThatEndedOnlyIfNoneIsLeft) {
  write([](store::Tx& tx) {
    for (std::int64_t place = 2; place < NumberIds::places; ++place) {
      store::insert_node(
          tx, {100 + place, 0, 0, false, test_epoch + Duration(place), place, std::nullopt});
    }
  });
  EXPECT_THROW(Server{*this}, std::runtime_error);
  write([](store::Tx& tx) {
    EXPECT_TRUE(store::set_node_lapsed(tx, 109, 0));
    EXPECT_TRUE(store::set_node_lapsed(tx, 107, 0));
  });
  const Server third(*this);
  const auto rows =
      a->fleet.store.read([](store::Reader& reader) { return store::list_nodes(reader); });
  EXPECT_EQ(rows.size(), 64U);
  std::set<std::int64_t> places;
  for (const store::NodeRow& row : rows) {
    EXPECT_NE(row.id, 107) << "it was the first to end";
    places.insert(row.place.value());
    if (row.id == third.fleet.store.node()) {
      EXPECT_EQ(row.place, 7);
    }
  }
  EXPECT_EQ(places.size(), 64U);
}

TEST_F(NodesOnPostgres, WhatAllServersFollowedIsForgotten) {
  for (int i = 0; i < 10; ++i) (void)create_key();
  const auto kept = [&] {
    return a->fleet.store.read([](store::Reader& reader) {
      return store::list_announcements(reader, 0, number_id_max, 1000).size();
    });
  };
  EXPECT_GE(kept(), 10U);
  for (int i = 0; i < 65; ++i) {
    a->fleet.nodes.renew(test_epoch);
    b->fleet.nodes.renew(test_epoch);
  }
  EXPECT_EQ(kept(), 0U);
}

/// A server matches what reports say against the imports that it knows; of a newer one it hears at
/// its next flush, and then matches again what it stored. Here it never does.
struct ImportsOnPostgres : NodesOnPostgres {
  void report(Fleet& fleet, const std::string& hostname) {
    ASSERT_TRUE(fleet.store
                    .write([&](store::Tx& tx) {
                      return record_report(
                          tx,
                          {config, fleet.ids, fleet.catalogue, fleet.packages, fleet.presence,
                           fleet.directory, fleet.settings, fleet.marks},
                          TestFleet::report_of(hostname, {debian_package("a", "1")}), test_epoch);
                    })
                    .ok());
  }
  void import() {
    ASSERT_TRUE(import_feed(a->fleet.store, a->fleet.ids, a->fleet.catalogue, a->fleet.packages,
                            actor, feeds::FeedKind::debian, {feed({{"a", "2"}})}, test_epoch)
                    .ok());
  }
  std::size_t finish(Server& server, bool leads) {
    Fleet& fleet = server.fleet;
    return finish_matching(fleet.store, fleet.ids, fleet.catalogue, fleet.packages, leads,
                           test_epoch);
  }
  std::size_t open_findings() {
    return a->fleet.store.read([](store::Reader& reader) {
      std::size_t count = 0;
      for (store::Rows rows = reader.query("SELECT 1 FROM findings"); rows.next();) ++count;
      return count;
    });
  }

  Config config;
};

TEST_F(ImportsOnPostgres, WhatADeadServerStoredBeforeItKnewOfAnImportIsMatched) {
  a->fleet.nodes.renew(test_epoch);
  import();
  report(b->fleet, "web-1");
  ASSERT_EQ(open_findings(), 0U) << "it does not know of the import";
  EXPECT_EQ(finish(*a, true), 0U);
  a->fleet.nodes.renew(test_epoch);
  uptime += limits::node_lease + limits::node_lease_margin;
  a->fleet.nodes.renew(test_epoch);
  EXPECT_EQ(finish(*a, true), 1U);
  EXPECT_EQ(open_findings(), 1U);
  EXPECT_EQ(finish(*a, true), 0U) << "once is enough";
}

TEST_F(ImportsOnPostgres, WhatAServerStoredThatLeftBeforeItKnewOfAnImportIsMatched) {
  import();
  report(b->fleet, "web-1");
  b->fleet.nodes.leave();
  EXPECT_EQ(finish(*a, true), 1U);
  EXPECT_EQ(open_findings(), 1U);
}

TEST_F(ImportsOnPostgres, AServerThatFollowedLeavesNothingToMatch) {
  import();
  report(b->fleet, "web-1");
  EXPECT_EQ(finish(*b, false), 1U);
  EXPECT_EQ(open_findings(), 1U);
  EXPECT_EQ(finish(*a, true), 0U);
  b->fleet.nodes.leave();
  EXPECT_EQ(finish(*a, true), 0U);
}

TEST(Nodes, AnEmbeddedStoreNeedsNoLease) {
  const TestDirectory directory(memory_backed_path());
  SeededRng rng(1);
  Fleet fleet(std::make_unique<store::SqliteDatabase>(directory.path()),
              directory.path() + "/secret", rng, test_epoch);
  EXPECT_TRUE(fleet.nodes.alone());
  EXPECT_TRUE(fleet.nodes.may_serve());
  write_everywhere(fleet.store, fleet.nodes, [&](store::Tx& tx) {
    (void)create_inventory_key(tx, fleet.ids, rng, fleet.credentials, Actor::server(), OrgId{1},
                               "site", 1, test_epoch);
    return true;
  });
  fleet.store.read(
      [](store::Reader& reader) { EXPECT_EQ(store::get_newest_announcement(reader), 0); });
}

}  // namespace
}  // namespace muster::fleet
