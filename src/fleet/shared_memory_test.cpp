// SPDX-License-Identifier: Apache-2.0
// What several servers on one database know of each other's work.
#include <optional>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "fleet/agent_keys.h"
#include "fleet/announcements.h"
#include "fleet/blobs.h"
#include "fleet/host_removal.h"
#include "fleet/nodes.h"
#include "fleet/nodes_testing.h"
#include "fleet/tasks.h"
#include "model/package.h"
#include "store/sql/outages.h"

namespace muster::fleet {
namespace {

struct SharedMemoryOnPostgres : NodesOnPostgres {
  Enrolled enrol_at_a() {
    Fleet& fleet = a->fleet;
    const CreatedToken token = write([&](store::Tx& tx) {
      return create_enrolment_token(tx, fleet.ids, rng, fleet.credentials, actor,
                                    {org, std::chrono::hours(24), 5}, test_epoch);
    });
    return write([&](store::Tx& tx) {
             return enrol_agent(tx, fleet.ids, rng, fleet.credentials, fleet.presence,
                                fleet.directory, Config{}, {org, token.id, token.expires_at},
                                TestFleet::request_of("web-1", "machine"), test_epoch);
           })
        .value();
  }
};

TEST_F(SharedMemoryOnPostgres, AWriteSeesInMemoryWhatOthersCommittedBeforeIt) {
  const CreatedKey key = create_key();
  EXPECT_FALSE(accepts(*b, key));
  b->fleet.store.write([&](store::Tx&) { EXPECT_TRUE(accepts(*b, key)); });
  EXPECT_TRUE(accepts(*b, key)) << "although that transaction wrote nothing";
}

TEST_F(SharedMemoryOnPostgres, OneServerLeadsAndTheNextWhenItLeaves) {
  a->fleet.nodes.renew(test_epoch);
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(a->fleet.nodes.leads());
  EXPECT_FALSE(b->fleet.nodes.leads());
  a->fleet.nodes.leave();
  EXPECT_FALSE(a->fleet.nodes.leads());
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.nodes.leads());
}

TEST_F(SharedMemoryOnPostgres, AServerWithoutALeaseDoesNotLead) {
  a->fleet.nodes.renew(test_epoch);
  ASSERT_TRUE(a->fleet.nodes.leads());
  uptime += limits::node_lease;
  EXPECT_FALSE(a->fleet.nodes.leads());
}

TEST_F(SharedMemoryOnPostgres, LimitsAreSharedByTheServersThatLive) {
  const auto renew_both = [&] {
    a->fleet.nodes.renew(test_epoch);
    b->fleet.nodes.renew(test_epoch);
  };
  renew_both();
  for (const Server* server : {&*a, &*b}) {
    EXPECT_EQ(server->fleet.nodes.live(), 2);
    EXPECT_EQ(server->fleet.nodes.share_of(0), 0) << "off stays off";
    EXPECT_EQ(server->fleet.nodes.share_of(60), 30);
    EXPECT_EQ(server->fleet.nodes.share_of(1), 1);
    EXPECT_EQ(server->fleet.nodes.share_of(31), 16);
  }
  // One dies: its part is the other's once its lease is over.
  for (int i = 0; i < 7; ++i) {
    uptime += seconds(1);
    a->fleet.nodes.renew(test_epoch);
  }
  EXPECT_EQ(a->fleet.nodes.live(), 1);
  EXPECT_EQ(a->fleet.nodes.share_of(60), 60);
  renew_both();
  a->fleet.nodes.renew(test_epoch);
  EXPECT_EQ(a->fleet.nodes.live(), 2) << "it came back";
}

TEST_F(SharedMemoryOnPostgres, NobodyIsOfflineForWhatADeadServerHadHeard) {
  const Instant later = test_epoch + std::chrono::hours(1);
  a->fleet.nodes.renew(test_epoch);
  b->fleet.nodes.renew(test_epoch);
  EXPECT_EQ(a->fleet.presence.server_started(), test_epoch);
  EXPECT_EQ(a->fleet.presence.offline_after(Config{}),
            Config{}.offline_after() + 2 * seconds(Config{}.presence_flush_seconds));
  for (int i = 0; i < 7; ++i) {
    uptime += seconds(1);
    a->fleet.nodes.renew(later);
  }
  EXPECT_EQ(a->fleet.presence.server_started(), later);
  EXPECT_EQ(a->fleet.presence.offline_after(Config{}), Config{}.offline_after());
}

TEST_F(SharedMemoryOnPostgres, WhatADeadServerStoredIsLookedAtOnceMore) {
  const auto renew_and_look = [&](int times) {
    for (int i = 0; i < times; ++i) {
      uptime += seconds(1);
      a->fleet.nodes.renew(test_epoch);
    }
    return a->fleet.nodes.had_company();
  };
  EXPECT_TRUE(renew_and_look(1));
  EXPECT_TRUE(renew_and_look(1)) << "for as long as it lives";
  EXPECT_TRUE(renew_and_look(7)) << "it stored something before it died";
  EXPECT_EQ(a->fleet.nodes.live(), 1);
  EXPECT_FALSE(renew_and_look(1));
  // One that came and went between two looks may have stored something too.
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(renew_and_look(9));
  EXPECT_EQ(a->fleet.nodes.live(), 1);
  EXPECT_FALSE(renew_and_look(1));
}

TEST_F(SharedMemoryOnPostgres, WhatWaitsForOthersIsToldOnceTheyFollowOrAreGone) {
  a->fleet.nodes.renew(test_epoch);
  b->fleet.nodes.renew(test_epoch);
  int told = 0;
  (void)create_key();
  a->fleet.nodes.when_followed([&] { ++told; });
  EXPECT_TRUE(a->fleet.nodes.tell_followed());
  EXPECT_EQ(told, 0);
  b->fleet.nodes.renew(test_epoch);
  EXPECT_FALSE(a->fleet.nodes.tell_followed());
  EXPECT_EQ(told, 1);
  // The other is dead: what was made is told all the same, a little later.
  (void)create_key();
  a->fleet.nodes.when_followed([&] { ++told; });
  EXPECT_TRUE(a->fleet.nodes.tell_followed());
  uptime += limits::follow_patience;
  EXPECT_FALSE(a->fleet.nodes.tell_followed());
  EXPECT_EQ(told, 2);
}

TEST_F(SharedMemoryOnPostgres, AKeyIsOfferedOnceEveryServerAcceptsIt) {
  const auto renew_both = [&] {
    a->fleet.nodes.renew(test_epoch);
    b->fleet.nodes.renew(test_epoch);
    a->fleet.nodes.renew(test_epoch);
  };
  const Enrolled agent = enrol_at_a();
  renew_both();
  const OfferedKey offered = write([&](store::Tx& tx) {
    return rotate_agent_key(tx, a->fleet.ids, a->fleet.credentials, actor, org, agent.agent,
                            test_epoch)
        .value();
  });
  const auto offers = [&](Server& server) {
    return may_offer(server.fleet.credentials, server.fleet.nodes, agent.agent, offered.generation);
  };
  const auto accepts = [&](Server& server) {
    const Credentials& credentials = server.fleet.credentials;
    return credentials.agents.find(credentials.hash(offered.key)).has_value();
  };
  EXPECT_FALSE(offers(*a));
  EXPECT_TRUE(a->fleet.nodes.tell_followed());
  EXPECT_FALSE(accepts(*b));
  EXPECT_FALSE(offers(*a)) << "its next call may be one of b";
  b->fleet.nodes.renew(test_epoch);
  a->fleet.nodes.tell_followed();
  EXPECT_TRUE(accepts(*b));
  EXPECT_TRUE(offers(*a));
  EXPECT_FALSE(offers(*b)) << "which asks for itself";
  renew_both();
  b->fleet.nodes.tell_followed();
  EXPECT_TRUE(offers(*b));
  write([&](store::Tx& tx) {
    record_first_use(tx, a->fleet.ids, a->fleet.credentials, a->fleet.presence, org, agent.agent,
                     offered.generation, test_epoch)
        .value();
  });
  EXPECT_FALSE(offers(*a)) << "the offer is over, and another one begins anew";
}

TEST_F(SharedMemoryOnPostgres, AServerThatMissedAnnouncementsHasToStartAnew) {
  const CreatedKey key = create_key();
  a->fleet.store.write([](store::Tx& tx) { tx.execute("DELETE FROM announcements"); });
  (void)create_key();
  EXPECT_THROW(b->fleet.nodes.renew(test_epoch), std::runtime_error);
  EXPECT_THROW(b->fleet.store.write([](store::Tx&) {}), store::StoreError);
}

TEST_F(SharedMemoryOnPostgres, AServerMissesAnnouncementsAlsoWhenNoneIsLeft) {
  (void)create_key();
  a->fleet.store.write([](store::Tx& tx) { tx.execute("DELETE FROM announcements"); });
  EXPECT_THROW(b->fleet.store.write([](store::Tx&) {}), store::StoreError);
  EXPECT_THROW(b->fleet.nodes.renew(test_epoch), std::runtime_error);
}

TEST_F(SharedMemoryOnPostgres, TasksHostsSettingsAndSilenceAreFollowed) {
  Fleet& fleet = a->fleet;
  const Enrolled agent = enrol_at_a();
  b->fleet.nodes.renew(test_epoch);
  ASSERT_TRUE(b->fleet.presence.find_agent(agent.agent).has_value());
  EXPECT_TRUE(b->fleet.directory.find(org, "", "WEB-1").has_value());

  const TaskBoard board = fleet.task_board(rng);
  TaskOrder order(model::TaskType::execute_command);
  order.agents = {agent.agent};
  order.payload.command = "true";
  const auto created = write([&](store::Tx& tx) {
    return create_tasks(tx, board, actor, OperatorId{1}, order, test_epoch).value().ids;
  });
  ASSERT_EQ(created.size(), 1U);
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.presence.find_agent(agent.agent)->has_pending_task);

  write([&](store::Tx& tx) { fleet.settings.force_full_scan(tx, org, agent.host); });
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.settings.of_host(org, agent.host, {}).force_full_scan);
  write([&](store::Tx& tx) { fleet.settings.end_forced_scan(tx, org, agent.host); });
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.settings.all_defaults());

  write([&](store::Tx& tx) {
    store::insert_outages(tx, {{org, agent.agent, agent.host, test_epoch, test_epoch, std::nullopt,
                                "alone", std::nullopt, "", ""}});
    announce_silence(tx, {&agent.agent, 1});
  });
  b->fleet.nodes.renew(test_epoch);
  EXPECT_TRUE(b->fleet.presence.find_agent(agent.agent)->silent);
  write([&](store::Tx& tx) {
    store::end_outage(tx, org, agent.agent, test_epoch, "network");
    const std::vector<AgentId> many(limits::silences_announced_alone + 1, agent.agent);
    announce_silence(tx, many);
  });
  b->fleet.nodes.renew(test_epoch);
  EXPECT_FALSE(b->fleet.presence.find_agent(agent.agent)->silent);

  EXPECT_TRUE(write([&](store::Tx& tx) {
                return decommission_agent(tx, fleet.ids, fleet.credentials, fleet.presence, actor,
                                          org, agent.agent, test_epoch);
              }).ok());
  b->fleet.nodes.renew(test_epoch);
  EXPECT_FALSE(b->fleet.presence.find_agent(agent.agent).has_value());
  ASSERT_TRUE(b->fleet.directory.find(agent.host));
  EXPECT_TRUE(write([&](store::Tx& tx) {
                const Config config;
                return delete_host(tx,
                                   {config, fleet.ids, fleet.catalogue, fleet.packages,
                                    fleet.presence, fleet.directory, fleet.settings, fleet.marks},
                                   fleet.credentials, actor, org, agent.host, test_epoch);
              }).ok());
  b->fleet.nodes.renew(test_epoch);
  EXPECT_FALSE(b->fleet.directory.find(agent.host)) << "deleted";
}

TEST_F(SharedMemoryOnPostgres, WhatOneServerHeardTheOtherReadsAndNeverTakesBack) {
  const Enrolled agent = enrol_at_a();
  b->fleet.nodes.renew(test_epoch);
  const auto hear = [&](Server& server, std::int64_t after) {
    server.fleet.presence.with_agent(agent.agent,
                                     [](AgentPresence& state) { state.called = true; });
    server.fleet.presence.touch_agent(agent.agent, test_epoch + seconds(after));
  };
  const auto merge = [&](Server& server) {
    return server.fleet.store.read(
        [&](store::Reader& reader) { return server.fleet.presence.merge(reader, test_epoch); });
  };
  const auto heard_at = [&](const Server& server) {
    return server.fleet.presence.find_agent(agent.agent)->last_seen;
  };
  hear(*a, 10);
  hear(*b, 20);
  EXPECT_EQ(b->fleet.presence.flush(b->fleet.store), 1U);
  EXPECT_EQ(merge(*a), 1U);
  EXPECT_EQ(heard_at(*a), test_epoch + seconds(20));
  EXPECT_EQ(a->fleet.presence.flush(a->fleet.store), 0U) << "the store has what is later";
  hear(*a, 30);
  EXPECT_EQ(merge(*a), 0U);
  EXPECT_EQ(heard_at(*a), test_epoch + seconds(30));
  a->fleet.presence.flush(a->fleet.store);
  EXPECT_EQ(merge(*b), 1U);
  EXPECT_EQ(heard_at(*b), test_epoch + seconds(30));
}

TEST_F(SharedMemoryOnPostgres, AnAgentThatCallsBothServersInTurnIsWhatItSaidLastOnBoth) {
  const Enrolled agent = enrol_at_a();
  b->fleet.nodes.renew(test_epoch);
  std::int64_t seconds_now = 0;
  for (Server* server : {&*a, &*b}) {
    server->fleet.presence.set_shared(true);
    server->fleet.presence.flush_often(server->fleet.store, test_epoch);  // the next are of times
  }
  const auto say = [&](Server& server, std::string_view status, double cpu) {
    seconds_now += 20;
    server.fleet.presence.with_agent(agent.agent, [&](AgentPresence& state) {
      state.called = true;
      state.status = status;
      state.vitals.cpu_percent = cpu;
    });
    server.fleet.presence.touch_agent(agent.agent, test_epoch + seconds(seconds_now));
  };
  const auto flush = [&](Server& server) {
    server.fleet.presence.flush_often(server.fleet.store, test_epoch + seconds(seconds_now));
  };
  const auto merge = [&](Server& server) {
    server.fleet.store.read(
        [&](store::Reader& reader) { return server.fleet.presence.merge(reader, test_epoch); });
  };
  const auto shown_at = [&](const Server& server) {
    return *server.fleet.presence.find_agent(agent.agent);
  };
  say(*b, "busy", 1);
  flush(*b);
  say(*a, "idle", 2);
  flush(*a);           // the row is idle now, and b does not know
  say(*b, "busy", 3);  // as b wrote it, but not as the row is
  merge(*b);
  flush(*b);
  merge(*a);
  EXPECT_EQ(shown_at(*a).status, "busy");
  EXPECT_EQ(shown_at(*a).last_seen, test_epoch + seconds(60));
  EXPECT_EQ(shown_at(*a).vitals.cpu_percent, 3);

  say(*a, "busy", 4);
  say(*b, "busy", 5);
  flush(*b);  // the time alone
  merge(*a);
  EXPECT_EQ(shown_at(*a).last_seen, test_epoch + seconds(100));
  EXPECT_EQ(shown_at(*a).vitals.cpu_percent, 4) << "later than those of the row";
  EXPECT_EQ(a->fleet.presence.flush(a->fleet.store), 0U) << "it is for b to write what b heard";
}

TEST_F(SharedMemoryOnPostgres, UploadsToTwoServersAtOnceTakeTheRoomThatIsLeftOnce) {
  const auto waits_for_its_turn = [](store::Reader& reader) {
    return reader
        .query(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())")
        .next();
  };
  std::optional<Result<crypto::Sha256>> other;
  std::thread uploads;
  write([&](store::Tx& tx) {
    uploads = std::thread([&] {
      other = store_blob(b->fleet.store, b->fleet.ids, actor, org, "one more", test_epoch);
    });
    while (!waits_for_its_turn(tx)) std::this_thread::yield();
    const store::BlobName large{org, crypto::sha256("large")};
    store::begin_blob(tx, large, loose_blobs_bytes, test_epoch + std::chrono::hours(1));
  });
  uploads.join();
  ASSERT_FALSE(other->ok());
  EXPECT_EQ(other->error().code, Errc::rate_limited);
}

TEST_F(SharedMemoryOnPostgres, APackageOfAnUndoneReportIsNotTakenForAnothersWithItsId) {
  struct Judged {
    PackageId id;
    bool identified;
  };
  const auto judge = [](Server& server, store::Tx& tx, model::Ecosystem ecosystem) {
    model::Package package;
    package.name = "left-pad";
    package.version = "1.0.0";
    package.ecosystem = ecosystem;
    std::string canonical;
    model::append_canonical(canonical, model::view_of(package));
    const auto interned = server.fleet.packages.intern(tx, org, canonical);
    const Verdict& verdict =
        server.fleet.packages.verdict(tx, *server.fleet.catalogue.current(), org, interned.id);
    return Judged{interned.id, verdict.identified};
  };
  Judged undone{};
  EXPECT_THROW(b->fleet.store.write([&](store::Tx& tx) {
    undone = judge(*b, tx, model::Ecosystem::unknown);
    throw std::logic_error("undone");
  }),
               std::logic_error);
  EXPECT_FALSE(undone.identified);
  for (Server* server : {&*a, &*b}) {
    const Judged stored = server->fleet.store.write(
        [&](store::Tx& tx) { return judge(*server, tx, model::Ecosystem::npm); });
    EXPECT_EQ(stored.id, undone.id);
    EXPECT_TRUE(stored.identified);
  }
}

}  // namespace
}  // namespace muster::fleet
