// SPDX-License-Identifier: Apache-2.0
// A heartbeat and another call on their way at once: neither waits for the other, and whichever
// answer comes first, what both say counts.
#include <map>

#include <gtest/gtest.h>

#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeHost;
using testing::FakeServer;
using testing::FakeWorld;

const std::string uuid = "0190f1c2-0000-7000-8000-00000000000a";
const std::string binary_target = "/api/agent/binary/check?test_uuid=" + uuid;

PushedConfig config_of(const std::string& document) {
  return {crypto::sha256(document).text(), document};
}

/// The core with a wire on which calls stay until they are answered.
class OpenCalls : public FakeWorld {
 public:
  OpenCalls() {
    settings.policy_allow = {"execute_command", "execute_test"};
    settings.update_check_seconds = 60;
    host.images = {FakeHost::image("sha256:" + std::string(64, 'a'), {"app:1"})};
  }

  void begin() {
    state = load_state(files, settings, host.facts, rest.now(), seed++, version).value();
    state.piece_bytes = testing::piece_bytes;
    feed(Started{});
  }
  void feed(const Event& event) {
    push(event);
    while (!actions_.empty()) {
      const Action action = std::move(actions_.front());
      actions_.erase(actions_.begin());
      take(action);
    }
  }
  /// The server takes the call now.
  void serve(Purpose purpose) { served_.emplace(purpose, server.send(out.at(purpose))); }
  void answer(Purpose purpose) {
    if (!served_.contains(purpose)) serve(purpose);
    out.erase(purpose);
    feed(Answered{purpose, std::move(served_.extract(purpose).mapped())});
  }
  void answer(Purpose purpose, Result<Answer> with) {
    out.erase(purpose);
    served_.erase(purpose);
    feed(Answered{purpose, std::move(with)});
  }
  /// Time goes on until something is due.
  bool wake() {
    const auto next = next_wake(state);
    if (!next) return false;
    rest.steady = std::max(rest.steady, *next);
    feed(Woke{});
    return true;
  }
  /// Until this call is the only one on its way; all others are answered.
  bool reach(Purpose purpose) {
    for (int turns = 0; turns < 500; ++turns) {
      if (out.contains(purpose) && out.size() == 1) return true;
      const auto other = std::find_if(out.begin(), out.end(),
                                      [&](const auto& call) { return call.first != purpose; });
      if (other != out.end()) {
        answer(other->first);
      } else if (!wake()) {
        return false;
      }
    }
    return false;
  }
  /// Until the next heartbeat is on its way beside what is.
  bool beat() {
    for (int turns = 0; turns < 20 && !out.contains(Purpose::heartbeat); ++turns) {
      if (!wake()) return false;
    }
    return out.contains(Purpose::heartbeat);
  }
  /// All is answered at once, for so long.
  void go_on(Duration length) {
    const Duration end = rest.steady + length;
    while (rest.steady < end) {
      while (!out.empty()) answer(out.begin()->first);
      if (!wake()) break;
    }
    while (!out.empty()) answer(out.begin()->first);
  }
  TaskId add_test() {
    server.binaries[binary_target] = program;
    const std::string id = "0192c0de-0000-7000-8000-000000000077";
    return server.add_task(id, R"({"id": ")" + id + R"(", "agent_id": ")" + server.agent_id +
                                   R"(", "type": "execute_test", "payload": {"test_uuid": ")" +
                                   uuid + R"(", "binary_name": "check", "binary_sha256": ")" +
                                   crypto::sha256(program).text() + R"(", "binary_size": )" +
                                   std::to_string(program.size()) +
                                   R"(, "execution_timeout": 60}})");
  }

  State state;
  std::map<Purpose, Call> out;  // on their way
  const std::string program = std::string(2500, 'x') + "end";

 private:
  void push(const Event& event) {
    for (Action& action : step(state, event, rest.now())) actions_.push_back(std::move(action));
  }
  void take(const Action& action) {
    if (const auto* save = std::get_if<Save>(&action)) {
      files.write(save->file, save->content);
    } else if (const auto* forget = std::get_if<Forget>(&action)) {
      files.remove(forget->file);
    } else if (const auto* publish = std::get_if<Publish>(&action)) {
      files.publish(publish->from, publish->to);
    } else if (std::holds_alternative<Measure>(action)) {
      push(Measured{host.measure()});
    } else if (std::holds_alternative<TakeSurvey>(action)) {
      push(Surveyed{host.survey({}, no_stop_), files.read(software_file)});
    } else if (const auto* look = std::get_if<LookAtImages>(&action)) {
      push(ImagesSeen{host.look_at_images(look->order, no_stop_)});
    } else if (const auto* recall = std::get_if<Recall>(&action)) {
      push(Recalled{files.read(recall->file)});
    } else if (const auto* inspect = std::get_if<Inspect>(&action)) {
      push(Inspected{files.inspect(inspect->file)});
    } else if (const auto* append = std::get_if<Append>(&action)) {
      push(Appended{files.append(append->file, append->offset, append->bytes)});
    } else if (const auto* execute = std::get_if<Execute>(&action)) {
      executor.start(execute->command);
      push(*executor.take_ended());
    } else if (const auto* send = std::get_if<Send>(&action)) {
      ASSERT_TRUE(out.emplace(send->purpose, send->call).second);
      ASSERT_LE(out.size(), 2U);
    }
  }

  std::vector<Action> actions_;
  std::map<Purpose, Result<Answer>> served_;
  const std::atomic<bool> no_stop_{false};
};

/// In which something of everything is to be done.
struct BusyWorld : OpenCalls {
  BusyWorld() {
    server.config = config_of(R"({"agent_poll_seconds": 60})");
    command = server.add_command("true");
    test = add_test();
    begin();
  }
  TaskId command, test;
};

TEST(TwoCalls, AHeartbeatGoesWhileAnyOtherCallIsOnItsWay) {
  for (const Purpose purpose : all_purposes) {
    if (purpose == Purpose::heartbeat) continue;
    for (const bool answered_first : {true, false}) {
      SCOPED_TRACE(std::string(purpose_name(purpose)) + (answered_first ? " first" : " last"));
      BusyWorld world;
      ASSERT_TRUE(world.reach(purpose));
      for (int beats = 0; beats < 3; ++beats) {
        const Duration before = world.rest.steady;
        ASSERT_TRUE(world.beat());
        EXPECT_LE(world.rest.steady - before, std::chrono::seconds(75));
        EXPECT_EQ(world.out.size(), 2U);
        if (beats < 2) world.answer(Purpose::heartbeat);
      }
      EXPECT_EQ(next_wake(world.state), std::nullopt) << "nothing more may begin";
      world.answer(answered_first ? purpose : Purpose::heartbeat);
      world.go_on(std::chrono::hours(1));
      EXPECT_EQ(world.server.tasks[world.command].results.size(), 1U);
      EXPECT_EQ(world.server.tasks[world.test].results.size(), 1U);
      EXPECT_EQ(world.executor.runs[world.command], 1);
      EXPECT_EQ(world.server.software, world.expected_software());
      EXPECT_EQ(world.server.image_reports.size(), 1U);
      EXPECT_EQ(world.state.config.hash, world.server.config->hash);
    }
  }
}

TEST(TwoCalls, NoneBeginsBesideAHeartbeatForItBringsWhatCountsForThem) {
  OpenCalls world;
  world.begin();
  ASSERT_TRUE(world.beat());
  EXPECT_EQ(next_wake(world.state), std::nullopt);
  world.feed(Woke{});
  EXPECT_EQ(world.out.size(), 1U);
}

TEST(TwoCalls, AnAnswerProvesTheKeyThatItsCallUsedAndNoOther) {
  OpenCalls world;
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::report));
  world.serve(Purpose::report);
  world.server.pending_key = "ak_new";
  ASSERT_TRUE(world.beat());
  world.answer(Purpose::heartbeat);
  EXPECT_EQ(world.state.identity.pending_key, "ak_new");
  ASSERT_TRUE(world.beat());
  EXPECT_EQ(FakeServer::header(world.out.at(Purpose::heartbeat), "X-Agent-Key"), "ak_new");
  world.answer(Purpose::report);
  EXPECT_EQ(world.identity().key, "ak_old") << "the report went with the old one";
  world.answer(Purpose::heartbeat);
  EXPECT_EQ(world.identity().key, "ak_new");
}

TEST(TwoCalls, AKeyThatEndedWhileItsCallWasOnItsWayIsNoRefusalOfTheAgent) {
  for (const int rotations : {1, 2}) {
    OpenCalls world;
    world.begin();
    ASSERT_TRUE(world.reach(Purpose::report));
    for (int i = 0; i < rotations; ++i) {
      world.server.pending_key = "ak_new" + std::to_string(i);
      for (int beats = 0; beats < 2; ++beats) {
        ASSERT_TRUE(world.beat());
        world.answer(Purpose::heartbeat);
      }
      EXPECT_EQ(world.identity().key, "ak_new" + std::to_string(i));
    }
    world.answer(Purpose::report);
    EXPECT_TRUE(world.server.reports.empty()) << "its key was no longer valid";
    EXPECT_EQ(world.state.lane(Purpose::report).failures, 0);
    world.go_on(std::chrono::seconds(10));
    EXPECT_EQ(world.server.reports.size(), 1U) << "sent again at once, with the present key";
  }
}

TEST(TwoCalls, AFullReportThatIsAskedForDuringAReportComesAfterIt) {
  for (const bool acknowledged : {true, false}) {
    OpenCalls world;
    world.begin();
    world.go_on(std::chrono::minutes(5));
    ASSERT_EQ(world.server.reports.size(), 1U);
    world.host.software.push_back(FakeHost::package("zlib", "1.3"));
    ASSERT_TRUE(world.reach(Purpose::report));
    world.serve(Purpose::report);
    world.server.software.clear();
    world.server.force_full_scan = true;
    ASSERT_TRUE(world.beat());
    world.answer(Purpose::heartbeat);
    world.server.force_full_scan = false;  // it says so once
    if (acknowledged) {
      world.answer(Purpose::report);
    } else {
      world.answer(Purpose::report, Answer{503, {}, ""});
    }
    world.go_on(std::chrono::minutes(5));
    EXPECT_EQ(world.server.reports.size(), 3U);
    EXPECT_EQ(world.server.software, world.expected_software());
  }
}

TEST(TwoCalls, AConfigurationThatIsTakenBackWhileItIsFetchedIsNotPutInForce) {
  for (const bool readable : {true, false}) {
    OpenCalls world;
    world.server.config = config_of(R"({"agent_poll_seconds": 60})");
    world.begin();
    ASSERT_TRUE(world.reach(Purpose::configure));
    if (readable) world.serve(Purpose::configure);
    world.server.config = PushedConfig{};
    ASSERT_TRUE(world.beat());
    world.answer(Purpose::heartbeat);
    if (readable) {
      world.answer(Purpose::configure);
    } else {
      world.answer(Purpose::configure, Answer{200, {}, R"({"success": true, "data": 1})"});
    }
    EXPECT_EQ(world.state.config.hash, "");
    EXPECT_EQ(world.state.config_error, "");
    EXPECT_EQ(world.server.count("/api/agent/config"), readable ? 1U : 0U);
  }
}

TEST(TwoCalls, ARefusedConfigurationIsNotTheOneThatWasHeardOfMeanwhile) {
  OpenCalls world;
  world.server.config = config_of(R"({"policy_allow": "all"})");
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::configure));
  world.serve(Purpose::configure);
  const std::string refused = world.server.config->hash;
  world.server.config = config_of(R"({"agent_poll_seconds": 60})");
  ASSERT_TRUE(world.beat());
  world.answer(Purpose::heartbeat);
  world.answer(Purpose::configure);
  EXPECT_EQ(world.state.config_refused, refused);
  world.go_on(std::chrono::minutes(1));
  EXPECT_EQ(world.state.config.hash, world.server.config->hash);
}

TEST(TwoCalls, ALimitOfDeviceCallsHoldsForTheOneThatIsOnItsWay) {
  OpenCalls world;
  world.add_test();
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::fetch));
  ASSERT_TRUE(world.beat());
  world.answer(Purpose::heartbeat, Answer{429, {{"Retry-After", "200"}}, ""});
  world.answer(Purpose::fetch);
  const Duration limited = world.rest.steady;
  for (;;) {
    // The limit is none of those of the other dialect.
    for (const Purpose purpose : {Purpose::report, Purpose::images}) {
      if (world.out.contains(purpose)) world.answer(purpose);
    }
    if (!world.out.empty()) break;
    ASSERT_TRUE(world.wake());
  }
  EXPECT_GE(world.rest.steady - limited, std::chrono::seconds(200)) << "the next piece waits too";
}

TEST(TwoCalls, ATaskWhoseAnnouncementIsAnsweredAfterAStopWaitsForTheNextProcess) {
  OpenCalls world;
  const TaskId task = world.server.add_command("true");
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::announce));
  world.feed(Stopping{});
  world.answer(Purpose::announce);
  EXPECT_EQ(world.executor.runs[task], 0) << "nothing would kill it";
  world.begin();
  world.go_on(std::chrono::minutes(5));
  EXPECT_EQ(world.executor.runs[task], 1);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(TwoCalls, AnOutcomeThatCannotBeDeliveredGoesBehindTheOthersWhateverEndedMeanwhile) {
  OpenCalls world;
  world.executor.next.completed_at = Instant{1'700'000'000'000};
  const TaskId task = world.server.add_command("true");
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::deliver));
  // The clock was set back: by its time another outcome is older.
  Record other;
  other.task = TaskId{parse_uuid("0192c0de-0000-7000-8000-000000000099").value()};
  other.phase = Phase::finished;
  world.state.journal.put(other);
  ASSERT_EQ(world.state.journal.next_undelivered(), other.task);
  world.answer(Purpose::deliver, Answer{503, {}, ""});
  EXPECT_EQ(world.state.journal.next_undelivered(), other.task);
  EXPECT_EQ(world.state.journal.undelivered(), 2U);
  EXPECT_TRUE(world.server.tasks[task].results.empty());
}

/// A build whose trial ends while its report is on its way.
struct TrialWorld : OpenCalls {
  TrialWorld() {
    begin();
    EXPECT_TRUE(reach(Purpose::report));
    state.update.trial = UpdateRecord::Trial{{"9.9.9", crypto::sha256("build"), 7}, 1, 0};
    state.on_trial = true;
    state.trial_began = rest.steady;
    state.trial_until = rest.steady + std::chrono::seconds(30);
  }
  void pass_the_end() {
    rest.steady = state.trial_until + std::chrono::seconds(60);
    feed(Woke{});
  }
};

TEST(TwoCalls, ATrialThatIsOverIsPutOffByOneCallAndNotByAHeartbeatAfterIt) {
  TrialWorld world;
  world.pass_the_end();
  EXPECT_EQ(world.out.size(), 1U) << "no heartbeat begins that would take another call's time";
  EXPECT_TRUE(world.state.on_trial) << "the answer may yet prove it";
  EXPECT_EQ(next_wake(world.state), std::nullopt) << "it does not turn in vain";
  world.answer(Purpose::report);
  EXPECT_FALSE(world.state.on_trial);
  EXPECT_TRUE(world.state.restarting);
}

TEST(TwoCalls, AHeartbeatThatGoesMeanwhileProvesABuildOnTrial) {
  TrialWorld world;
  ASSERT_TRUE(world.beat());
  EXPECT_LT(world.rest.steady, world.state.trial_until);
  world.answer(Purpose::heartbeat);
  EXPECT_FALSE(world.state.on_trial);
  EXPECT_TRUE(world.state.update.current.has_value());
  world.pass_the_end();
  world.answer(Purpose::report);
  EXPECT_FALSE(world.state.restarting);
}

TEST(TwoCalls, ARestartWaitsForTheCallThatIsOnItsWayAndNothingElseBegins) {
  OpenCalls world;
  world.begin();
  ASSERT_TRUE(world.reach(Purpose::report));
  world.state.restart_wanted = true;
  world.rest.steady += std::chrono::minutes(2);
  world.feed(Woke{});
  EXPECT_EQ(world.out.size(), 1U);
  EXPECT_FALSE(world.state.restarting);
  world.answer(Purpose::report);
  EXPECT_TRUE(world.state.restarting);
  EXPECT_TRUE(world.out.empty());
}

// --- In the runner -------------------------------------------------------------------------------

TEST(TwoCalls, ARunnerBeatsWhileAReportIsNotAnswered) {
  FakeWorld world;
  bool held = true;
  world.holds_answer = [&](const Call& call) { return held && call.target == "/api/agent/report"; };
  world.rest.stop_at = world.rest.steady + std::chrono::minutes(30);
  const Duration until = world.rest.steady + std::chrono::minutes(20);
  world.rest.on_wait = [&] { held = world.rest.steady < until; };
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.make_runner(false)->run().ok());
  EXPECT_GE(world.server.heartbeats.size(), 28U);
  EXPECT_EQ(world.server.reports.size(), 1U);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << "after the report";
}

TEST(TwoCalls, AStopWaitsForTheAnswerOfTheCallThatIsOnItsWay) {
  FakeWorld world;
  int waits_after_stop = 0;
  world.holds_answer = [&](const Call& call) {
    return call.target == "/api/agent/report" && waits_after_stop < 3;
  };
  world.rest.stop_at = world.rest.steady + std::chrono::minutes(5);
  world.rest.on_wait = [&] { waits_after_stop += world.rest.stop_requested() ? 1 : 0; };
  ASSERT_TRUE(world.make_runner(false)->run().ok());
  EXPECT_EQ(waits_after_stop, 3);
  EXPECT_EQ(decode_progress(*world.files.read(Progress::file))->reports_acknowledged, 1)
      << "its answer was taken";
}

}  // namespace
}  // namespace muster::agent
