// SPDX-License-Identifier: Apache-2.0
#include "endpoints/server/doctor.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"
#include "fleet/operators.h"
#include "store/store.h"

namespace muster::endpoints {
namespace {

using State = Check::State;

constexpr std::uint64_t gib = std::uint64_t{1024} * 1024 * 1024;

/// A machine on which all is well.
MachineUse well() {
  MachineUse use;
  use.transport.connections = {100, 200, 1000};
  use.transport.reads = {0, 3, 256};
  use.transport.slow = {0, 1, 64};
  use.transport.streams = {0, 0, 512};
  use.transport.stranger_streams = {0, 0, 64};
  use.transport.bodies = {gib / 64, gib / 32, gib / 2};
  use.transport.waiting_writes = {8192, gib / 32, gib / 8};
  use.transport.waiting = 1;
  use.cpu_seconds = 12.9;
  use.memory_bytes = gib;
  use.memory_max_bytes = 2 * gib;
  use.written_bytes = 4096;
  use.disk_free_bytes = 90 * gib;
  use.disk_bytes = 100 * gib;
  use.clock_is_synchronised = true;
  return use;
}

struct Doctor : ::testing::Test {
  TestServer server;
  MachineUse use = well();

  Doctor() {
    server.wiring.app.machine_use = [this] { return use; };
  }
  Check check(std::string_view name) {
    for (const Check& each : check_server(server.wiring.app, server.clock.now())) {
      if (each.name == name) return each;
    }
    ADD_FAILURE() << "no check is called " << name;
    return {};
  }
};

TEST(Budgets, AreNearFromEightyPercentOnAndOverFromNinetyFive) {
  const auto state = [](std::uint64_t used, std::uint64_t most) {
    return state_of({"x", "bytes", used, most, 1000});
  };
  EXPECT_EQ(state(799, 799), State::fine);
  EXPECT_EQ(state(800, 800), State::near);
  EXPECT_EQ(state(949, 949), State::near);
  EXPECT_EQ(state(950, 950), State::over);
  EXPECT_EQ(state(0, 960), State::over) << "it was";
}

TEST_F(Doctor, FindsNothingWhereAllIsWellButThatThereAreNoFeeds) {
  for (const Check& each : check_server(server.wiring.app, server.clock.now())) {
    if (each.name == "feeds") continue;
    EXPECT_EQ(each.state, State::fine) << each.name << ": " << each.found;
    EXPECT_EQ(each.advice, "") << each.name;
  }
  EXPECT_EQ(check("connections").found, "100 of 1000, 200 at most");
  EXPECT_EQ(check("memory").found, "1.0 GiB of 2.0 GiB");
  EXPECT_EQ(check("feeds").found, "none was imported");
}

TEST_F(Doctor, NamesTheBoundThatIsNear) {
  use.transport.connections.most = 980;
  use.memory_bytes = 2 * gib * 9 / 10;
  use.disk_free_bytes = gib;
  use.transport.bodies.most = gib * 9 / 20;
  use.transport.slow = {60, 60, 64};
  use.transport.stranger_streams.taken = 64;
  EXPECT_EQ(check("connections").state, State::over);
  EXPECT_NE(check("connections").advice.find("LimitNOFILE"), std::string::npos);
  EXPECT_EQ(check("memory").state, State::near);
  EXPECT_EQ(check("disk").state, State::over);
  EXPECT_EQ(check("bodies").state, State::near);
  EXPECT_EQ(check("bodies").found, "16 MiB of 512 MiB, 461 MiB at most");
  for (const char* full : {"slow", "stranger_streams"}) {
    EXPECT_NE(check(full).state, State::fine) << full;
    EXPECT_NE(check(full).advice, "") << full;
  }
}

TEST_F(Doctor, SaysThatTheClockIsNotSynchronised) {
  use.clock_is_synchronised = false;
  EXPECT_EQ(check("clock").state, State::near);
}

TEST_F(Doctor, WarnsOfACertificateTwoWeeksBeforeItEnds) {
  auto& expires_at = server.wiring.face.certificate_expires_at_seconds;
  const std::int64_t now = server.clock.now().unix_ms / 1000;
  expires_at = now + 15 * 86400;
  EXPECT_EQ(check("certificate").state, State::fine);
  EXPECT_EQ(check("certificate").found, "expires in 15 days");
  expires_at = now + 13 * 86400;
  EXPECT_EQ(check("certificate").state, State::near);
  expires_at = now - 1;
  EXPECT_EQ(check("certificate").state, State::over);
}

TEST_F(Doctor, WarnsTwoWeeksBeforeTheLastOwnersTokenEnds) {
  EXPECT_EQ(check("owners").state, State::fine);
  EXPECT_EQ(check("owners").found, "the last owner's token ends in 90 days");
  server.clock.advance(std::chrono::hours(24 * 77));
  EXPECT_EQ(check("owners").state, State::near);
  EXPECT_NE(check("owners").advice.find("muster operators renew"), std::string::npos);
  server.clock.advance(std::chrono::hours(24 * 13));
  EXPECT_EQ(check("owners").state, State::over);
  EXPECT_NE(check("owners").advice.find("--data DIR"), std::string::npos);

  server.wiring.app.store.write([&](store::Tx& tx) {
    App& app = server.wiring.app;
    return fleet::create_operator(tx, app.ids, app.rng, app.credentials, fleet::Actor::server(),
                                  {"ada", http::Role::owner, Duration(0)}, server.clock.now());
  });
  EXPECT_EQ(check("owners").found, "an owner's token never ends");
}

TEST_F(Doctor, LeavesOutWhatTheMachineDoesNotTell) {
  use = {};
  for (const Check& each : check_server(server.wiring.app, server.clock.now())) {
    EXPECT_NE(each.name, "memory");
    EXPECT_NE(each.name, "disk");
    EXPECT_NE(each.name, "clock");
  }
}

TEST_F(Doctor, MetricsHaveEveryBudgetAndTheProcess) {
  const std::string metrics = server.ask({"GET", "/metrics", {}, {}}).body;
  for (const char* line :
       {"\nmuster_budget_used{budget=\"connections\"} 100\n",
        "\nmuster_budget_most{budget=\"connections\"} 200\n",
        "\nmuster_budget_limit{budget=\"connections\"} 1000\n",
        "\nmuster_budget_limit{budget=\"writes\"} 4096\n",
        "\nmuster_budget_limit{budget=\"bodies\"} 536870912\n",
        "\nmuster_budget_most{budget=\"bodies\"} 33554432\n",
        "\nmuster_budget_limit{budget=\"slow\"} 64\n",
        "\nmuster_budget_used{budget=\"waiting_writes\"} 8192\n", "\nmuster_waiting_writes 1\n",
        "\nmuster_budget_used{budget=\"disk\"} 10737418240\n",
        "\nprocess_resident_memory_bytes 1073741824\n", "\nprocess_cpu_seconds_total 12\n",
        "\nmuster_written_bytes_total 4096\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace muster::endpoints
