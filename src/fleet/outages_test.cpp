// SPDX-License-Identifier: Apache-2.0
#include "fleet/outages.h"

#include <gtest/gtest.h>

#include "fleet/heartbeats.h"
#include "fleet/history.h"
#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using std::chrono::seconds;

/// Agents that beat each minute unless they are away, and a server that looks every 15 s.
class Watched {
 public:
  explicit Watched(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      agents.push_back(fleet.enrol("web-" + std::to_string(i)));
      beat(i);
    }
    rewatch();
  }

  void rewatch() {
    watch.emplace(fleet->store, fleet->ids, fleet->presence, fleet->directory, fleet.config);
  }
  /// A restart after the server was down for `down`, without a flush.
  void restart(Duration down) {
    watch.reset();
    fleet.now = fleet.now + down;
    fleet.reopen();
    rewatch();
  }

  Heartbeat idle() const {
    Heartbeat heartbeat;
    heartbeat.status = "idle";
    heartbeat.agent_version = version;
    heartbeat.vitals = vitals;
    return heartbeat;
  }
  void beat(std::size_t i) { beat(i, idle()); }
  void beat(std::size_t i, const Heartbeat& heartbeat, int copies = 1) {
    const Enrolled& agent = agents.at(i);
    const HeartbeatChange change =
        record_heartbeat(fleet->presence, fleet.config, agent.agent, heartbeat, fleet.now).value();
    if (change.empty()) return;
    for (int copy = 0; copy < copies; ++copy) write(i, heartbeat, change);
  }
  void write(std::size_t i, const Heartbeat& heartbeat, const HeartbeatChange& change) {
    fleet->store.write([&](store::Tx& tx) { write_in(tx, i, heartbeat, change); });
  }
  void write_in(store::Tx& tx, std::size_t i, const Heartbeat& heartbeat,
                const HeartbeatChange& change) {
    const Enrolled& agent = agents.at(i);
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent, 0,
                     fleet.now)
        .value();
    record_heartbeat_change(tx, fleet->ids, fleet->presence, fleet.config, agent.org, agent.agent,
                            agent.host, OwnedHeartbeat(heartbeat), change, fleet.now);
  }
  /// The agent is back, which waits for the next commit: a look joins it.
  void return_in_the_commit_of_the_next_look(std::size_t i) {
    fleet->store.step_writer([this] {
      fleet->store.commit_queued();
      return true;
    });
    const HeartbeatChange change =
        record_heartbeat(fleet->presence, fleet.config, agents.at(i).agent, idle(), fleet.now)
            .value();
    store::Work work = [this, i, change](store::Tx& tx) {
      write_in(tx, i, idle(), change);
      return true;
    };
    store::Done done = [](std::exception_ptr) {};
    ASSERT_TRUE(fleet->store.submit(work, done));
  }

  /// Lets time pass; the first `away` agents are silent.
  void pass(Duration time, std::size_t away) {
    for (Duration done{}; done < time; done += seconds(15)) {
      fleet.now = fleet.now + seconds(15);
      if (done % seconds(60) == Duration(0)) {
        for (std::size_t i = away; i < agents.size(); ++i) beat(i);
      }
      watch->look(fleet.now);
    }
  }
  /// Long enough for a silence to be told.
  void fall_silent(std::size_t away = 1) { pass(seconds(300), away); }

  std::int64_t events(const std::string& type) {
    return fleet->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query("SELECT count(*) FROM events WHERE type = $1", type);
      rows.next();
      return rows.integer(0);
    });
  }
  std::int64_t open_outages() {
    return fleet.count("SELECT count(*) FROM outages WHERE ended_at IS NULL");
  }
  bool silent(std::size_t i) { return fleet->presence.find_agent(agents.at(i).agent)->silent; }
  /// Of the latest event of that type.
  std::string details(const std::string& type) {
    return fleet->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query(
          "SELECT details FROM events WHERE type = $1 ORDER BY event_id DESC LIMIT 1", type);
      return rows.next() ? rows.string(0) : std::string();
    });
  }

  TestFleet fleet;
  std::vector<Enrolled> agents;
  std::optional<OutageWatch> watch;
  std::string version = "1.0.0";
  model::Vitals vitals;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Heartbeat reasoned(const Watched& world, const char* reason, const char* process_start = "") {
  Heartbeat heartbeat = world.idle();
  heartbeat.reconnect_reason = reason;
  heartbeat.process_start_time = process_start;
  return heartbeat;
}

TEST(Outages, ASilenceIsToldOnceWithItsCauseAndItsEndTellsHowLong) {
  Watched world;
  world.vitals.disk_free_mb = 20;
  world.beat(0);
  world.fall_silent();
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 1);
  const std::string went = world.details("went_offline");
  EXPECT_TRUE(has(went, R"("probable_cause": "disk_pressure")")) << went;
  EXPECT_TRUE(has(went, R"("last_system": {"disk_free_mb": 20})")) << went;
  Heartbeat back = reasoned(world, "network_recovery");
  back.reconnect_context = R"({"reason": "network_recovery", "failure_count": 2})";
  world.beat(0, back);
  EXPECT_EQ(world.events("came_online"), 2) << "the first heartbeat was one too";
  const std::string came = world.details("came_online");
  EXPECT_TRUE(has(came, R"("offline_seconds": 600)")) << came;
  EXPECT_TRUE(has(came, R"("probable_cause": "disk_pressure")")) << came;
  EXPECT_TRUE(has(came, back.reconnect_context)) << came;
  world.pass(seconds(600), 0);
  EXPECT_EQ(world.events("went_offline"), 1);
  EXPECT_EQ(world.events("came_online"), 2);
}

TEST(Outages, ARestartRepeatsNothingAndTheServersDowntimeIsNotTheAgents) {
  Watched world(2);
  world.fall_silent(1);
  ASSERT_EQ(world.events("went_offline"), 1);
  world.restart(std::chrono::hours(3));
  world.pass(seconds(150), 1);
  EXPECT_EQ(world.events("went_offline"), 1) << "not a full interval yet";
  world.pass(seconds(600), 1);
  EXPECT_EQ(world.events("went_offline"), 1) << "it was told before the restart";
  world.beat(0);
  EXPECT_EQ(world.events("came_online"), 3) << "though the server has listened for minutes only";
  EXPECT_TRUE(has(world.details("came_online"), R"("server_was_down": true)"));
}

TEST(Outages, WhoDoesNotComeBackAfterTheServersDowntimeIsToldAfterAFullInterval) {
  Watched world;
  world.restart(std::chrono::hours(1));
  world.pass(seconds(225), 1);
  EXPECT_EQ(world.events("went_offline"), 0);
  world.pass(seconds(30), 1);
  EXPECT_EQ(world.events("went_offline"), 1);
}

TEST(Outages, AServerThatStoodStillTellsOfNobody) {
  Watched world(3);
  world.watch->look(world.fleet.now);
  world.fleet.now = world.fleet.now + std::chrono::hours(1);
  world.watch->look(world.fleet.now);
  world.pass(seconds(600), 0);
  EXPECT_EQ(world.events("went_offline") + world.events("group_offline"), 0);
}

TEST(Outages, AReturnBeforeAnybodyLookedIsToldWithItsOutage) {
  Watched world;
  world.fleet.now = world.fleet.now + seconds(200);
  world.beat(0, reasoned(world, "service_restart"), 2);
  EXPECT_EQ(world.events("went_offline"), 1);
  EXPECT_EQ(world.events("came_online"), 2);
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM outages WHERE ended_at IS NULL"), 0);
}

TEST(Outages, AReturnIsNotToldAsASilenceByALookOfTheSameCommit) {
  Watched world;
  world.fleet.now = world.fleet.now + seconds(240);
  world.return_in_the_commit_of_the_next_look(0);
  world.watch->look(world.fleet.now);
  EXPECT_EQ(world.events("went_offline"), 1) << "its return told of it";
  EXPECT_EQ(world.events("came_online"), 2);
  EXPECT_EQ(world.open_outages(), 0);
  EXPECT_FALSE(world.silent(0));
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 2) << "and the next silence is told again";
}

TEST(Outages, WhoReturnsInTheCommitThatTellsOfItsGroupIsNoneOfIt) {
  Watched world(30);
  world.pass(seconds(225), 20);
  ASSERT_EQ(world.events("group_offline"), 0);
  world.fleet.now = world.fleet.now + seconds(15);
  world.return_in_the_commit_of_the_next_look(0);
  world.watch->look(world.fleet.now);
  EXPECT_EQ(world.events("group_offline"), 1);
  const std::string told = world.details("group_offline");
  EXPECT_TRUE(has(told, R"("agents": 19)")) << told;
  EXPECT_FALSE(has(told, world.agents[0].agent.text())) << told;
  EXPECT_EQ(world.open_outages(), 19);
  EXPECT_FALSE(world.silent(0));
}

TEST(Outages, AReturnOutlivesACrashSoThatTheNextSilenceHasABeginningOfItsOwn) {
  Watched world;
  for (std::int64_t silences = 1; silences <= 3; ++silences) {
    world.fall_silent();
    EXPECT_EQ(world.events("went_offline"), silences);
    EXPECT_EQ(world.fleet.count("SELECT count(*) FROM outages WHERE telling <> 'return'"),
              silences);
    world.beat(0);
    const Instant returned = world.fleet.now;
    world.pass(seconds(120), 0);
    world.restart(seconds(1));
    EXPECT_EQ(world.fleet->presence.find_agent(world.agents[0].agent)->last_seen, returned)
        << "what came after it was in memory only";
  }
}

TEST(Outages, AClockThatIsSetBackLosesNoOutageAndTellsNoneTwice) {
  Watched world;
  world.fall_silent();
  world.fleet.now = world.fleet.now - std::chrono::hours(1);
  world.beat(0);
  EXPECT_EQ(world.open_outages(), 0);
  world.pass(std::chrono::minutes(70), 1);
  EXPECT_EQ(world.events("went_offline"), 2);
  EXPECT_EQ(world.open_outages(), 1);
  world.restart(seconds(1));
  EXPECT_TRUE(world.silent(0));
  world.beat(0);
  EXPECT_EQ(world.open_outages(), 0);
  EXPECT_EQ(world.events("went_offline"), 2);
}

TEST(Outages, AClockThatIsSetBackHidesNoSilenceAndRepeatsNoEvent) {
  Watched world(2);
  world.fleet.now = world.fleet.now - std::chrono::hours(1);
  world.watch->look(world.fleet.now);
  world.version = "1.1.0";
  world.pass(std::chrono::minutes(10), 1);
  EXPECT_EQ(world.events("went_offline"), 1);
  EXPECT_EQ(world.events("version_updated"), 1);
  world.restart(seconds(1));
  const auto talks = world.fleet->presence.find_agent(world.agents[1].agent);
  EXPECT_EQ(talks->agent_version, "1.1.0");
  EXPECT_LT(talks->last_seen, world.fleet.now);
}

TEST(Outages, AServerThatStartsWithAClockBehindItsRowsHidesNoSilence) {
  Watched world;
  world.restart(-std::chrono::hours(1));
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 1);
  world.restart(seconds(1));
  EXPECT_LT(world.fleet->presence.find_agent(world.agents[0].agent)->last_seen, world.fleet.now);
}

TEST(Outages, AReturnThatAnotherServerToldDoesNotHideTheNextSilence) {
  Watched world;
  world.fall_silent();
  world.fleet->store.write(
      [&](store::Tx& tx) { tx.execute("UPDATE outages SET ended_at = $1", world.fleet.now); });
  for (int i = 0; i < 14; ++i) {
    world.fleet.now = world.fleet.now + seconds(15);
    world.fleet->presence.touch_agent(world.agents[0].agent, world.fleet.now);
    world.watch->look(world.fleet.now);
  }
  EXPECT_FALSE(world.silent(0));
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 2);
}

TEST(Outages, AReasonThatIsRepeatedUntilItIsAnsweredIsOneReturn) {
  Watched world;
  const auto attempt = [&](const char* process, const char* reason = "service_restart") {
    world.fleet.now = world.fleet.now + seconds(5);
    world.beat(0, reasoned(world, reason, process), 2);
  };
  attempt("A");
  attempt("A");
  EXPECT_EQ(world.events("came_online"), 2);
  world.restart(seconds(5));
  attempt("A");
  EXPECT_EQ(world.events("came_online"), 2) << "the answer died with the server";
  attempt("B");
  EXPECT_EQ(world.events("came_online"), 3) << "another process";
  world.beat(0);
  attempt("B");
  EXPECT_EQ(world.events("came_online"), 3) << "a late copy";
  attempt("", "unknown");
  EXPECT_EQ(world.events("came_online"), 4);
  world.fleet.now = world.fleet.now + seconds(60);
  world.beat(0);
  attempt("", "unknown");
  EXPECT_EQ(world.events("came_online"), 5) << "it had its answer in between";
  EXPECT_EQ(world.events("went_offline"), 0) << "each was away for seconds";
}

TEST(Outages, ARestartIntoAnotherVersionIsAnUpdateWhateverTheAgentSays) {
  Watched world;
  world.version = "1.1.0";
  world.fleet.now = world.fleet.now + seconds(20);
  world.beat(0, reasoned(world, "service_restart"), 2);
  const std::string came = world.details("came_online");
  EXPECT_TRUE(has(came, R"("reconnect_reason": "update_restart")")) << came;
  EXPECT_TRUE(has(came, R"("reported_reason": "service_restart")")) << came;
  EXPECT_EQ(world.events("version_updated"), 1);
}

TEST(Outages, ADisabledAgentIsNotToldOf) {
  Watched world;
  world.fleet->store.write([&](store::Tx& tx) {
    set_agent_disabled(tx, world.fleet->ids, world.fleet->credentials, world.fleet.actor,
                       TestFleet::org, world.agents[0].agent, true, world.fleet.now)
        .value();
  });
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 0);
}

TEST(Outages, ManyThatFallSilentTogetherAreOneEventAndSoIsTheirReturn) {
  Watched world(30);
  world.fall_silent(20);
  EXPECT_EQ(world.events("group_offline"), 1);
  EXPECT_EQ(world.events("went_offline"), 0);
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM outages WHERE telling = 'group'"), 20);
  const std::string told = world.details("group_offline");
  EXPECT_TRUE(has(told, R"("scope": "organisation", "agents": 20)")) << told;
  EXPECT_TRUE(has(told, world.agents[0].agent.text())) << told;
  world.restart(seconds(10));
  for (std::size_t i = 3; i < 20; ++i) world.beat(i);
  world.watch->look(world.fleet.now);
  EXPECT_EQ(world.events("group_online"), 0) << "17 of 20";
  world.beat(2);
  world.watch->look(world.fleet.now);
  world.watch->look(world.fleet.now);
  EXPECT_EQ(world.events("group_online"), 1) << "nine in ten are back";
  EXPECT_TRUE(has(world.details("group_online"), R"("returned": 18)"));
  EXPECT_EQ(world.events("came_online"), 30) << "their first heartbeats only";
  world.beat(1);
  EXPECT_EQ(world.events("came_online"), 31) << "who comes later is told alone";
}

TEST(Outages, TheListOfAgentsKnowsWhoIsFlappingWhetherOnlineOrNot) {
  Watched world(2);
  const auto listed = [&](std::optional<model::Presence> presence, bool flapping) {
    AgentQuery query;
    query.presence = presence;
    query.flapping = flapping;
    return list_agent_page(world.fleet->store, world.fleet->presence, world.fleet.config, query, "",
                           10, world.fleet.now)
        .value();
  };
  EXPECT_TRUE(listed({}, true).agents.empty());
  for (int i = 0; i < 4; ++i) {
    world.fall_silent(1);
    if (i < 3) world.beat(0);
  }
  ASSERT_EQ(listed({}, true).agents.size(), 1U);
  EXPECT_EQ(listed({}, true).agents[0].agent.id, world.agents[0].agent);
  EXPECT_EQ(listed(model::Presence::offline, true).total.value, 1);
  EXPECT_EQ(listed(model::Presence::online, true).total.value, 0);
  world.beat(0);
  EXPECT_EQ(listed(model::Presence::online, true).total.value, 1) << "both are true of it";
  EXPECT_EQ(listed({}, false).agents.at(0).agent.id, world.agents[1].agent);
}

TEST(Outages, WhoComesAndGoesTooOftenIsFlappingAndQuietUntilItIsCalm) {
  Watched world(2);
  const auto bounce = [&] {
    world.fall_silent(1);
    world.beat(0);
  };
  for (int i = 0; i < 3; ++i) bounce();
  EXPECT_EQ(world.events("flapping_started"), 1);
  EXPECT_TRUE(world.fleet->presence.find_agent(world.agents[0].agent)->flapping);
  const auto told = world.events("went_offline") + world.events("came_online");
  for (int i = 0; i < 3; ++i) bounce();
  EXPECT_EQ(world.events("went_offline") + world.events("came_online"), told);
  EXPECT_EQ(world.events("flapping_started"), 1);
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM outages"), 6) << "each is kept";
  world.restart(seconds(1));
  EXPECT_TRUE(world.fleet->presence.find_agent(world.agents[0].agent)->flapping);
  world.pass(std::chrono::minutes(70), 0);
  EXPECT_EQ(world.events("flapping_stopped"), 1);
  EXPECT_FALSE(world.fleet->presence.find_agent(world.agents[0].agent)->flapping);
  bounce();
  EXPECT_EQ(world.events("went_offline") + world.events("came_online"), told + 2);
}

TEST(Outages, WhoTalksWithoutAHeartbeatIsBackAfterAnInterval) {
  Watched world;
  world.fall_silent();
  const auto before = world.events("came_online");
  for (int i = 0; i < 14; ++i) {
    world.fleet.now = world.fleet.now + seconds(15);
    world.fleet->presence.touch_agent(world.agents[0].agent, world.fleet.now);
    world.watch->look(world.fleet.now);
  }
  EXPECT_EQ(world.events("came_online"), before + 1);
  world.restart(seconds(1));
  world.fall_silent();
  EXPECT_EQ(world.events("went_offline"), 2) << "another outage, with a beginning of its own";
}

TEST(Outages, ArePrunedWithTheEventsAndNeverBeforeTheirTime) {
  Watched world;
  world.fall_silent();
  world.beat(0);
  const auto rows = [&] {
    return world.fleet.count(
        "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM outages)");
  };
  const std::int64_t all = rows();
  const Duration keep = std::chrono::hours(24);
  world.fleet.now = test_epoch + keep;
  EXPECT_EQ(prune_events(world.fleet->store, keep, world.fleet.now), 0);
  EXPECT_EQ(rows(), all);
  EXPECT_EQ(prune_events(world.fleet->store, keep, world.fleet.now + std::chrono::hours(1)), all);
  EXPECT_EQ(rows(), 0);
}

TEST(Outages, AStoreThatFailsDelaysTheTellingAndRepeatsNothing) {
  Watched world;
  world.fleet.faults->refuse("INSERT INTO events");
  world.fleet.now = world.fleet.now + seconds(300);
  EXPECT_THROW(world.watch->look(world.fleet.now), store::StoreError);
  EXPECT_FALSE(world.fleet->presence.find_agent(world.agents[0].agent)->silent);
  world.fleet.faults->cancel();
  EXPECT_EQ(world.watch->look(world.fleet.now).outages, 1U);
  EXPECT_TRUE(world.watch->look(world.fleet.now).empty());
}

}  // namespace
}  // namespace muster::fleet
