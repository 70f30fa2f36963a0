// SPDX-License-Identifier: Apache-2.0
#include "swarm/outcome.h"

#include <gtest/gtest.h>

#include "base/json_read.h"

namespace muster::swarm {
namespace {

using std::chrono::milliseconds;

std::optional<double> value_of(const Outcome& outcome, std::string_view name) {
  for (const Figure& figure : figures_of(outcome)) {
    if (figure.name == name) return figure.value;
  }
  ADD_FAILURE() << name;
  return std::nullopt;
}

bool holds(const Outcome& outcome, const char* figure, double limit) {
  return all_hold(judge(figures_of(outcome), {{figure, limit}}));
}

/// 100 heartbeats of 1 ms, the first of which were due 50 ms before they were sent.
Outcome some() {
  Outcome outcome;
  outcome.scenario.fleet_agents = 10;
  outcome.measured_seconds = 10;
  outcome.hosts_up = 9;
  for (int i = 0; i < 100; ++i) {
    const Micros late = i < 5 ? milliseconds(50) : milliseconds(0);
    const Micros due = milliseconds(100 * i);
    outcome.measured.add(Kind::heartbeat, End::good,
                         {due, due + late, due + late + milliseconds(1)});
  }
  return outcome;
}

TEST(Figures, CountLatencyFromWhenACallWasDue) {
  const Outcome outcome = some();
  EXPECT_NEAR(*value_of(outcome, "p50_ms"), 1, 0.04);
  // Counted from when it was sent, this would be 1 ms as well.
  EXPECT_NEAR(*value_of(outcome, "p99_ms"), 51, 2);
  EXPECT_NEAR(*value_of(outcome, "lag_p99_ms"), 50, 2);
  EXPECT_NEAR(*value_of(outcome, "heartbeat_p99_ms"), 51, 2);
  EXPECT_EQ(value_of(outcome, "poll_p99_ms"), std::nullopt);
  EXPECT_DOUBLE_EQ(*value_of(outcome, "calls_per_second"), 10);
  EXPECT_DOUBLE_EQ(*value_of(outcome, "up_percent"), 90);
}

TEST(Figures, CountErrorsFromTheFirstCallOnButNoFaultsOfTheScenario) {
  Outcome outcome = some();
  outcome.setup.add(Kind::enrolment, End::limited, {});
  outcome.setup.add(Kind::heartbeat, End::dropped, {});
  outcome.measured.add(Kind::poll, End::timed_out, {Micros(0), Micros(0), milliseconds(30'000)});
  outcome.measured.add(Kind::task_order, End::failed, {});
  EXPECT_DOUBLE_EQ(*value_of(outcome, "errors"), 3);
  // A call that got no answer is slow as well, not absent.
  EXPECT_NEAR(*value_of(outcome, "max_ms"), 30'000, 1);
}

TEST(Figures, OfTheServerAreRates) {
  Outcome outcome = some();
  EXPECT_EQ(value_of(outcome, "server_cpu_cores"), std::nullopt);
  outcome.server_cpu_seconds = 1.5;
  outcome.server_resident_bytes = 64 << 20;
  outcome.server_written_bytes = 1 << 20;
  EXPECT_DOUBLE_EQ(*value_of(outcome, "server_cpu_cores"), 0.15);
  EXPECT_DOUBLE_EQ(*value_of(outcome, "server_rss_mib"), 64);
  EXPECT_DOUBLE_EQ(*value_of(outcome, "server_written_gib_per_day"), 8.4375);
}

TEST(Verdicts, HoldOnTheRightSideOfTheirLimit) {
  const Outcome outcome = some();
  EXPECT_TRUE(holds(outcome, "p99_ms", 60));
  EXPECT_FALSE(holds(outcome, "p99_ms", 40));
  EXPECT_TRUE(holds(outcome, "calls_per_second", 10));
  EXPECT_FALSE(holds(outcome, "calls_per_second", 10.5));
  EXPECT_TRUE(holds(outcome, "errors", 0));
}

TEST(Verdicts, OfWhatWasNotMeasuredDoNotHold) {
  EXPECT_FALSE(holds(some(), "server_cpu_cores", 1000));
  EXPECT_FALSE(holds(some(), "all_back_seconds", 1000));
  EXPECT_FALSE(holds(Outcome{}, "p99_ms", 1000));
}

TEST(EncodeOutcome, SaysAllAsJson) {
  Outcome outcome = some();
  outcome.scenario.assertions = {{"p99_ms", 5}, {"errors", 0}};
  outcome.measured.explain(Kind::poll, "HTTP 500 \"");
  JsonDocument document;
  const std::string text = encode_outcome(outcome);
  const auto json = document.parse(text);
  ASSERT_TRUE(json.ok()) << text;
  EXPECT_EQ(json->find("requests")->integer(), 100);
  EXPECT_EQ(json->find("passed")->boolean(), false);
  EXPECT_NE(text.find(R"("figure": "p99_ms")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(poll: HTTP 500 \")"), std::string::npos) << text;
}

}  // namespace
}  // namespace muster::swarm
