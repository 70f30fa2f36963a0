// SPDX-License-Identifier: Apache-2.0
// Long times and poor servers.
#include <gtest/gtest.h>

#include "agent/testing/world.h"
#include "base/testing.h"

namespace muster::agent {
namespace {

using testing::FakeHost;
using testing::FakeWorld;

constexpr Duration day = std::chrono::hours(24);

/// A network that loses a third of all requests and answers, with hours in which nothing gets
/// through, under a host whose software changes.
TEST(AgentWeek, OfNetworkFaultsLosesNothingAndDoublesNothing) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    FakeWorld world;
    SeededRng rng(seed);
    std::vector<TaskId> tasks;
    world.server.change = [&](const Call&, Answer&) {
      // What the next calls meet; decided one call ahead.
      const std::size_t next = world.server.calls.size();
      if (rng.below(6) == 0) world.server.lost_requests.insert(next);
      if (rng.below(6) == 0) world.server.lost_answers.insert(next);
    };
    for (int hour = 0; hour < 7 * 24; ++hour) {
      world.server.unreachable = rng.below(10) == 0;
      if (hour % 24 == 3) {
        const int number = hour / 24 + 1;
        tasks.push_back(world.server.add_command("true", number));
      }
      if (rng.below(4) == 0) {
        world.host.software.push_back(
            FakeHost::package("p" + std::to_string(hour), "1." + std::to_string(hour)));
      }
      // Now and then the process ends, too.
      ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
    }
    world.server.unreachable = false;
    world.server.change = nullptr;
    ASSERT_TRUE(world.run_for(day).ok());
    EXPECT_EQ(world.server.software, world.expected_software()) << seed;
    for (const TaskId task : tasks) {
      EXPECT_EQ(world.executor.runs[task], 1) << seed;
      EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << seed;
    }
  }
}

TEST(AgentSpool, TakesNoFurtherWorkWhileTheServerTakesNoResults) {
  FakeWorld world;
  bool takes_results = false;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!takes_results && call.target.ends_with("/result")) answer = {503, {}, "{}"};
  };
  for (int number = 10; number < 10 + 30; ++number) world.server.add_command("true", number);
  world.server.forgets_results = true;
  ASSERT_TRUE(world.run_for(day).ok());
  EXPECT_EQ(world.executor.lines.size(), bounds::waiting_outcomes);
  takes_results = true;
  world.server.forgets_results = false;
  ASSERT_TRUE(world.run_for(day).ok());
  EXPECT_EQ(world.executor.lines.size(), 30U);
  for (const auto& [id, task] : world.server.tasks) EXPECT_EQ(task.results.size(), 1U);
}

TEST(AgentSpool, KeepsTheNewestOutputsWithinItsBytes) {
  FakeWorld world;
  // As JSON each octet is six.
  world.executor.next.stdout_text.assign(limits::output_bytes, '\0');
  world.executor.next.stderr_text = world.executor.next.stdout_text;
  world.server.change = [&](const Call&, Answer&) { world.server.calls.back().body.clear(); };
  std::vector<TaskId> tasks;
  for (int number = 1; number <= 8; ++number) {
    tasks.push_back(world.server.add_command("true", number));
  }
  ASSERT_TRUE(world.run_once().ok());
  std::size_t bytes = 0;
  for (const std::string& file : world.files.list("journal")) {
    bytes += world.files.read(file)->size();
  }
  EXPECT_LE(bytes, bounds::journal_output_bytes + tasks.size() * limits::KiB);
  const auto record = [&](TaskId task) {
    return decode_record(*world.files.read(Journal::file_of(task))).value();
  };
  EXPECT_EQ(record(tasks.back()).outcome.stdout_text.size(), limits::output_bytes);
  const Record oldest = record(tasks.front());
  EXPECT_TRUE(oldest.delivered);
  EXPECT_EQ(oldest.outcome.stdout_text.size(), 0U);
  EXPECT_TRUE(oldest.outcome.stdout_truncated);
  for (const TaskId task : tasks) {
    EXPECT_EQ(world.executor.runs[task], 1);
    EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  }
}

TEST(AgentAndAHostileServer, ATaskThatIsCancelledAtEachAnnouncementIsNotAskedForAtFullSpeed) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!call.target.ends_with("/status")) return;
    world.server.tasks[task].statuses.clear();
    answer = {409, {}, R"({"success": false, "error": "no", "code": "illegal_transition"})"};
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  EXPECT_LT(world.server.count("/api/agent/tasks"), 300U) << "a poll and a PATCH each five seconds";
  EXPECT_GT(world.server.count("/api/agent/tasks"), 100U) << "other work would come soon";
}

TEST(AgentAndAHostileServer, TasksThatAreMadeUpLeaveNothingBehind) {
  FakeWorld world;
  world.settings.policy_allow = {};
  for (int number = 1; number <= 2000; ++number) world.server.add_command("true", number);
  ASSERT_TRUE(world.run_for(std::chrono::hours(2)).ok());
  std::size_t refused = 0;
  for (const auto& [id, task] : world.server.tasks) refused += task.over() ? 1U : 0U;
  EXPECT_GT(refused, 1000U);
  EXPECT_LT(refused, 1700U) << "at the pace of refusals";
  EXPECT_LE(world.files.list("journal").size(),
            bounds::journal_outputs + bounds::journal_segment + 1);
  // In a new process as well: what stays is on no disk either.
  const State state =
      load_state(world.files, world.settings, world.host.facts, world.rest.now(), 1).value();
  EXPECT_LE(state.journal.size(), bounds::journal_outputs + bounds::journal_segment + 1);
}

/// device-endpoints.txt and nothing else: no report, no time in the answers, an update without a
/// manifest.
TEST(AgentAndASeedServer, BeatsRunsTasksAndStaysWhatItIs) {
  FakeWorld world;
  world.settings.update_check_seconds = 600;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target == "/api/agent/heartbeat") {
      answer.body = R"({"success": true, "data": {"acknowledged": true}})";
    } else if (call.target == "/api/agent/report") {
      answer = {404, {}, "<html>not here</html>"};
    } else if (call.target == "/api/agent/update") {
      answer = {200,
                {},
                R"({"success": true, "data": {"version": "9.0.0", "download_url": "http://)"
                R"(elsewhere.example/agent", "signature": "00"}})"};
    }
  };
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.run_for(day).ok());
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_GT(world.server.heartbeats.size(), 1000U);
  EXPECT_EQ(world.server.count("/api/agent/update?"), 0U);
  // What is not there is not asked for at full speed.
  EXPECT_LT(world.server.count("/api/agent/report"), 40U);
}

TEST(AgentOrders, AnOrderToUpdateIsALookForOne) {
  FakeWorld world;
  const TaskId task = world.server.add_task(
      "0192c0de-0000-7000-8000-000000000001",
      R"({"id": "0192c0de-0000-7000-8000-000000000001", "agent_id": ")" + world.server.agent_id +
          R"(", "type": "update_agent", "payload": {}})");
  world.settings.update_check_seconds = 2'592'000;  // by itself it would not look for a month
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  EXPECT_EQ(world.server.count("/api/agent/update"), 1U);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  FakeWorld firm;
  firm.settings.update_check_seconds = 0;
  const TaskId refused = firm.server.add_task(
      "0192c0de-0000-7000-8000-000000000001",
      R"({"id": "0192c0de-0000-7000-8000-000000000001", "agent_id": ")" + firm.server.agent_id +
          R"(", "type": "update_agent", "payload": {}})");
  ASSERT_TRUE(firm.run_for(std::chrono::minutes(10)).ok());
  EXPECT_EQ(firm.server.count("/api/agent/update"), 0U);
  EXPECT_FALSE(firm.server.tasks[refused].errors.empty());
}

}  // namespace
}  // namespace muster::agent
