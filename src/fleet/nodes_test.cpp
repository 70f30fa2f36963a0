// SPDX-License-Identifier: Apache-2.0
#include "fleet/nodes.h"

#include <map>
#include <stdexcept>

#include <gtest/gtest.h>

#include "base/text.h"
#include "fleet/clones.h"
#include "fleet/operators.h"
#include "fleet/sign_in.h"
#include "fleet/splits.h"
#include "fleet/testing.h"
#include "fleet/writes.h"
#include "store/sql/keys.h"
#include "store/sql/nodes.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::fleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Servers on one PostgreSQL database, on a clock that moves when one of them waits.
class NodesOnPostgres : public testing::Test {
 protected:
  static constexpr OrgId org{1};

  struct Server {
    explicit Server(NodesOnPostgres& world)
        : fleet(world.database->open(), world.directory.path() + "/secret", world.rng, test_epoch,
                {[&world] { return world.uptime; },
                 [&world](Duration time) {
                   world.uptime += time;
                   world.waited += time;
                   if (world.while_waiting) world.while_waiting();
                 }}) {
      fleet.nodes.join(test_epoch);
    }
    Fleet fleet;
  };

  void SetUp() override {
    if (!store::testing::available(store::Engine::postgres)) {
      GTEST_SKIP() << store::testing::not_available;
    }
    database.emplace(store::Engine::postgres);
    a.emplace(*this);
    b.emplace(*this);
  }

  /// What `server` accepts, by name.
  static std::map<std::string, std::string> accepted(const Fleet& fleet) {
    std::map<std::string, std::string> all;
    fleet.credentials.agents.for_each([&](const auto& hash, const AgentCredential& entry) {
      all["agent " + to_hex(hash.bytes)] =
          entry.agent.text() + " " + std::to_string(entry.generation) + " " +
          std::to_string(entry.offered) + (entry.disabled ? " disabled" : "") +
          (entry.first_use ? " first" : "") + (entry.splitting ? " splitting" : "") +
          (entry.alias ? " alias " + entry.alias->text() : "");
    });
    fleet.credentials.inventory_keys.for_each([&](const auto& hash, const auto& entry) {
      all["key " + to_hex(hash.bytes)] = std::to_string(entry.scopes);
    });
    fleet.credentials.operators.for_each([&](const auto& hash, const auto& entry) {
      all["operator " + to_hex(hash.bytes)] = http::role_name(entry.role);
    });
    fleet.credentials.sessions.for_each([&](const auto& hash, const auto& entry) {
      all["session " + to_hex(hash.bytes)] = http::role_name(entry.role);
    });
    fleet.credentials.sign_in_links.for_each([&](const auto& hash, const auto& entry) {
      all["link " + to_hex(hash.bytes)] = std::to_string(entry.operator_id.value);
    });
    fleet.credentials.enrolment_tokens.for_each([&](const auto& hash, const auto& entry) {
      all["token " + to_hex(hash.bytes)] = std::to_string(entry.expires_at.unix_ms);
    });
    return all;
  }

  /// After a change on `a`: once `b` has followed, it accepts what `a` does, and so does a server
  /// that starts now.
  void expect_followed(const std::string& what) {
    b->fleet.nodes.renew(test_epoch);
    EXPECT_EQ(accepted(b->fleet), accepted(a->fleet)) << what;
    const Fleet fresh(database->open(), directory.path() + "/secret", rng, test_epoch);
    EXPECT_EQ(accepted(fresh), accepted(a->fleet)) << what;
  }

  template <typename F>
  auto write(F&& work) {
    return a->fleet.store.write(std::forward<F>(work));
  }
  /// Each step of signing in, and the end of the operator.
  void expect_sign_ins_followed(OperatorId person) {
    Fleet& fleet = a->fleet;
    const auto make_link = [&] {
      return write([&](store::Tx& tx) {
               return create_sign_in_link(tx, fleet.ids, rng, fleet.credentials, person,
                                          test_epoch);
             })
          .value();
    };
    const auto enter = [&](const CreatedLink& link) {
      return write([&](store::Tx& tx) {
               return sign_in(tx, fleet.ids, rng, fleet.credentials, Config{}, link.secret,
                              "192.0.2.1", test_epoch);
             })
          .value();
    };
    const CreatedLink first = make_link();
    expect_followed("a sign-in link");
    const SignedIn session = enter(first);
    expect_followed("a sign-in");
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return end_session(tx, fleet.ids, fleet.credentials, {person, {}},
                                     session.session.id, test_epoch);
                }).ok());
    expect_followed("a sign-out");
    enter(make_link());
    make_link();
    expect_followed("another session, and a link that waits");
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return revoke_operator(tx, fleet.ids, fleet.credentials, actor, http::Role::owner,
                                         person, test_epoch);
                }).ok());
    expect_followed("an operator's end");
  }

  CreatedKey create_key() {
    return write([&](store::Tx& tx) {
      return create_inventory_key(tx, a->fleet.ids, rng, a->fleet.credentials, actor, org, "site",
                                  1, test_epoch);
    });
  }
  void revoke(KeyId key) {
    write_everywhere(a->fleet.store, a->fleet.nodes, [&](store::Tx& tx) {
      return revoke_inventory_key(tx, a->fleet.ids, a->fleet.credentials, actor, key, test_epoch)
          .ok();
    });
  }
  bool accepts(const Server& server, const CreatedKey& key) {
    return server.fleet.credentials.inventory_keys.find(server.fleet.credentials.hash(key.key))
        .has_value();
  }

  std::optional<store::testing::TestDatabase> database;
  TestDirectory directory{memory_backed_path()};
  SeededRng rng{1};
  const Actor actor = Actor::operator_token(OperatorId{1});
  model::Uptime uptime = seconds(1000);
  Duration waited{0};
  std::function<void()> while_waiting;
  std::optional<Server> a;
  std::optional<Server> b;
};

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
      ASSERT_TRUE(store::renew_node(tx, b->fleet.store.node(), 0, test_epoch));
    });
  };
  EXPECT_THROW(revoke(key.id), store::StoreError);
  while_waiting = [&] { b->fleet.nodes.renew(test_epoch); };
  revoke(key.id);  // asked again: it was done, and now it is waited for
  EXPECT_FALSE(accepts(*b, key));
}

TEST_F(NodesOnPostgres, ASecondServerIsRefusedWhileTheFirstLives) {
  b->fleet.nodes.leave();
  while_waiting = [&] { a->fleet.nodes.renew(test_epoch); };
  EXPECT_THROW(b->fleet.nodes.refuse_company(), std::runtime_error);
  while_waiting = {};
  waited = Duration(0);
  b->fleet.nodes.refuse_company();  // it crashed: one lease later its place is free
  EXPECT_GE(waited, limits::node_lease);
  a->fleet.nodes.leave();
  waited = Duration(0);
  b->fleet.nodes.refuse_company();
  EXPECT_EQ(waited, Duration(0));
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
