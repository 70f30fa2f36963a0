// SPDX-License-Identifier: Apache-2.0
// That a fleet is spread evenly over every interval, whatever happens to all of it at once.
#include "agent/phase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <vector>

#include "agent/core.h"
#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::FakeWorld;

TEST(Phase, HasOneMomentInEveryPeriod) {
  const std::uint64_t phase = phase_of("0192c0de-aaaa-7000-8000-000000000001");
  const Duration period = seconds(60);
  const Duration first = until_phase(phase, Instant{0}, period);
  for (const std::int64_t now : {0L, 1L, 59'999L, 1'700'000'000'000L, -1L, -61'234L}) {
    const Duration wait = until_phase(phase, Instant{now}, period);
    EXPECT_GE(wait, Duration(0)) << now;
    EXPECT_LT(wait, period) << now;
    EXPECT_EQ((Instant{now} + wait - Instant{0} - first) % period, Duration(0)) << now;
  }
  // At any moment that a clock may say.
  for (const auto now :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    const Duration wait = until_phase(phase, Instant{now}, period);
    EXPECT_TRUE(wait >= Duration(0) && wait < period) << now;
  }
}

TEST(Phase, OfALongerPeriodIsOneOfAShorter) {
  for (const char* id : {"a", "b", "c", "d"}) {
    const Instant at = Instant{1'700'000'000'000} +
                       until_phase(phase_of(id), Instant{1'700'000'000'000}, minutes(15));
    EXPECT_EQ(until_phase(phase_of(id), at, seconds(60)), Duration(0));
    EXPECT_EQ(until_phase(phase_of(id), at, seconds(30)), Duration(0));
  }
}

/// One agent of many: the core, and a server in a few lines that takes every call at once.
class Member {
 public:
  Member(int number, const testing::FakeFiles& of_all, const Settings& settings,
         const HostFacts& facts, Moment start)
      : start_(start) {
    testing::FakeFiles files = of_all;
    Identity identity = decode_identity(*files.read(Identity::file)).value();
    const std::string digits = std::to_string(number);
    identity.agent = AgentId{
        parse_uuid("0192c0de-aaaa-7000-8000-" + std::string(12 - digits.size(), '0') + digits)
            .value()};
    files.content[Identity::file] = encode_identity(identity);
    state_ = load_state(files, settings, facts, start, 1).value();
  }

  /// When its heartbeats go until `length` after its start, on the steady clock.
  std::vector<Duration> beats_within(Duration length) {
    feed(Started{}, start_.steady);
    for (auto wake = next_wake(state_); wake && *wake < start_.steady + length;
         wake = next_wake(state_)) {
      feed(Woke{}, *wake);
    }
    return std::move(beats_);
  }

  /// Its clock says this much more than before, from `at` on.
  void step_clock(Duration at, Duration by) {
    stepped_at_ = at;
    stepped_by_ = by;
  }

 private:
  Instant servers_time(Duration steady) const { return start_.wall + (steady - start_.steady); }
  Moment moment(Duration steady) const {
    Instant wall = start_.wall + (steady - start_.steady);
    if (steady >= stepped_at_) wall = wall + stepped_by_;
    return {wall, steady};
  }
  Answer answer(Purpose purpose, Duration steady) const {
    if (purpose != Purpose::heartbeat) return {204, {}, ""};
    JsonWriter json;
    json.begin_object().member("success", true).key("data").begin_object();
    json.member("server_time", servers_time(steady)).end_object().end_object();
    return {200, {}, json.take()};
  }
  void feed(const Event& event, Duration steady) {
    std::deque<Event> events = {event};
    for (; !events.empty(); events.pop_front()) {
      for (const Action& action : step(state_, events.front(), moment(steady))) {
        if (std::holds_alternative<Measure>(action)) events.emplace_back(Measured{});
        const auto* send = std::get_if<Send>(&action);
        if (send == nullptr) continue;
        if (send->purpose == Purpose::heartbeat) beats_.push_back(steady);
        events.emplace_back(Answered{send->purpose, answer(send->purpose, steady)});
      }
    }
  }

  Moment start_;
  State state_;
  std::vector<Duration> beats_;
  Duration stepped_at_ = Duration::max();
  Duration stepped_by_{0};
};

struct PhaseOfFleet : ::testing::Test {
  static constexpr int agents = 10'000;
  FakeWorld world;
  Moment start{Instant{1'700'000'000'000}, std::chrono::hours(1)};

  PhaseOfFleet() {
    world.settings.update_check_seconds = 0;
    world.settings.intervals_poll_seconds = 3600;
    Progress progress;
    progress.boot_id = "boot-before";
    progress.version = world.version;
    world.files.content[Progress::file] = encode_progress(progress);
  }
  Member member(int number) {
    return {number, world.files, world.settings, world.host.facts, start};
  }
  /// How many heartbeats go in each second from the start.
  std::vector<int> beats_by_second(Duration length) {
    std::vector<int> counts(static_cast<std::size_t>(length / seconds(1)));
    for (int i = 0; i < agents; ++i) {
      for (const Duration at : member(i).beats_within(length)) {
        ++counts[static_cast<std::size_t>((at - start.steady) / seconds(1))];
      }
    }
    return counts;
  }
};

TEST_F(PhaseOfFleet, OfWhichAllHostsStartedAtOnceIsHeardAsEvenlyAsEver) {
  // A power cut: each clock stands where the battery left it, or all say the same.
  const std::vector<int> counts = beats_by_second(minutes(3));
  const int mean = agents / 60;
  for (std::size_t second = 0; second < counts.size(); ++second) {
    EXPECT_LE(counts[second], mean * 2) << second;
    EXPECT_GE(counts[second], mean / 2) << second;
  }
}

TEST_F(PhaseOfFleet, WithLongIntervalsIsHeardWithinFiveMinutesOfAStart) {
  world.settings.intervals_heartbeat_seconds = 3600;
  const std::vector<int> counts = beats_by_second(minutes(10));
  const int mean = agents / 300;
  int heard = 0;
  for (const int count : counts) {
    heard += count;
    EXPECT_LE(count, mean * 2);
  }
  // All once; some have their turn of the hour a quarter of it later, at the earliest.
  EXPECT_EQ(heard, agents);
}

TEST_F(PhaseOfFleet, ThatIsRestartedByOneOrderIsSpreadAfterItsFirstHeartbeats) {
  world.host.facts.boot_id = "boot-before";
  const std::vector<int> counts = beats_by_second(minutes(3));
  EXPECT_EQ(counts[0] + counts[1] + counts[2], agents);
  const int mean = agents / 60;
  for (std::size_t second = 3; second < counts.size(); ++second) {
    EXPECT_LE(counts[second], mean * 2) << second;
  }
}

TEST_F(PhaseOfFleet, OneAgentThatIsRestartedIsHeardWithinThreeSeconds) {
  world.host.facts.boot_id = "boot-before";
  for (int i = 0; i < 100; ++i) {
    const std::vector<Duration> beats = member(i).beats_within(minutes(2));
    ASSERT_FALSE(beats.empty());
    EXPECT_LT(beats[0] - start.steady, bounds::first_call_max) << i;
  }
}

TEST_F(PhaseOfFleet, OneAgentHasItsTurnsWheneverItStarts) {
  const auto turn_of = [&] {
    const Duration last = member(7).beats_within(minutes(10)).back();
    return (start.wall + (last - start.steady) - Instant{0}) % minutes(1);
  };
  const Duration turn = turn_of();
  for (const Duration later : {Duration(1), Duration(17'300), Duration(55'555'555)}) {
    start = {start.wall + later, start.steady};
    EXPECT_EQ(turn_of(), turn) << later.count();
  }
}

TEST_F(PhaseOfFleet, OneAgentKeepsItsPaceWhateverItsClockDoes) {
  for (const Duration by : {Duration(7'000), Duration(-31'000), Duration(45'000),
                            Duration(86'400'000 + 1), Duration(-1'600'000'000'000)}) {
    Member agent = member(7);
    agent.step_clock(start.steady + minutes(5), by);
    const std::vector<Duration> beats = agent.beats_within(minutes(30));
    EXPECT_GE(beats.size(), 29U);
    for (std::size_t i = 2; i < beats.size(); ++i) {
      // The server tells its time in whole seconds.
      const Duration gap = beats[i] - beats[i - 1];
      EXPECT_LE(std::chrono::abs(gap - seconds(60)), seconds(1)) << i << " " << by.count();
    }
  }
}

TEST_F(PhaseOfFleet, ACallIsNotSentBeforeItsTurnOnlyBecauseAnOutcomeWaits) {
  // A command that restarted the host, on all hosts at once: each says so in its turn.
  Record record;
  record.task = TaskId{parse_uuid("0192c0de-0000-7000-8000-000000000001").value()};
  record.phase = agent::Phase::started;
  world.files.content[Journal::file_of(record.task)] = encode_record(record);
  State state = load_state(world.files, world.settings, world.host.facts, start, 1).value();
  step(state, Started{}, start);
  ASSERT_EQ(state.journal.undelivered(), 1U);
  EXPECT_EQ(next_wake(state), state.lane(Purpose::heartbeat).due);
  EXPECT_GT(next_wake(state), start.steady);
}

TEST(PhaseOfOne, RunOnceWaitsForNoTurn) {
  FakeWorld world;
  const Duration start = world.rest.steady;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.rest.steady, start);
}

TEST(PhaseOfOne, PollsGoWithHeartbeats) {
  FakeWorld world;
  ASSERT_TRUE(world.run_for(minutes(30)).ok());
  std::vector<Duration> polls;
  std::vector<Duration> beats;
  for (std::size_t i = 0; i < world.server.calls.size(); ++i) {
    const std::string& target = world.server.calls[i].target;
    if (target == "/api/agent/tasks") polls.push_back(world.server.moments[i]);
    if (target == "/api/agent/heartbeat") beats.push_back(world.server.moments[i]);
  }
  ASSERT_GT(beats.size(), 25U);
  for (const Duration beat : beats) {
    EXPECT_NE(std::find(polls.begin(), polls.end(), beat), polls.end()) << "one wake for both";
  }
}

}  // namespace
}  // namespace muster::agent
