// SPDX-License-Identifier: Apache-2.0
#include "swarm/swarm.h"

#include <cmath>

#include <gtest/gtest.h>

#include "swarm/testing/fake_wire.h"

namespace muster::swarm {
namespace {

using net::ClientFleet;
using testing::FakeWire;

Access access_for(const Scenario& scenario) {
  return {"et_test", std::vector<std::string>(scenario.sites(), "sk_agent_test"), "op_test"};
}

struct Fleet : ::testing::Test {
  FakeWire wire;
  Scenario scenario;
  std::vector<Progress> seconds;

  Fleet() {
    scenario.fleet_agents = 50;
    scenario.fleet_packages = 20;
    scenario.time_ramp_seconds = 5;
    scenario.time_warmup_seconds = 1;
    scenario.time_duration_seconds = 300;
  }
  Outcome run() { return run(wire); }
  Outcome run(FakeWire& on) {
    Swarm swarm(on, scenario, SoftwarePool(scenario), access_for(scenario));
    return swarm.run([&](const Progress& progress) {
      seconds.push_back(progress);
      return true;
    });
  }
};

double figure(const Outcome& outcome, std::string_view name) {
  for (const Figure& each : figures_of(outcome)) {
    if (each.name == name) return each.value.value_or(NAN);
  }
  ADD_FAILURE() << name;
  return NAN;
}

TEST_F(Fleet, EnrolsOnceAndThenBeatsPollsAndReportsAtItsIntervals) {
  scenario.agent_changes_seconds = 100;
  scenario.work_changes_per_day = 0;
  scenario.time_warmup_seconds = 4;  // whoever starts last calls within 3 s
  const Outcome outcome = run();
  EXPECT_EQ(outcome.hosts_up, 50U);
  EXPECT_EQ(outcome.enrolled, 45U);
  EXPECT_EQ(figure(outcome, "errors"), 0);
  EXPECT_EQ(wire.counts["POST /api/agent/enroll"], 45);
  // 45 own agents every 60 and 30 s and 5 hosts of a site, for 300 s, these +-10 %.
  EXPECT_NEAR(static_cast<double>(outcome.measured.of(Kind::heartbeat).calls()), 225, 25);
  EXPECT_NEAR(static_cast<double>(outcome.measured.of(Kind::poll).calls()), 450, 45);
  EXPECT_NEAR(static_cast<double>(outcome.measured.of(Kind::site_heartbeat).calls()), 25, 6);
  // All reported once when they came, and have had nothing to report since.
  EXPECT_EQ(outcome.setup.of(Kind::report).of(End::good), 45U);
  EXPECT_EQ(outcome.setup.of(Kind::site_report).of(End::good), 5U);
  EXPECT_LE(outcome.measured.of(Kind::report).calls(), 3U);
  EXPECT_NEAR(figure(outcome, "p50_ms"), 0.5, 0.02);
  ASSERT_FALSE(seconds.empty());
  EXPECT_EQ(seconds.back().up, 50U);
}

TEST_F(Fleet, WithOneSeedMakesTheSameCallsInTheSameOrder) {
  scenario.work_tasks_per_minute = 600;
  scenario.work_changes_per_day = 2000;
  scenario.work_rebuilds_per_hour = 600;
  scenario.agent_changes_seconds = 20;
  scenario.faults_drops_per_million = 30'000;
  scenario.faults_slow_per_million = 30'000;
  scenario.faults_skew_percent = 20;
  scenario.faults_herd_at_seconds = 50;
  scenario.time_duration_seconds = 100;
  FakeWire again;
  FakeWire other;
  run();
  run(again);
  scenario.fleet_seed = 2;
  run(other);
  ASSERT_GT(wire.calls.size(), 1000U);
  EXPECT_EQ(wire.calls, again.calls);
  EXPECT_NE(wire.calls, other.calls);
}

TEST_F(Fleet, ReportsAsDeltasWhatChangesOnItsHosts) {
  scenario.agent_changes_seconds = 20;
  scenario.work_changes_per_day = 2000;  // about seven a host in 300 s
  int deltas = 0;
  wire.instead = [&](std::uint32_t, const net::ClientRequest& request) {
    deltas += request.body.find("\"software_added\"") != std::string::npos ? 1 : 0;
    return std::nullopt;
  };
  const Outcome outcome = run();
  EXPECT_EQ(figure(outcome, "errors"), 0);
  EXPECT_GT(deltas, 150);
  EXPECT_GT(outcome.measured.of(Kind::site_report).of(End::good), 15U);
}

TEST_F(Fleet, OfASiteReportsBeforeItBeatsAndAgainWhenTheServerForgotIt) {
  scenario.fleet_site_percent = 100;
  std::map<std::uint32_t, std::string> first;
  int full = 0;
  bool forgotten = false;
  wire.instead = [&](std::uint32_t connection, const net::ClientRequest& request) {
    first.emplace(connection, request.target);
    full += request.body.find("\"software\"") != std::string::npos ? 1 : 0;
    const bool beat = request.target == "/api/agent/heartbeat";
    const bool now = beat && !forgotten && wire.now() > Micros(100'000'000);
    forgotten = forgotten || now;
    return now ? std::optional(FakeWire::status(404)) : std::nullopt;
  };
  const Outcome outcome = run();
  ASSERT_EQ(first.size(), 51U);  // with the one for /metrics
  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(first[i], "/api/agent/inventory");
  EXPECT_TRUE(forgotten);
  EXPECT_EQ(full, 51);
  EXPECT_EQ(figure(outcome, "errors"), 1);
  EXPECT_EQ(outcome.hosts_up, 50U);
}

TEST_F(Fleet, EnrolsAgainWhatIsSetUpAnew) {
  scenario.work_rebuilds_per_hour = 3600;
  scenario.agent_heartbeat_seconds = 2;
  // An enrolment takes longer than the time to the next call of the life before it.
  wire.latency = Micros(800'000);
  const Outcome outcome = run();
  EXPECT_GT(outcome.measured.of(Kind::enrolment).of(End::good), 100U);
  EXPECT_EQ(figure(outcome, "errors"), 0);
  EXPECT_EQ(outcome.hosts_up, 50U);
}

TEST_F(Fleet, RunsTheTasksThatItGivesAndReportsTheirResults) {
  scenario.work_tasks_per_minute = 120;
  scenario.work_task_seconds = 3;
  const Outcome outcome = run();
  EXPECT_EQ(figure(outcome, "errors"), 0);
  EXPECT_NEAR(static_cast<double>(outcome.measured.of(Kind::result).of(End::good)), 600, 40);
  // But for those that were under way when the measuring began or ended.
  EXPECT_NEAR(static_cast<double>(outcome.measured.of(Kind::result).calls()),
              static_cast<double>(outcome.measured.of(Kind::announcement).calls()), 6);
  EXPECT_NEAR(figure(outcome, "results_per_second"), 2, 0.2);
  // A poll that could not be wanted while a task ran is not late because of that.
  EXPECT_LT(figure(outcome, "poll_p99_ms"), 5);
  EXPECT_LT(figure(outcome, "lag_p99_ms"), 5);
}

TEST_F(Fleet, CountsALateAnswerAgainstTheCallsThatItHeldUp) {
  // One host whose poll hangs for 100 s of every 130 s: its heartbeats are due meanwhile.
  scenario.fleet_agents = 1;
  scenario.fleet_site_percent = 0;
  scenario.time_ramp_seconds = 0;
  scenario.time_duration_seconds = 2000;
  wire.instead = [&](std::uint32_t, const net::ClientRequest& request) {
    wire.latency = request.target == "/api/agent/tasks" ? Micros(100'000'000) : Micros(500);
    return std::nullopt;
  };
  const Outcome outcome = run();
  EXPECT_EQ(figure(outcome, "errors"), 0);
  // Each was answered half a millisecond after it was sent.
  EXPECT_GT(figure(outcome, "heartbeat_p99_ms"), 10'000);
}

TEST_F(Fleet, TriesAgainAfterDropsAndLosesNothing) {
  scenario.faults_drops_per_million = 100'000;
  scenario.work_tasks_per_minute = 60;
  const Outcome outcome = run();
  EXPECT_GT(wire.cuts, 50);
  std::uint64_t dropped = 0;
  for (const Kind kind : {Kind::heartbeat, Kind::poll, Kind::result, Kind::report}) {
    dropped += outcome.measured.of(kind).of(End::dropped);
  }
  EXPECT_GT(dropped, 30U);
  EXPECT_EQ(figure(outcome, "errors"), 0) << "faults of the scenario are no errors";
  EXPECT_GE(outcome.hosts_up, 48U);
}

TEST_F(Fleet, CountsWhatTheServerDoesNotTakeAsErrorsByKind) {
  int refused = 0;
  wire.instead = [&](std::uint32_t, const net::ClientRequest& request) {
    if (request.target != "/api/agent/tasks" || ++refused > 3)
      return std::optional<FakeWire::Event>();
    if (refused == 1) return std::optional(FakeWire::status(503));
    if (refused == 2) return std::optional(FakeWire::status(429));
    return std::optional(FakeWire::lost(ClientFleet::End::timed_out));
  };
  const Outcome outcome = run();
  EXPECT_EQ(figure(outcome, "errors"), 3);
  const KindTally& polls = outcome.setup.of(Kind::poll);
  EXPECT_EQ(polls.of(End::failed), 1U);
  EXPECT_EQ(polls.of(End::limited), 1U);
  EXPECT_EQ(polls.of(End::timed_out), 1U);
  EXPECT_EQ(outcome.setup.reasons().size(), 3U);
}

TEST_F(Fleet, ComesBackAfterAHerdAndSaysHowLongThatTook) {
  scenario.faults_herd_at_seconds = 60;
  scenario.faults_herd_silence_seconds = 7;
  scenario.faults_herd_spread_seconds = 10;
  const Outcome outcome = run();
  EXPECT_EQ(wire.cuts, 50);
  EXPECT_EQ(outcome.hosts_up, 50U);
  EXPECT_EQ(outcome.enrolled, 45U) << "who has an identity does not enrol again";
  EXPECT_GE(figure(outcome, "all_back_seconds"), 7 + 9);
  // Whose host has started waits for its own turn of the minute.
  EXPECT_LE(figure(outcome, "all_back_seconds"), 7 + 11 + 60);
}

TEST_F(Fleet, SaysHowLongItTookToBeBackAfterTheServerClosedAll) {
  wire.instead = [&, closed = false](std::uint32_t, const net::ClientRequest&) mutable {
    if (!closed && wire.now() > Micros(100'000'000)) {
      closed = true;
      wire.close_idle(50);
    }
    return std::nullopt;
  };
  const Outcome outcome = run();
  EXPECT_EQ(outcome.hosts_up, 50U);
  // Each beats within its minute, and not before it is due.
  EXPECT_GT(figure(outcome, "all_back_seconds"), 5);
  EXPECT_LE(figure(outcome, "all_back_seconds"), 67);
  EXPECT_TRUE(std::isnan(figure(outcome, "offline"))) << "nobody said";
}

TEST_F(Fleet, KeepsTheMostThatTheServerCalledOffline) {
  wire.metrics = {{"muster_agents_offline", "3"}, {"muster_agents_online", "47"}};
  const Outcome outcome = run();
  EXPECT_EQ(figure(outcome, "offline"), 3);
  EXPECT_EQ(outcome.last_online, 47U);
}

TEST_F(Fleet, LooksAtAnswersThoughThousandsOfHostsAreDue) {
  scenario.fleet_agents = 1000;
  scenario.time_ramp_seconds = 0;
  scenario.time_duration_seconds = 1;
  const Outcome outcome = run();
  EXPECT_EQ(outcome.enrolled, 900U);
  EXPECT_LE(wire.most_sends_at_once, 100);
}

TEST_F(Fleet, SlowPeersAndWrongClocksAreOfTheScenario) {
  scenario.faults_slow_per_million = 100'000;
  scenario.faults_slow_seconds = 7;
  scenario.faults_skew_percent = 100;
  std::string stamp;
  wire.instead = [&](std::uint32_t, const net::ClientRequest& request) {
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Request-Timestamp" && stamp.empty()) stamp = value;
    }
    return std::nullopt;
  };
  run();
  EXPECT_EQ(wire.longest_pause, std::chrono::seconds(7));
  EXPECT_NE(stamp.substr(0, 17), "2026-03-21T14:30:");
}

TEST_F(Fleet, EndsWhenItIsToldToAndKeepsWhatItMeasured) {
  scenario.time_warmup_seconds = 4;
  Swarm swarm(wire, scenario, SoftwarePool(scenario), access_for(scenario));
  const Outcome outcome =
      swarm.run([](const Progress& progress) { return progress.seconds < 100; });
  EXPECT_NEAR(outcome.measured_seconds, 91, 1.1);
  EXPECT_GT(outcome.measured.of(Kind::heartbeat).calls(), 20U);
}

TEST_F(Fleet, DoesNotWaitForeverForHostsThatDoNotComeUp) {
  scenario.time_settle_seconds = 20;
  wire.instead = [](std::uint32_t connection, const net::ClientRequest& request) {
    const bool broken = connection == 7 && request.target == "/api/agent/enroll";
    return broken ? std::optional(FakeWire::status(500)) : std::nullopt;
  };
  const Outcome outcome = run();
  EXPECT_NEAR(outcome.setup_seconds, 26, 0.1);
  EXPECT_EQ(outcome.hosts_up, 49U);
  EXPECT_GT(figure(outcome, "errors"), 10);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(Fleet, TakesAtMostFourKibibytesOfMemoryForEachHost) {
  constexpr std::uint32_t count = 2000;
  scenario.fleet_agents = count;
  scenario.fleet_site_percent = 0;
  scenario.time_duration_seconds = 1;
  scenario.time_ramp_seconds = 60;
  wire.keep_calls = false;
  const auto before = read_process_use("self");
  ASSERT_TRUE(before.has_value());
  const Outcome outcome = run();
  EXPECT_EQ(outcome.hosts_up, count);
  const double each =
      static_cast<double>(*outcome.swarm_resident_bytes - before->resident_bytes) / count;
  RecordProperty("bytes_per_host", static_cast<int>(each));
  EXPECT_LE(each, 4096);
  EXPECT_GT(each, 500) << "else nothing was measured";
}
#endif

}  // namespace
}  // namespace muster::swarm
