// SPDX-License-Identifier: Apache-2.0
// Write transactions of several servers on one database (docs/adr/0019).
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "store/postgres/postgres_wakes.h"
#include "store/sql/nodes.h"
#include "store/store.h"
#include "store/testing/databases.h"

namespace muster::store {
namespace {

class TurnsOnPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
    database.emplace(Engine::postgres);
    a.emplace(database->open());
    b.emplace(database->open());
  }

  static std::int64_t count(Reader& reader) {
    Rows rows = reader.query("SELECT max(created_at) FROM orgs");
    rows.next();
    return rows.integer(0);
  }

  std::optional<testing::TestDatabase> database;
  std::optional<Store> a;
  std::optional<Store> b;
};

TEST_F(TurnsOnPostgres, WhatAWorkReadsNobodyChangesUntilItsCommit) {
  constexpr int each = 200;
  const auto add_many = [](Store& store) {
    store.start_writer();
    for (int i = 0; i < each; ++i) {
      store.write([](Tx& tx) {
        const std::int64_t next = count(tx) + 1;
        tx.execute("UPDATE orgs SET created_at = $1 WHERE org_id = 1", next);
      });
    }
    store.stop_writer();
  };
  std::thread other([&] { add_many(*b); });
  add_many(*a);
  other.join();
  EXPECT_EQ(a->read([](Reader& reader) { return count(reader); }), 2 * each);
}

TEST_F(TurnsOnPostgres, WhatIsReadBeforeWritesIsWhatOthersCommitted) {
  std::int64_t seen = -1;
  b->read_before_writes([&](Reader& reader) { seen = count(reader); });
  a->write([](Tx& tx) { tx.execute("UPDATE orgs SET created_at = 7 WHERE org_id = 1"); });
  b->write([&](Tx&) { EXPECT_EQ(seen, 7); });
  b->read_before_writes([](Reader&) { throw StoreError("not now"); });
  bool ran = false;
  EXPECT_THROW(b->write([&](Tx&) { ran = true; }), StoreError);
  EXPECT_FALSE(ran);
}

TEST_F(TurnsOnPostgres, OneConnectionLeadsUntilItEndsOrStops) {
  const auto leads = [](Store& store) { return store.write([](Tx& tx) { return try_lead(tx); }); };
  EXPECT_TRUE(leads(*a));
  EXPECT_FALSE(leads(*b));
  EXPECT_TRUE(leads(*a));
  a->write([](Tx& tx) { stop_leading(tx); });
  EXPECT_TRUE(leads(*b));
  EXPECT_FALSE(leads(*a));
  b.reset();
  // The server ends a session a moment after its program left.
  bool taken = false;
  for (int i = 0; i < 1000 && !taken; ++i) taken = leads(*a);
  EXPECT_TRUE(taken);
}

TEST_F(TurnsOnPostgres, AnAnnouncementWakesTheOthersWithItsCommit) {
  const std::string url = testing::PostgresServer::instance().url(database->name());
  PostgresWakes own(url, a->node());
  PostgresWakes others(url, b->node());
  const Duration no_time{0};
  const Duration long_enough = std::chrono::seconds(30);
  EXPECT_TRUE(own.await(no_time)) << "it may have missed what came before it listened";
  EXPECT_TRUE(others.await(no_time));
  a->write([](Tx& tx) { tx.announce({"agent", OrgId{1}, "x"}); });
  EXPECT_TRUE(others.await(long_enough));
  EXPECT_FALSE(own.await(no_time)) << "a server need not hear itself";
  others.interrupt();
  EXPECT_FALSE(others.await(long_enough));
  testing::PostgresServer::instance().end_sessions(database->name());
  EXPECT_TRUE(others.await(long_enough)) << "connected anew";
}

TEST_F(TurnsOnPostgres, WhatOneTellsTheOthersHearOnceAndWithoutBeingWoken) {
  const std::string url = testing::PostgresServer::instance().url(database->name());
  std::vector<std::string> heard_by_own;
  std::vector<std::string> heard;
  PostgresWakes own(url, a->node(),
                    [&](std::string_view told) { heard_by_own.emplace_back(told); });
  PostgresWakes others(url, b->node(), [&](std::string_view told) { heard.emplace_back(told); });
  EXPECT_FALSE(own.tell("nobody is connected yet"));
  EXPECT_TRUE(own.await(Duration(0)));
  EXPECT_TRUE(others.await(Duration(0)));
  const std::vector<std::string> lost = {""};
  EXPECT_EQ(heard, lost) << "what came before it listened";
  EXPECT_TRUE(own.tell("1=4"));
  EXPECT_TRUE(own.tell("2=8,3=1"));
  a->write([](Tx& tx) { tx.announce({"agent", OrgId{1}, "x"}); });
  EXPECT_TRUE(others.await(std::chrono::seconds(30))) << "the announcement comes behind them";
  EXPECT_EQ(heard, (std::vector<std::string>{"", "1=4", "2=8,3=1"}));
  EXPECT_FALSE(own.await(Duration(0)));
  EXPECT_EQ(heard_by_own, lost);
}

TEST_F(TurnsOnPostgres, ASessionThatStandsStillIsGivenUpBeforeALeaseIsLost) {
  using Stopwatch = std::chrono::steady_clock;
  const std::string url = testing::PostgresServer::instance().url(database->name());
  PostgresWakes wakes(url, a->node());
  EXPECT_TRUE(wakes.await(Duration(0)));
  EXPECT_TRUE(wakes.tell("1=4"));
  const auto session = static_cast<pid_t>(a->read([](Reader& reader) {
    Rows rows = reader.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1",
        std::string_view("SELECT pg_notify(%"));
    CHECK(rows.next());
    return rows.integer(0);
  }));
  ASSERT_EQ(::kill(session, SIGSTOP), 0);
  const Stopwatch::time_point began = Stopwatch::now();
  EXPECT_FALSE(wakes.tell("2=8"));
  EXPECT_TRUE(wakes.await(Duration(0))) << "connected anew";
  EXPECT_LT(Stopwatch::now() - began, limits::node_lease - limits::node_renewal);
  EXPECT_TRUE(wakes.tell("2=8"));
  EXPECT_EQ(::kill(session, SIGCONT), 0);
}

}  // namespace
}  // namespace muster::store
