// SPDX-License-Identifier: Apache-2.0
#include "agent/core.h"

#include <gtest/gtest.h>

#include "agent/testing/world.h"
#include "crypto/random.h"

namespace muster::agent {
namespace {

using testing::FakeHost;
using testing::FakeServer;
using testing::FakeWorld;

std::string text_member(const std::string& json, std::string_view name) {
  const auto value = thread_json().parse(json).value().find(name);
  return value ? std::string(value->string().value_or("(no text)")) : "(absent)";
}
std::int64_t number_member(const std::string& json, std::string_view name) {
  return thread_json().parse(json).value().find(name).value().integer().value();
}

TEST(AgentOnce, BeatsReportsRunsEveryTaskAndEnds) {
  FakeWorld world;
  const TaskId first = world.server.add_command("uname -a", 1);
  const TaskId second = world.server.add_command("id", 2);
  world.executor.next.stdout_text = "Linux\n";
  world.executor.next.exit_code = 3;
  const auto outcome = world.run_once();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(world.executor.lines, (std::vector<std::string>{"uname -a", "id"}));
  ASSERT_EQ(world.server.tasks[first].results.size(), 1U);
  const std::string result = world.server.tasks[first].results[0];
  EXPECT_EQ(number_member(result, "exit_code"), 3);
  EXPECT_EQ(text_member(result, "stdout"), "Linux\n");
  EXPECT_EQ(text_member(result, "test_uuid"), "");
  EXPECT_EQ(text_member(result, "hostname"), "box");
  EXPECT_EQ(world.server.tasks[second].results.size(), 1U);
  EXPECT_EQ(world.server.tasks[second].statuses, std::vector<std::string>{"executing"});
  EXPECT_EQ(world.server.software, world.expected_software());
  EXPECT_EQ(world.server.heartbeats.size(), 1U);
}

TEST(AgentOnce, HeadersAreThoseOfTheSeed) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  const Call& call = world.server.calls.at(0);
  EXPECT_EQ(call.target, "/api/agent/heartbeat");
  EXPECT_EQ(FakeServer::header(call, "X-Agent-Key"), "ak_old");
  EXPECT_EQ(FakeServer::header(call, "X-Agent-ID"), world.server.agent_id);
  EXPECT_EQ(FakeServer::header(call, "X-Agent-Version"), "1.2.0");
  EXPECT_TRUE(parse_rfc3339(FakeServer::header(call, "X-Request-Timestamp")).ok());
}

TEST(AgentOnce, FailsWithTheReasonWhenTheServerIsAway) {
  FakeWorld world;
  world.server.unreachable = true;
  const auto outcome = world.run_once();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message, "heartbeat: connection refused");
  EXPECT_EQ(world.server.calls.size(), static_cast<std::size_t>(bounds::once_attempts));
}

TEST(AgentOnce, SurvivesEverySingleLostRequestOrAnswer) {
  // Heartbeat, report, poll, announcement, result, poll: one after the other is lost.
  for (const bool request : {false, true}) {
    std::size_t calls = 1;
    for (std::size_t lost = 0; lost < calls; ++lost) {
      FakeWorld world;
      const TaskId task = world.server.add_command("true");
      (request ? world.server.lost_requests : world.server.lost_answers).insert(lost);
      const auto outcome = world.run_once();
      ASSERT_TRUE(outcome.ok()) << lost << ": " << outcome.error().message;
      EXPECT_EQ(world.executor.runs[task], 1) << lost;
      EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << lost;
      EXPECT_EQ(world.server.software, world.expected_software()) << lost;
      calls = world.server.calls.size();
    }
    EXPECT_EQ(calls, 6U);  // the last round lost nothing
  }
}

/// The agent is killed in its `first` change of the disk, its successor in its `second`; the third
/// process ends the work.
void check_crashes(int first, bool first_after, int second, bool second_after, bool& crashed) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.pending_key = "ak_new";
  world.files.crash_at(first, first_after);
  crashed = world.crashes_once();
  world.files.crash_at(second, second_after);
  world.crashes_once();
  world.files.crash_never();
  const auto outcome = world.run_once();
  const std::string where = std::to_string(first) + (first_after ? "+" : "-") + " " +
                            std::to_string(second) + (second_after ? "+" : "-");
  ASSERT_TRUE(outcome.ok()) << where << ": " << outcome.error().message;
  EXPECT_LE(world.executor.runs[task], 1) << where;
  EXPECT_TRUE(world.server.tasks[task].over()) << where;
  const bool ran = !world.server.tasks[task].results.empty();
  if (!ran) {
    EXPECT_EQ(world.server.tasks[task].errors.back(), "the agent restarted during execution")
        << where;
  }
  EXPECT_EQ(world.server.software, world.expected_software()) << where;
  EXPECT_EQ(world.server.key, "ak_new") << where;
  EXPECT_EQ(world.server.last_key, "ak_new") << where;
  EXPECT_EQ(
      world.identity().pending_key.empty() ? world.identity().key : world.identity().pending_key,
      "ak_new")
      << where;
}

TEST(AgentCrash, BetweenAnyTwoStepsNeverRunsATaskTwiceAndLosesNothing) {
  constexpr int second_crashes = 14;
  int points = 0;
  for (const bool first_after : {false, true}) {
    bool crashed = true;
    for (int first = 0; crashed; ++first) {
      for (int second = 0; second < second_crashes; ++second) {
        check_crashes(first, first_after, second, second % 2 == 0, crashed);
        if (HasFatalFailure()) return;
      }
      points += crashed ? 1 : 0;
    }
  }
  EXPECT_GE(points, 20);
}

TEST(AgentCrash, BeforeTheTaskStartedItStillRuns) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  // The record of the accepted task is on disk, its announcement is not sent yet.
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target.ends_with("/status")) throw testing::Crash{};
  };
  EXPECT_TRUE(world.crashes_once());
  world.server.change = {};
  EXPECT_EQ(world.executor.runs[task], 0);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 1);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(AgentTasks, CancelledMeanwhileIsNotRun) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target == "/api/agent/tasks") world.server.tasks[task].cancelled = true;
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 0);
  EXPECT_EQ(world.server.count("/api/agent/tasks/"), 1U);
  EXPECT_TRUE(world.files.list("journal").empty());
}

TEST(AgentTasks, PolicyRefusesWithAClearError) {
  FakeWorld world;
  world.settings.policy_allow.clear();
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_TRUE(world.executor.lines.empty());
  EXPECT_EQ(world.server.tasks[task].statuses, std::vector<std::string>{"failed"});
  EXPECT_EQ(world.server.tasks[task].errors[0],
            "refused: the policy of this host does not allow execute_command ([policy] allow in "
            "agent.toml)");
}

TEST(AgentTasks, UnknownTypesAndMalformedPayloadsFailWithoutRunning) {
  FakeWorld world;
  const std::string id = "0192c0de-0000-7000-8000-00000000000";
  const auto unknown =
      world.server.add_task(id + "1", R"({"id": ")" + id + R"(1", "type": "dance"})");
  const auto empty = world.server.add_task(
      id + "2", R"({"id": ")" + id + R"(2", "type": "execute_command", "payload": {}})");
  const auto nul = world.server.add_task(
      id + "3", R"({"id": ")" + id +
                    R"(3", "type": "execute_command", "payload": {"command": "echo \u0000; rm"}})");
  const auto bare = world.server.add_task(
      id + "4", R"({"id": ")" + id + R"(4", "type": "execute_command", "payload": null})");
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_TRUE(world.executor.lines.empty());
  for (const TaskId task : {unknown, empty, nul, bare}) {
    EXPECT_EQ(world.server.tasks[task].statuses, std::vector<std::string>{"failed"});
  }
}

TEST(AgentTasks, ATaskOfAnotherAgentOrWithoutAUuidIsNotTouched) {
  for (const char* json :
       {R"({"id": "0192c0de-0000-7000-8000-000000000001",
            "agent_id": "0192c0de-bbbb-7000-8000-000000000001",
            "type": "execute_command", "payload": {"command": "true"}})",
        R"({"id": "../../etc/passwd", "type": "execute_command", "payload": {"command": "true"}})",
        R"([1])"}) {
    FakeWorld world;
    world.server.add_task("0192c0de-0000-7000-8000-000000000001", json);
    EXPECT_FALSE(world.run_once().ok());
    EXPECT_TRUE(world.executor.lines.empty());
    EXPECT_TRUE(world.files.list("journal").empty());
  }
}

TEST(AgentTasks, ARepeatedDeliveryIsAnsweredFromTheJournal) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.executor.next.stdout_text = "once\n";
  ASSERT_TRUE(world.run_once().ok());
  // The server lost what it knew, as after a restore from a backup.
  world.server.tasks[task].results.clear();
  world.server.tasks[task].statuses.clear();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 1);
  ASSERT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_EQ(text_member(world.server.tasks[task].results[0], "stdout"), "once\n");
}

TEST(AgentTasks, TheArchiveStillKnowsWhatRan) {
  FakeWorld world;
  const TaskId first = world.server.add_command("first");
  world.executor.next.exit_code = 5;
  ASSERT_TRUE(world.run_once().ok());
  crypto::SystemRng rng;
  for (std::size_t i = 0; i < bounds::journal_outputs + bounds::journal_segment; ++i) {
    const std::string id = make_uuid7(rng, Instant{1'700'000'000'000}).text();
    world.server.add_task(
        id, R"({"id": ")" + id + R"(", "type": "execute_command", "payload": {"command": "x"}})");
  }
  world.executor.next.completed_at = Instant{1'700'000'000'000};
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_LT(world.files.list("journal").size(), bounds::journal_outputs + bounds::journal_segment);
  EXPECT_FALSE(world.files.read(Journal::file_of(first)).has_value());
  world.server.tasks[first].results.clear();
  world.server.tasks[first].statuses.clear();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[first], 1);
  ASSERT_EQ(world.server.tasks[first].results.size(), 1U);
  EXPECT_EQ(number_member(world.server.tasks[first].results[0], "exit_code"), 5);
}

TEST(AgentTasks, ADamagedRecordCountsAsATaskThatMayHaveRun) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.files.content[Journal::file_of(task)] = "{\"task_id\": ";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 0);
  EXPECT_EQ(world.server.tasks[task].statuses, std::vector<std::string>{"failed"});
}

TEST(AgentTasks, HeartbeatsGoOnWhileOneRuns) {
  FakeWorld world;
  const TaskId task = world.server.add_command("sleep");
  world.executor.hold = true;
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  EXPECT_GE(world.server.heartbeats.size(), 9U);
  EXPECT_EQ(text_member(world.server.heartbeats.back(), "status"), "executing");
  EXPECT_EQ(text_member(world.server.heartbeats.back(), "current_task"), task.text());
  EXPECT_EQ(text_member(world.server.heartbeats.front(), "status"), "idle");
  EXPECT_EQ(world.server.count("/api/agent/tasks"), 2U);  // one poll, one announcement
}

TEST(AgentTasks, StoppingKillsWhatRunsAndItsOutcomeIsDeliveredLater) {
  FakeWorld world;
  const TaskId task = world.server.add_command("sleep");
  world.executor.hold = true;
  ASSERT_TRUE(world.run_for(std::chrono::minutes(1)).ok());
  EXPECT_FALSE(world.server.tasks[task].over());
  world.executor.hold = false;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 1);
  ASSERT_EQ(world.server.tasks[task].results.size(), 1U);
  const std::string result = world.server.tasks[task].results[0];
  EXPECT_EQ(number_member(result, "exit_code"), -1);
  EXPECT_EQ(text_member(result, "error"), "killed: the agent is stopping");
  EXPECT_EQ(text_member(world.server.heartbeats.back(), "last_task_completed"), task.text());
}

TEST(AgentTasks, OutputBecomesTextAndShrinksWhenTheServerFindsItTooLarge) {
  FakeWorld world;
  const TaskId task = world.server.add_command("cat");
  world.executor.next.stdout_text = "\xff" + std::string(300'000, 'a');
  world.executor.next.stderr_text = std::string("a\0b", 3);
  world.server.result_bytes_max = 100'000;
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.tasks[task].results.size(), 1U);
  const std::string result = world.server.tasks[task].results[0];
  const Json root = thread_json().parse(result).value();
  EXPECT_EQ(root.find("stdout")->string()->size(), bounds::shrunk_output_bytes);
  EXPECT_TRUE(
      root.find("stdout")->string()->starts_with("\xEF\xBF\xBD"
                                                 "aaa"));
  EXPECT_EQ(root.find("stdout_truncated")->boolean(), true);
  EXPECT_EQ(root.find("stderr")->string(), std::string_view("a\0b", 3));
  EXPECT_EQ(root.find("stderr_truncated")->boolean(), false);
}

TEST(AgentTasks, OneOutcomeTheServerCannotTakeDoesNotBlockTheOthers) {
  FakeWorld world;
  const TaskId bad = world.server.add_command("a", 1);
  world.server.change = [&](const Call& call, Answer& answer) {
    const bool wanted = call.target.find(bad.text() + "/result") != std::string::npos;
    if (wanted) answer = {500, {}, "oops"};
    if (wanted) world.server.tasks[bad].results.clear();
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(2)).ok());
  const TaskId good = world.server.add_command("b", 0);
  ASSERT_TRUE(world.run_for(std::chrono::minutes(20)).ok());
  EXPECT_EQ(world.server.tasks[good].results.size(), 1U);
  world.server.change = {};
  ASSERT_TRUE(world.run_for(std::chrono::minutes(20)).ok());
  EXPECT_EQ(world.server.tasks[bad].results.size(), 1U);
  EXPECT_EQ(world.executor.runs[bad], 1);
}

}  // namespace
}  // namespace muster::agent
