// SPDX-License-Identifier: Apache-2.0
#include "fleet/samples.h"

#include <gtest/gtest.h>

#include "fleet/heartbeats.h"
#include "fleet/outages.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// Agents that beat each minute, and a server that looks every 15 s and flushes every 300 s.
class Sampled {
 public:
  explicit Sampled(int count = 1) {
    for (int i = 0; i < count; ++i) {
      agents.push_back(fleet.enrol("web-" + std::to_string(i)));
      beat(agents.back());
    }
    rewatch();
  }

  void rewatch() {
    watch.emplace(fleet->store, fleet->ids, fleet->presence, fleet->directory, fleet.config);
  }

  void beat(const Enrolled& agent) {
    Heartbeat heartbeat;
    heartbeat.status = "idle";
    heartbeat.agent_version = "1.0.0";
    heartbeat.vitals.memory_mb = static_cast<double>(fleet.now.unix_ms / 60'000 % 1000);
    const HeartbeatChange change =
        record_heartbeat(fleet->presence, fleet.config, agent.agent, heartbeat, fleet.now).value();
    if (change.empty()) return;
    fleet->store.write([&](store::Tx& tx) {
      record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, agent.org, agent.agent,
                       0, fleet.now)
          .value();
      record_heartbeat_change(tx, fleet->ids, fleet->presence, fleet.config, agent.org, agent.agent,
                              agent.host, OwnedHeartbeat(heartbeat), change, fleet.now);
    });
  }

  void pass(Duration time, bool talking = true) {
    for (Duration done{}; done < time; done += seconds(15)) {
      fleet.now = fleet.now + seconds(15);
      if (talking && done % minutes(1) == Duration(0)) {
        for (const Enrolled& agent : agents) beat(agent);
      }
      watch->look(fleet.now);
      if (flushes && done % minutes(5) == Duration(0)) fleet->presence.flush(fleet->store);
    }
  }

  SampleHistory history(Duration back = std::chrono::hours(24 * 7)) {
    return list_samples(fleet->store, fleet->presence, TestFleet::org, agents[0].agent,
                        fleet.now - back);
  }
  std::vector<std::int64_t> sampled_minutes() {
    std::vector<std::int64_t> minutes_of;
    for (const model::Sample& sample : history().samples) minutes_of.push_back(sample.minute);
    return minutes_of;
  }
  AgentPresence state() { return fleet->presence.find_agent(agents[0].agent).value(); }
  std::string waiting() { return state().samples; }
  std::int64_t blocks() { return fleet.count("SELECT count(*) FROM sample_blocks"); }

  TestFleet fleet;
  std::vector<Enrolled> agents;
  std::optional<OutageWatch> watch;
  bool flushes = true;
};

TEST(Samples, OneIsTakenEveryFiveMinutesOfWhatTheAgentSaid) {
  Sampled world;
  world.pass(minutes(600));
  const auto samples = world.history().samples;
  ASSERT_GE(samples.size(), 120U);
  ASSERT_LE(samples.size(), 121U);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].minute - samples[i - 1].minute, 5);
    EXPECT_EQ(samples[i].vitals.memory_mb, static_cast<double>(samples[i].minute % 1000));
    EXPECT_EQ(samples[i].vitals.cpu_percent, -1) << "it never said so";
  }
}

TEST(Samples, AHeartbeatWritesNoHistoryRow) {
  Sampled world;
  const auto presence_row = [&] {
    return world.fleet.count(
        "SELECT count(*) FROM agent_presence WHERE open_samples IS NOT NULL"
        " AND length(open_samples) > 0");
  };
  const std::string rows = world.fleet.database.rows();
  for (int i = 0; i < 200; ++i) {
    world.fleet.now = world.fleet.now + minutes(1);
    world.beat(world.agents[0]);
  }
  EXPECT_EQ(world.fleet.database.rows(), rows);
  EXPECT_EQ(world.waiting(), "") << "nor keeps anything";
  world.watch->look(world.fleet.now);
  EXPECT_EQ(world.fleet.database.rows(), rows) << "a look keeps it in memory";
  world.fleet->presence.flush(world.fleet->store);
  EXPECT_EQ(presence_row(), 1);
}

TEST(Samples, SilenceIsAGapAndNoRepetition) {
  Sampled world;
  world.pass(minutes(60));
  const auto before = world.sampled_minutes().size();
  world.pass(minutes(60), false);
  EXPECT_LE(world.sampled_minutes().size(), before + 1);
  world.pass(minutes(60));
  const auto all = world.sampled_minutes();
  std::int64_t widest = 0;
  for (std::size_t i = 1; i < all.size(); ++i) widest = std::max(widest, all[i] - all[i - 1]);
  EXPECT_GE(widest, 59);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST(Samples, ACrashLosesWhatCameAfterTheLastFlushAndNothingElse) {
  Sampled world;
  world.pass(minutes(300));
  world.fleet->presence.flush(world.fleet->store);
  const auto before = world.sampled_minutes();
  EXPECT_GT(world.blocks(), 0);
  world.watch.reset();
  world.fleet.reopen();
  world.rewatch();
  EXPECT_EQ(world.sampled_minutes(), before);
  world.pass(minutes(60));
  const auto after = world.sampled_minutes();
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
  EXPECT_GE(after.size(), before.size() + 11);
}

TEST(Samples, AFlushThatFailsAnywhereLosesAndRepeatsNothing) {
  Sampled world;
  world.pass(minutes(60));
  world.flushes = false;
  world.pass(minutes(240));
  const auto all = world.sampled_minutes();
  ASSERT_GE(model::split_segments(world.waiting()).size(), 2U) << "something is full";
  const std::string rows = world.fleet.database.rows();
  const std::string waiting = world.waiting();
  int n = 1;
  for (;; ++n) {
    world.fleet.faults->arrange(n, store::testing::Faults::How::fail);
    try {
      world.fleet->presence.flush(world.fleet->store);
      EXPECT_TRUE(world.fleet.faults->cancel());
      break;
    } catch (const store::StoreError&) {
      ASSERT_FALSE(world.fleet.faults->cancel());
    }
    ASSERT_EQ(world.fleet.database.rows(), rows) << n;
    ASSERT_EQ(world.waiting(), waiting) << n;
  }
  EXPECT_GT(n, 5);
  EXPECT_EQ(model::split_segments(world.waiting()).size(), 1U) << "only the open one is kept";
  EXPECT_EQ(world.sampled_minutes(), all);
}

TEST(Samples, ASegmentThatIsBothOpenAndInABlockIsReadOnce) {
  Sampled world;
  world.pass(minutes(60));
  world.flushes = false;
  world.pass(minutes(240));
  const auto all = world.sampled_minutes();
  // As a crash leaves it when a heartbeat wrote presence in the commit of the flush.
  const std::string waiting = world.waiting();
  world.fleet->presence.flush(world.fleet->store);
  world.fleet->presence.with_agent(world.agents[0].agent,
                                   [&](AgentPresence& state) { state.samples = waiting; });
  EXPECT_EQ(world.sampled_minutes(), all);
  world.fleet->presence.with_agent(world.agents[0].agent,
                                   [&](AgentPresence& state) { state.dirty = true; });
  world.fleet->presence.flush(world.fleet->store);
  EXPECT_EQ(world.sampled_minutes(), all) << "also once it is in a block twice";
}

TEST(Samples, WhileTheStoreIsAwayOnlyTheLastHoursWait) {
  Sampled world;
  world.flushes = false;
  world.pass(std::chrono::hours(24 * 3));
  EXPECT_LE(world.waiting().size(), limits::waiting_sample_bytes);
  EXPECT_GE(world.history().samples.size(), 60U) << "five hours at least";
  EXPECT_EQ(world.history().samples.back().minute, world.state().sampled_minute) << "the newest";
}

TEST(Samples, SegmentsOfManyAgentsAreNotFullAtTheSameTime) {
  Sampled world(64);
  world.pass(std::chrono::hours(6));
  // Of 64 agents, 4 are due in each flush; that 20 are would be no chance.
  std::int64_t most = 0;
  for (int i = 0; i < 16; ++i) {
    world.flushes = false;
    world.pass(minutes(5));
    std::int64_t due = 0;
    for (const Enrolled& agent : world.agents) {
      const auto state = world.fleet->presence.find_agent(agent.agent);
      if (model::split_segments(state->samples).size() > 1) ++due;
    }
    world.fleet->presence.flush(world.fleet->store);
    most = std::max(most, due);
  }
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 20);
}

TEST(Samples, AreThinnedForALongHistoryAndPruned) {
  Sampled world;
  world.fleet.config.history_sample_seconds = 60;
  world.pass(std::chrono::hours(48));
  const SampleHistory history = world.history();
  EXPECT_EQ(history.every, 2U);
  EXPECT_LE(history.samples.size(), limits::history_points);
  EXPECT_GT(history.samples.size(), 1300U);
  EXPECT_EQ(history.samples.back().minute, world.state().sampled_minute) << "with the newest";
  EXPECT_EQ(world.history(minutes(60)).every, 1U);
  EXPECT_LE(world.history(minutes(60)).samples.size(), 61U);
  const std::int64_t blocks = world.blocks();
  EXPECT_EQ(prune_samples(world.fleet->store, std::chrono::hours(24 * 3), world.fleet.now), 0);
  const auto all = world.sampled_minutes();
  EXPECT_GE(prune_samples(world.fleet->store, std::chrono::hours(24), world.fleet.now), 1);
  EXPECT_LT(world.blocks(), blocks);
  const auto left = world.sampled_minutes();
  EXPECT_EQ(left.back(), all.back());
  EXPECT_GT(left.front(), all.front()) << "the oldest went";
  EXPECT_LE(left.front(), world.fleet.now.unix_ms / 60'000 - 24 * 60) << "and none too many";
}

}  // namespace
}  // namespace muster::fleet
