// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/core.h"
#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeHost;
using testing::FakeServer;
using testing::FakeWorld;
using testing::reason_of;

bool is_delta(const std::string& report) {
  return thread_json().parse(report).value().find("delta").has_value();
}

TEST(AgentKeys, RotationUsesTheNewKeyAndForgetsTheOldOneOnceItWorked) {
  FakeWorld world;
  world.server.pending_key = "ak_new";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.key, "ak_new");
  EXPECT_EQ(world.identity().key, "ak_new");
  EXPECT_EQ(world.identity().pending_key, "");
}

TEST(AgentKeys, ANewKeyTheServerDoesNotTakeYetCostsNothing) {
  FakeWorld world;
  // Another node answers 401 to the new key for a while.
  world.server.change = [](const Call& call, Answer& answer) {
    if (call.target == "/api/agent/heartbeat") {
      answer.body = R"({"success": true, "data": {"new_api_key": "ak_early"}})";
    }
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.identity().key, "ak_old");
  EXPECT_EQ(world.identity().pending_key, "ak_early");
  world.server.change = {};
  world.server.pending_key = "ak_early";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.identity().key, "ak_early");
}

TEST(AgentKeys, RefusalNeverCostsTheIdentity) {
  FakeWorld world;
  world.server.key = "ak_other";
  const std::string before = world.files.content[Identity::file];
  ASSERT_TRUE(world.run_for(std::chrono::hours(2)).ok());
  EXPECT_EQ(world.files.content[Identity::file], before);
  EXPECT_LE(world.server.calls.size(), 30U);  // patient: 5 minutes apart
  EXPECT_FALSE(world.run_once().ok());
  world.server.key = "ak_old";
  EXPECT_TRUE(world.run_once().ok());
}

TEST(AgentKeys, ADisabledAgentWaitsAndComesBack) {
  FakeWorld world;
  world.server.disabled = true;
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_LE(world.server.calls.size(), 15U);
  world.server.disabled = false;
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(AgentClock, AWrongClockIsCorrectedFromTheServersWords) {
  for (const auto error : {std::chrono::hours(-30), std::chrono::hours(5)}) {
    FakeWorld world;
    world.rest.clock_error = error;
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(world.server.calls.size(), 4U);  // one refusal, then all is well
  }
}

TEST(AgentClock, TheDateHeaderHelpsWhereTheServerGivesNoTime) {
  FakeWorld world;
  world.rest.clock_error = std::chrono::hours(-2);
  world.server.change = [](const Call&, Answer& answer) {
    if (answer.status == 401) answer.body = R"({"success": false, "error": "no"})";
    answer.headers.emplace_back("Date", "Tue, 14 Nov 2023 23:13:20 GMT");
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(6)).ok());
  EXPECT_FALSE(world.server.heartbeats.empty());
}

TEST(AgentBackoff, RetryAfterIsObeyedForAllDeviceCalls) {
  FakeWorld world;
  bool limited = true;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!limited || call.target != "/api/agent/tasks") return;
    limited = false;
    answer = {429, {{"retry-after", "200"}}, R"({"success": false, "error": "slow down"})"};
  };
  world.server.add_command("true");
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  const auto& calls = world.server.calls;
  std::size_t at = 0;
  while (calls[at].target != "/api/agent/tasks") ++at;
  std::size_t next = at + 1;
  while (next < calls.size() && calls[next].target == "/api/agent/report") ++next;
  ASSERT_LT(next, calls.size());
  EXPECT_GE(world.server.moments[next] - world.server.moments[at], std::chrono::seconds(200));
  EXPECT_LE(world.server.moments[next] - world.server.moments[at], std::chrono::seconds(240));
}

TEST(AgentBackoff, AServerThatIsAwayIsAskedMoreAndMoreSeldom) {
  FakeWorld world;
  world.server.unreachable = true;
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_GE(world.server.calls.size(), 12U);
  EXPECT_LE(world.server.calls.size(), 30U);
}

TEST(AgentBackoff, AgentsThatLostTheirServerDoNotStayInStep) {
  std::set<std::int64_t> seconds;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    FakeWorld world;
    world.seed = seed;
    world.server.unreachable = true;
    ASSERT_TRUE(world.run_for(std::chrono::minutes(30)).ok());
    seconds.insert(world.server.moments.back().count() / 1000);
  }
  EXPECT_GE(seconds.size(), 4U);
}

TEST(AgentAnswers, WhatIsNotTheServersIsRefusedAndChangesNothing) {
  const std::vector<std::string> bodies = {
      "<html>Sign in to the hotel</html>",
      "",
      "[]",
      "{\"success\": false}",
      "{\"success\": true}",
      "{\"success\": true, \"data\": {\"id\": 1",
      "{\"success\": true, \"data\": \"" + std::string(bounds::answer_bytes, 'x') + "\"}"};
  for (const std::string& body : bodies) {
    FakeWorld world;
    ASSERT_TRUE(world.run_once().ok());
    const auto before = world.files.content;
    world.server.add_command("true");
    world.host.software.push_back(FakeHost::package("new", "1"));
    world.server.pending_key = "ak_new";
    world.server.change = [&](const Call&, Answer& answer) { answer.body = body; };
    EXPECT_FALSE(world.run_once().ok());
    EXPECT_TRUE(world.executor.lines.empty());
    EXPECT_EQ(world.files.content, before) << body.substr(0, 40);
  }
}

TEST(AgentAnswers, AResultIsNotDeliveredUntilTheServerItselfSaysSo) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  world.server.change = [&](const Call& call, Answer& answer) {
    if (!call.target.ends_with("/result")) return;
    world.server.tasks[task].results.clear();  // a proxy answered in its place
    answer.body = "<html>hello</html>";
  };
  EXPECT_FALSE(world.run_once().ok());
  world.server.change = {};
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
  EXPECT_EQ(world.executor.runs[task], 1);
}

TEST(AgentAnswers, AResultOutlivesAnyRefusalOfAProxy) {
  for (const int status : {400, 403, 404, 409, 413}) {
    FakeWorld world;
    const TaskId task = world.server.add_command("true");
    world.server.change = [&](const Call& call, Answer& answer) {
      if (!call.target.ends_with("/result")) return;
      world.server.tasks[task].results.clear();  // it never came there
      answer = {status, {}, "<html>default backend - 404</html>"};
    };
    EXPECT_FALSE(world.run_once().ok()) << status;
    world.server.change = {};
    ASSERT_TRUE(world.run_once().ok()) << status;
    EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << status;
    EXPECT_EQ(world.executor.runs[task], 1) << status;
  }
}

TEST(AgentPresence, TheFirstHeartbeatAfterAGapSaysWhy) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(reason_of(world.server.heartbeats.back()), "(none)");
  ASSERT_TRUE(world.run_for(std::chrono::minutes(3)).ok());
  EXPECT_EQ(reason_of(world.server.heartbeats.at(1)), "service_restart");
  EXPECT_EQ(reason_of(world.server.heartbeats.back()), "(none)");
  world.host.facts.boot_id = "boot-2";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(reason_of(world.server.heartbeats.back()), "machine_reboot");
}

TEST(AgentPresence, ALostNetworkIsNamedOnce) {
  FakeWorld world;
  const Duration start = world.rest.steady;
  world.rest.on_wait = [&] {
    const Duration passed = world.rest.steady - start;
    world.server.unreachable =
        passed > std::chrono::minutes(5) && passed < std::chrono::minutes(15);
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(40)).ok());
  int named = 0;
  for (const std::string& heartbeat : world.server.heartbeats) {
    const bool recovery = reason_of(heartbeat) == "network_recovery";
    const Json root = thread_json().parse(heartbeat).value();
    const auto context = root.find("reconnect_context");
    EXPECT_EQ(context.has_value(), recovery) << heartbeat;
    if (!context) continue;
    ++named;
    EXPECT_EQ(context->find("reason")->string(), "network_recovery");
    EXPECT_EQ(context->find("detail")->string(), "connection refused");
    EXPECT_GE(context->find("failure_count")->integer().value(), 4);
    const auto offline = context->find("offline_duration_seconds")->integer().value();
    EXPECT_GE(offline, 8 * 60);
    // Ten minutes, and two retries: on_wait comes before the time moves.
    EXPECT_LE(offline, 21 * 60);
  }
  EXPECT_EQ(named, 1);
}

TEST(AgentPresence, TheStartOfItsProcessIsNotMovedByAClockThatIsSet) {
  FakeWorld world;
  const Duration start = world.rest.steady;
  world.rest.clock_error = -std::chrono::hours(24 * 1000);  // as without a battery
  world.rest.on_wait = [&] {
    const Duration passed = world.rest.steady - start;
    if (passed > std::chrono::minutes(3)) world.rest.clock_error = Duration(0);
    world.server.unreachable =
        passed > std::chrono::minutes(5) && passed < std::chrono::minutes(15);
  };
  ASSERT_TRUE(world.run_for(std::chrono::minutes(40)).ok());
  int told = 0;
  for (const std::string& heartbeat : world.server.heartbeats) {
    if (reason_of(heartbeat) != "network_recovery") continue;
    ++told;
    const auto start_time = thread_json().parse(heartbeat).value().find("process_start_time");
    const Instant at = parse_rfc3339(start_time->string().value()).value();
    const Instant started = Instant{1'700'000'000'000} + start;
    EXPECT_LE(std::chrono::abs(at - started), std::chrono::seconds(10)) << heartbeat;
  }
  EXPECT_EQ(told, 1);
}

TEST(AgentReports, ChangesGoOutAsADelta) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_FALSE(is_delta(world.server.reports.at(0)));
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.reports.size(), 1U);  // nothing changed, nothing sent
  world.host.software = {FakeHost::package("bash", "5.3"), FakeHost::package("openssl", "3.0.11")};
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.reports.size(), 2U);
  EXPECT_TRUE(is_delta(world.server.reports[1]));
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentReports, RemovingOneArchitectureKeepsTheOther) {
  FakeWorld world;
  world.host.software = {FakeHost::package("libc6", "2.36", "amd64"),
                         FakeHost::package("libc6", "2.36", "i386")};
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.pop_back();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_TRUE(is_delta(world.server.reports.back()));
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentReports, ADeltaOfUnknownFateIsFollowedByAFullReport) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.push_back(FakeHost::package("temporary", "1"));
  world.server.change = [&](const Call& call, Answer&) {
    // The server took it; meanwhile the package went away again, and the agent was killed.
    if (call.target == "/api/agent/report") throw testing::Crash{};
  };
  EXPECT_TRUE(world.crashes_once());
  world.server.change = {};
  EXPECT_TRUE(world.server.software.contains("temporary 1 amd64"));
  world.host.software.pop_back();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_FALSE(is_delta(world.server.reports.back()));
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentReports, ARefusedDeltaStaysADelta) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.push_back(FakeHost::package("new", "1"));
  int refusals = 2;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target == "/api/agent/report" && refusals-- > 0) answer = {503, {}, ""};
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.reports.size(), 4U);
  EXPECT_TRUE(is_delta(world.server.reports.back()));
}

TEST(AgentReports, AnUnknownHostAndAForcedScanGetAFullReport) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.server.knows_host = false;
  world.host.software.push_back(FakeHost::package("new", "1"));
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_FALSE(is_delta(world.server.reports.back()));
  EXPECT_EQ(world.server.software, world.expected_software());
  const std::size_t before = world.server.reports.size();
  world.server.force_full_scan = true;
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.reports.size(), before + 1);
  EXPECT_FALSE(is_delta(world.server.reports.back()));
}

std::string hash_in(const std::string& body, std::string_view member = "set_hash") {
  JsonDocument document;
  const auto value = document.parse(body).value().find(member);
  return std::string(value ? value->string().value_or("") : "none");
}

TEST(AgentReports, HashesSayWhichSetADeltaAndAHeartbeatAreOf) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(hash_in(world.server.heartbeats.front()), "none") << "nothing was acknowledged yet";
  const std::string first = hash_in(world.server.reports.back());
  EXPECT_EQ(first.size(), 64U);
  world.host.software.push_back(FakeHost::package("new", "1"));
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_TRUE(is_delta(world.server.reports.back()));
  EXPECT_EQ(hash_in(world.server.reports.back(), "base_set_hash"), first);
  const std::string second = hash_in(world.server.reports.back());
  EXPECT_NE(second, first);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(hash_in(world.server.heartbeats.back()), second);
}

TEST(AgentReports, AHeartbeatNamesNoHashWhileAReportsFateIsUnknown) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.push_back(FakeHost::package("new", "1"));
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target == "/api/agent/report") answer = {502, {}, ""};
  };
  EXPECT_FALSE(world.run_once().ok());
  world.server.change = {};
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(hash_in(world.server.heartbeats.back()), "none");
}

TEST(AgentReports, ADeltaThatTheServerCannotPlaceIsSentInFull) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.push_back(FakeHost::package("new", "1"));
  int refusals = 1;
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target != "/api/agent/report" || refusals-- <= 0) return;
    answer = {409, {}, R"({"error": "set_hash_mismatch", "message": "no"})"};
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_FALSE(is_delta(world.server.reports.back()));
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentReports, ADeltaThatEndsElsewhereOnTheServerIsFollowedByAFullReport) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.software.push_back(FakeHost::package("new", "1"));
  world.server.change = [&](const Call& call, Answer& answer) {
    if (call.target != "/api/agent/report") return;
    answer.body =
        R"({"status": "accepted", "asset_id": 1, "set_hash": ")" + std::string(64, '0') + R"("})";
  };
  const std::size_t before = world.server.reports.size();
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_EQ(world.server.reports.size(), before + 2) << "and no more than one";
  EXPECT_TRUE(is_delta(world.server.reports[before]));
  EXPECT_FALSE(is_delta(world.server.reports[before + 1]));
}

TEST(AgentReports, ALookThatNeverEndsIsLoggedOnceAndHoldsNoHeartbeat) {
  FakeWorld world;
  const TaskId task = world.server.add_command("true");
  auto runner = world.make_runner(false);
  world.surveys->hold = true;
  world.rest.stop_at = world.rest.steady + std::chrono::hours(6);
  ASSERT_TRUE(runner->run().ok());
  EXPECT_GE(world.server.heartbeats.size(), 300U);
  EXPECT_EQ(world.executor.runs[task], 1);
  EXPECT_TRUE(world.server.reports.empty());
  const std::size_t first = world.logged.find("look_takes_long");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(world.logged.find("look_takes_long", first + 1), std::string::npos);
}

TEST(AgentReports, WhatIsLeftOutIsLoggedWhenItChanges) {
  FakeWorld world;
  world.host.malformed = 3;
  const Duration start = world.rest.steady;
  world.rest.on_wait = [&] {
    if (world.rest.steady - start > std::chrono::hours(3)) world.host.malformed = 4;
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = world.logged.find("software_left_out", at)) != std::string::npos;
       ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 2U);
}

TEST(AgentReports, AFullReportComesDaily) {
  FakeWorld world;
  ASSERT_TRUE(world.run_for(std::chrono::hours(50)).ok());
  EXPECT_EQ(world.server.reports.size(), 3U);
  for (const std::string& report : world.server.reports) EXPECT_FALSE(is_delta(report));
}

TEST(AgentReports, SoftwareThatCannotBeReadIsNotReportedAsGone) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.readable = false;
  EXPECT_FALSE(world.run_once().ok());
  EXPECT_EQ(world.server.reports.size(), 1U);
}

TEST(AgentReports, LargeOnesArePacked) {
  FakeWorld world;
  for (int i = 0; i < 200; ++i) {
    world.host.software.push_back(FakeHost::package("package-" + std::to_string(i), "1"));
  }
  ASSERT_TRUE(world.run_once().ok());
  for (const Call& call : world.server.calls) {
    const bool report = call.target == "/api/agent/report";
    EXPECT_EQ(FakeServer::header(call, "Content-Encoding"), report ? "gzip" : "");
  }
  EXPECT_EQ(world.server.software, world.expected_software());
}

TEST(AgentStart, DamagedFilesAreSaidOrMadeGoodButNeverObeyed) {
  FakeWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.files.content[Progress::file] = "{\"boot_id\": 7";
  world.files.content[software_file] = "muster-software 1 00\nbash\t5.2\n";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_FALSE(is_delta(world.server.reports.back()));
  const auto load = [&] {
    return load_state(world.files, world.settings, world.host.facts, world.rest.now(), 1);
  };
  world.files.content[Identity::file] = "{}";
  EXPECT_EQ(load().error().code, Errc::invalid_json);
  EXPECT_EQ(world.files.content[Identity::file], "{}");
  world.files.content.erase(Identity::file);
  EXPECT_EQ(load().error().code, Errc::not_found);
}

}  // namespace
}  // namespace muster::agent
