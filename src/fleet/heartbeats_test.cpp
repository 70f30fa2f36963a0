// SPDX-License-Identifier: Apache-2.0
#include "fleet/heartbeats.h"

#include <map>

#include <gtest/gtest.h>

#include "fleet/hosts.h"
#include "fleet/testing.h"
#include "model/vitals.h"
#include "store/sql/agents.h"

namespace muster::fleet {
namespace {

Heartbeat idle() {
  Heartbeat heartbeat;
  heartbeat.status = "idle";
  heartbeat.agent_version = "1.0.0";
  return heartbeat;
}

/// A heartbeat as its endpoint takes it; what had to be durable comes back.
HeartbeatChange beat(TestFleet& fleet, const Enrolled& agent, const Heartbeat& heartbeat) {
  const HeartbeatChange change =
      record_heartbeat(fleet->presence, fleet.config, agent.agent, heartbeat, fleet.now).value();
  if (!change.empty()) {
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       0, fleet.now)
          .value();
      record_heartbeat_change(tx, fleet->ids, fleet->presence, fleet.config, agent.org, agent.agent,
                              agent.host, OwnedHeartbeat(heartbeat), change, fleet.now);
    });
  }
  return change;
}

std::int64_t events(TestFleet& fleet) {
  return fleet.count("SELECT count(*) FROM events WHERE type <> 'enrolled'");
}

std::int64_t calls_to_write(TestFleet& fleet) {
  return fleet.faults->calls();
}

struct Alive {
  TestFleet fleet;
  Enrolled agent = fleet.enrol("web-1");
  Alive() { beat(fleet, agent, idle()); }
};

TEST(Heartbeat, TheFirstIsDurableAndAnEvent) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  EXPECT_TRUE(beat(fleet, agent, idle()).came_online);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'came_online'"), 1);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM agent_presence"), 1);
  EXPECT_TRUE(beat(fleet, agent, idle()).empty());
}

TEST(Heartbeat, AnotherCallBeforeItDoesNotHideItsEvent) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  fleet->store.write([&](store::Tx& tx) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent, 0,
                     fleet.now)
        .value();
  });
  EXPECT_TRUE(beat(fleet, agent, idle()).came_online);
}

TEST(Heartbeat, AnUnchangedOneTouchesNoStore) {
  Alive alive;
  const std::int64_t before = calls_to_write(alive.fleet);
  for (int i = 0; i < 100; ++i) {
    alive.fleet.now = alive.fleet.now + std::chrono::seconds(60);
    Heartbeat heartbeat = idle();
    heartbeat.status = i % 2 == 0 ? "idle" : "error";
    heartbeat.vitals.cpu_percent = i;
    EXPECT_TRUE(beat(alive.fleet, alive.agent, heartbeat).empty()) << i;
  }
  EXPECT_EQ(calls_to_write(alive.fleet), before);
  const auto state = alive.fleet->presence.find_agent(alive.agent.agent);
  EXPECT_EQ(state->last_seen, alive.fleet.now);
  EXPECT_EQ(state->vitals.cpu_percent, 99);
  EXPECT_EQ(state->status, "error");
}

TEST(Heartbeat, WhatAnAgentSaysOfItsConfigurationIsWrittenOnceForEachChange) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  const auto say = [&](std::string_view hash, std::string_view error = {}) {
    fleet.now = fleet.now + std::chrono::seconds(60);
    Heartbeat heartbeat = idle();
    heartbeat.condition.emplace();
    heartbeat.condition->config_hash = hash;
    heartbeat.condition->config_error = error;
    return !beat(fleet, alive.agent, heartbeat).empty();
  };
  const auto shown = [&] {
    const auto view =
        show_agent(fleet->store, fleet->presence, fleet.config, alive.agent.agent, fleet.now);
    if (!view->condition) return std::string("(nothing)");
    const model::AgentCondition& said = view->condition->condition;
    return said.config_hash + "|" + said.config_error;
  };
  EXPECT_FALSE(say("")) << "an agent that has none, and needs none";
  EXPECT_EQ(shown(), "(nothing)");
  EXPECT_TRUE(say("aa"));
  EXPECT_EQ(shown(), "aa|");
  const std::int64_t before = calls_to_write(fleet);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(say("aa"));
  EXPECT_EQ(calls_to_write(fleet), before) << "what does not change touches no store";
  EXPECT_TRUE(say("aa", "poll_seconds: no"));
  EXPECT_FALSE(say("aa", "poll_seconds: no"));
  EXPECT_EQ(shown(), "aa|poll_seconds: no");
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'config_refused'"), 1);
  fleet.reopen();
  EXPECT_FALSE(say("aa", "poll_seconds: no")) << "known after a restart";
  EXPECT_TRUE(say("bb"));
  EXPECT_TRUE(say(""));
  EXPECT_EQ(shown(), "|");
  EXPECT_FALSE(beat(fleet, alive.agent, idle()).condition_changed) << "silence is no word";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'config_refused'"), 1);
}

TEST(Heartbeat, AFailedUpdateIsOneEventForEachThatFails) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  const auto say = [&](const std::string& version, const std::string& error) {
    fleet.now = fleet.now + std::chrono::seconds(60);
    Heartbeat heartbeat = idle();
    heartbeat.condition.emplace();
    heartbeat.condition->update_version = version;
    heartbeat.condition->update_error = error;
    return !beat(fleet, alive.agent, heartbeat).empty();
  };
  const auto events = [&] {
    return fleet.count("SELECT count(*) FROM events WHERE type = 'update_failed'");
  };
  EXPECT_TRUE(say("1.2.0", "it crashed"));
  EXPECT_FALSE(say("1.2.0", "it crashed"));
  EXPECT_EQ(events(), 1);
  EXPECT_TRUE(say("1.3.0", "it crashed"));
  EXPECT_EQ(events(), 2);
  EXPECT_TRUE(say("", "")) << "a later one worked";
  EXPECT_EQ(events(), 2);
}

TEST(Heartbeat, WhatMustBeDurableIs) {
  SeededRng rng;
  const Uuid task = make_uuid7(rng, test_epoch);
  std::map<std::string, std::pair<Heartbeat, Duration>> changes;
  changes["version"] = {idle(), Duration(1)};
  changes["version"].first.agent_version = "1.1.0";
  changes["reason"] = {idle(), Duration(1)};
  changes["reason"].first.reconnect_reason = "network_recovered";
  changes["silence"] = {idle(), Config{}.offline_after()};
  changes["started"] = {idle(), Duration(1)};
  changes["started"].first.current_task = task;
  changes["completed"] = {idle(), Duration(1)};
  changes["completed"].first.last_task_completed = task;
  for (const auto& [name, change] : changes) {
    Alive alive;
    alive.fleet.now = alive.fleet.now + change.second;
    EXPECT_FALSE(beat(alive.fleet, alive.agent, change.first).empty()) << name;
    Heartbeat again = change.first;
    again.reconnect_reason = {};
    EXPECT_TRUE(beat(alive.fleet, alive.agent, again).empty()) << name << " again";
    alive.fleet.reopen();
    EXPECT_EQ(alive.fleet->presence.find_agent(alive.agent.agent)->last_seen, alive.fleet.now)
        << name;
  }
}

TEST(Heartbeat, AVersionChangeIsAnEventWithBothVersions) {
  Alive alive;
  Heartbeat heartbeat = idle();
  heartbeat.agent_version = "1.1.0";
  beat(alive.fleet, alive.agent, heartbeat);
  EXPECT_EQ(alive.fleet.count("SELECT count(*) FROM events WHERE type = 'version_updated' AND"
                              " details = '{\"from\": \"1.0.0\", \"to\": \"1.1.0\"}'"),
            1);
}

TEST(Heartbeat, ALateOneDoesNotMoveLastSeenBack) {
  Alive alive;
  const Instant latest = alive.fleet.now;
  alive.fleet.now = latest - std::chrono::seconds(30);
  Heartbeat late = idle();
  late.status = "error";
  beat(alive.fleet, alive.agent, late);
  late.agent_version = "0.9.0";
  beat(alive.fleet, alive.agent, late);
  const auto state = alive.fleet->presence.find_agent(alive.agent.agent);
  EXPECT_EQ(state->last_seen, latest);
  EXPECT_EQ(state->status, "idle");
  EXPECT_EQ(state->agent_version, "1.0.0");
  alive.fleet->presence.flush(alive.fleet->store);
  alive.fleet.reopen();
  EXPECT_EQ(alive.fleet->presence.find_agent(alive.agent.agent)->last_seen, latest);
}

TEST(Heartbeat, TheServersOwnSilenceIsNotTheAgents) {
  Alive alive;
  const std::int64_t before = events(alive.fleet);
  alive.fleet.now = alive.fleet.now + std::chrono::hours(10);
  alive.fleet.reopen();
  alive.fleet.now = alive.fleet.now + std::chrono::seconds(60);
  EXPECT_TRUE(beat(alive.fleet, alive.agent, idle()).empty());
  EXPECT_EQ(events(alive.fleet), before);
}

TEST(Heartbeat, OfAnAgentThatWasSupersededMeanwhileIsRefused) {
  Alive alive;
  alive.fleet->presence.remove_agent(alive.agent.agent);
  const auto outcome = record_heartbeat(alive.fleet->presence, alive.fleet.config,
                                        alive.agent.agent, idle(), alive.fleet.now);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::invalid_credentials);
}

// --- Presence --------------------------------------------------------------------------------

model::Presence presence_of(TestFleet& fleet, const Enrolled& agent) {
  return show_agent(fleet->store, fleet->presence, fleet.config, agent.agent, fleet.now)
      .value()
      .presence;
}

TEST(Pace, IsSpreadEvenlyOverTheAgentsAndTheSameForEachOfThem) {
  SeededRng rng(1);
  const Config config;
  std::map<std::int64_t, int> agents;
  constexpr int fleet = 61 * 100;
  for (int i = 0; i < fleet; ++i) {
    // Enrolled together: only the random part of their ids differs.
    const AgentId agent{make_uuid7(rng, test_epoch)};
    const std::int64_t seconds = seconds_to_leave(config, agent);
    EXPECT_EQ(seconds_to_leave(config, agent), seconds);
    ++agents[seconds];
  }
  EXPECT_EQ(agents.begin()->first, 60);
  EXPECT_EQ(agents.rbegin()->first, 120);
  EXPECT_EQ(agents.size(), 61U);
  for (const auto& [second, count] : agents) {
    EXPECT_GT(count, 50) << second;
    EXPECT_LT(count, 150) << second;
  }
}

TEST(Pace, LeavesTimeBeforeAnAgentCountsAsOffline) {
  SeededRng rng(1);
  for (const std::int64_t offline_after : {10, 60, 180, 400, 86400}) {
    Config config;
    config.presence_offline_after_seconds = offline_after;
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t seconds = seconds_to_leave(config, AgentId{make_uuid7(rng, test_epoch)});
      ASSERT_GE(seconds, 1) << offline_after;
      // A tenth later, as agents come, a quarter of the threshold is left.
      ASSERT_LE(seconds * 11 * 4, offline_after * 10 * 3) << offline_after;
      ASSERT_LT(seconds * 11, limits::idle_timeout / std::chrono::seconds(1) * 10) << offline_after;
    }
  }
}

TEST(Presence, AfterARestartNobodyIsOfflineUntilAFullIntervalPassed) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  EXPECT_EQ(presence_of(fleet, alive.agent), model::Presence::online);
  fleet.now = fleet.now + std::chrono::hours(3);
  EXPECT_EQ(presence_of(fleet, alive.agent), model::Presence::offline) << "the server listened";
  fleet.reopen();
  EXPECT_EQ(presence_of(fleet, alive.agent), model::Presence::unknown);
  fleet.now = fleet.now + fleet.config.offline_after() - Duration(1);
  EXPECT_EQ(presence_of(fleet, alive.agent), model::Presence::unknown);
  fleet.now = fleet.now + Duration(1);
  EXPECT_EQ(presence_of(fleet, alive.agent), model::Presence::offline);
}

TEST(Presence, AFlushThenAReloadIsTheSame) {
  TestFleet fleet;
  std::vector<Enrolled> agents;
  for (int i = 0; i < 20; ++i) {
    agents.push_back(fleet.enrol("web-" + std::to_string(i)));
    if (i % 5 == 0) continue;  // has not called yet
    Heartbeat heartbeat = idle();
    heartbeat.vitals.memory_mb = 1.5 * i;
    if (i % 3 == 0) heartbeat.current_task = make_uuid7(fleet.rng, fleet.now);
    beat(fleet, agents.back(), heartbeat);
    fleet.now = fleet.now + Duration(700);
    heartbeat.vitals.cpu_percent = i;
    EXPECT_TRUE(beat(fleet, agents.back(), heartbeat).empty());
  }
  fleet.report(TestFleet::report_of("printer")).value();
  const HostId printer = fleet->directory.find(TestFleet::org, "", "printer")->id;
  fleet->presence.touch_host(TestFleet::org, printer, "7.7", fleet.now + Duration(900));
  EXPECT_EQ(fleet->presence.flush(fleet->store), 16U + 1U);
  EXPECT_EQ(fleet->presence.flush(fleet->store), 0U) << "nothing changed since";
  std::vector<AgentPresence> before;
  for (const Enrolled& agent : agents) {
    before.push_back(fleet->presence.find_agent(agent.agent).value());
  }
  fleet.reopen();
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const AgentPresence after = fleet->presence.find_agent(agents[i].agent).value();
    EXPECT_EQ(after.called, before[i].called);
    EXPECT_EQ(after.last_seen, before[i].last_seen);
    EXPECT_EQ(after.status, before[i].status);
    EXPECT_EQ(after.current_task, before[i].current_task);
    EXPECT_EQ(after.last_task_completed, before[i].last_task_completed);
    EXPECT_EQ(after.host, before[i].host);
    EXPECT_EQ(encode_vitals(after.vitals), encode_vitals(before[i].vitals));
    EXPECT_EQ(after.agent_version, before[i].called ? before[i].agent_version : "");
  }
  const auto host = fleet->presence.find_host(TestFleet::org, printer);
  EXPECT_EQ(host->last_seen, fleet.now + Duration(900));
  EXPECT_EQ(host->agent_version, "7.7");
}

TEST(Presence, ACrashLosesAtMostWhatWasNotFlushed) {
  Alive alive;
  const Instant durable = alive.fleet.now;
  alive.fleet.now = alive.fleet.now + std::chrono::seconds(60);
  beat(alive.fleet, alive.agent, idle());
  alive.fleet.reopen();
  EXPECT_EQ(alive.fleet->presence.find_agent(alive.agent.agent)->last_seen, durable);
}

TEST(Presence, AFailedFlushIsTriedAgain) {
  Alive alive;
  alive.fleet.now = alive.fleet.now + std::chrono::seconds(60);
  beat(alive.fleet, alive.agent, idle());
  alive.fleet.faults->refuse("INSERT INTO agent_presence");
  EXPECT_THROW(alive.fleet->presence.flush(alive.fleet->store), store::StoreError);
  alive.fleet.faults->cancel();
  EXPECT_EQ(alive.fleet->presence.flush(alive.fleet->store), 1U);
}

TEST(Presence, OfAnAgentThatSaysNothingNewOnlyTheTimeIsWrittenUntilAnHourHasPassed) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  const auto row = [&] {
    return fleet->store.read([&](store::Reader& reader) {
      return store::find_agent_presence(reader, TestFleet::org, alive.agent.agent).value();
    });
  };
  const auto beat_with = [&](double cpu, std::string_view status) {
    fleet.now = fleet.now + std::chrono::minutes(1);
    Heartbeat heartbeat = idle();
    heartbeat.status = status;
    heartbeat.vitals.cpu_percent = cpu;
    EXPECT_TRUE(beat(fleet, alive.agent, heartbeat).empty());
  };
  const auto stored_cpu = [&] { return model::unpack_vitals(row().vitals).value().cpu_percent; };

  beat_with(1, "idle");
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 1U);
  EXPECT_EQ(stored_cpu(), 1) << "the first flush of a server writes all";

  beat_with(2, "idle");
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 1U);
  EXPECT_EQ(stored_cpu(), 1);
  EXPECT_EQ(row().last_seen, fleet.now);
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 0U) << "nothing new";

  beat_with(3, "error");
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 1U);
  EXPECT_EQ(stored_cpu(), 3) << "a row is whole";
  EXPECT_EQ(row().status, "error");

  fleet->presence.set_shared(true);
  beat_with(4, "error");
  fleet->presence.flush_often(fleet->store, fleet.now);
  EXPECT_EQ(stored_cpu(), 3);
  for (int minutes = 0; minutes < 10; ++minutes) beat_with(4, "error");
  fleet->presence.flush_often(fleet->store, fleet.now);
  EXPECT_EQ(stored_cpu(), 4) << "other servers read it";
  fleet->presence.set_shared(false);

  beat_with(5, "error");
  fleet->presence.flush_often(fleet->store, fleet.now);
  EXPECT_EQ(stored_cpu(), 4);
  fleet.now = fleet.now + PresenceTable::rewrite_every;
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 1U)
      << "silent since, but its row has former vitals";
  EXPECT_EQ(stored_cpu(), 5);
}

TEST(Presence, ACrashAfterARowOfTheTimeAloneKeepsTheTime) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  fleet->presence.flush_often(fleet->store, fleet.now);
  fleet.now = fleet.now + std::chrono::minutes(1);
  beat(fleet, alive.agent, idle());
  fleet->presence.flush_often(fleet->store, fleet.now);
  fleet.reopen();
  EXPECT_EQ(fleet->presence.find_agent(alive.agent.agent)->last_seen, fleet.now);
}

TEST(Presence, AFlushOfTimesThatFailsIsTriedAgain) {
  Alive alive;
  TestFleet& fleet = alive.fleet;
  fleet->presence.flush_often(fleet->store, fleet.now);
  fleet.now = fleet.now + std::chrono::minutes(1);
  beat(fleet, alive.agent, idle());
  fleet.faults->refuse("INSERT INTO heard_blocks");
  EXPECT_THROW(fleet->presence.flush_often(fleet->store, fleet.now), store::StoreError);
  fleet.faults->cancel();
  EXPECT_EQ(fleet->presence.flush_often(fleet->store, fleet.now), 1U);
  fleet.reopen();
  EXPECT_EQ(fleet->presence.find_agent(alive.agent.agent)->last_seen, fleet.now);
}

TEST(Presence, VitalsAreShownAsTheyWereSent) {
  model::Vitals vitals;
  vitals.uptime_seconds = 0;
  vitals.cpu_percent = 12.5;
  vitals.total_memory_mb = 1e9;
  EXPECT_EQ(encode_vitals(vitals),
            R"({"uptime_seconds": 0, "cpu_percent": 12.5, "total_memory_mb": 1e+09})");
  EXPECT_EQ(encode_vitals({}), "{}");
}

}  // namespace
}  // namespace muster::fleet
