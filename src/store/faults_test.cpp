// SPDX-License-Identifier: Apache-2.0
// A database that goes away, and a commit whose answer is lost.
#include <atomic>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "store/postgres/postgres_connection.h"
#include "store/store.h"
#include "store/testing/every_database.h"

namespace muster::store {
namespace {

using testing::Faults;

class Away : public testing::EveryDatabase {
 protected:
  void SetUp() override {
    EveryDatabase::SetUp();
    if (IsSkipped()) return;
    store.emplace(database->open(faults));
  }

  /// One organisation more, in the database and in `memory`. What went wrong, if anything.
  std::optional<StoreError::Kind> add() {
    try {
      store->write([&](Tx& tx) {
        tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, 0)", next,
                std::to_string(next));
        ++next;
        tx.on_commit([this] { ++memory; });
      });
    } catch (const StoreError& failure) {
      return failure.kind();
    }
    return std::nullopt;
  }
  std::int64_t stored() const {
    const auto connection = database->connect();
    const auto count = connection->prepare("SELECT count(*) FROM orgs");
    count->step();
    return count->integer(0) - 1;
  }

  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::optional<Store> store;
  std::int64_t next = 2;
  std::int64_t memory = 0;
};
ON_EVERY_DATABASE(Away);

TEST_P(Away, AConnectionThatBreaksFailsOneWriteAndIsMadeAnew) {
  for (int n = 1;; ++n) {
    faults->arrange(n, Faults::How::lose);
    const auto failure = add();
    if (faults->cancel()) {
      EXPECT_GT(n, 3);
      EXPECT_FALSE(failure);
      break;
    }
    EXPECT_EQ(failure, StoreError::Kind::away) << n;
    EXPECT_EQ(stored(), memory) << n;
    EXPECT_FALSE(add()) << "the next one is stored";
    EXPECT_EQ(stored(), memory) << n;
  }
}

TEST_P(Away, ALostAnswerToACommitThatTookEffectIsASuccess) {
  faults->arrange_at_commit(Faults::How::answer_lost);
  EXPECT_FALSE(add()) << "a new connection tells";
  EXPECT_EQ(memory, 1);
  EXPECT_EQ(stored(), 1);
}

TEST_P(Away, ALostCommitThatTookNoEffectIsAFailure) {
  faults->arrange_at_commit(Faults::How::question_lost);
  EXPECT_EQ(add(), StoreError::Kind::in_doubt);
  EXPECT_EQ(memory, 0);
  EXPECT_EQ(stored(), 0);
  EXPECT_FALSE(add());
  EXPECT_EQ(memory, 1);
}

TEST_P(Away, MemoryFollowsALostCommitBeforeTheNextWriteRuns) {
  for (const Faults::How how : {Faults::How::answer_lost, Faults::How::question_lost}) {
    const std::int64_t before = memory;
    faults->arrange_at_commit(how);
    faults->refuse_connections(2);
    EXPECT_EQ(add(), StoreError::Kind::away) << "nobody can tell";
    EXPECT_EQ(memory, before) << "memory never leads";
    const std::int64_t truth = stored();
    EXPECT_EQ(truth, before + (how == Faults::How::answer_lost ? 1 : 0));
    std::optional<std::int64_t> seen;
    while (!seen) {
      try {
        store->write([&](Tx&) { seen = memory; });
      } catch (const StoreError& failure) {
        ASSERT_EQ(failure.kind(), StoreError::Kind::away);
        ASSERT_EQ(memory, before);
      }
    }
    EXPECT_EQ(*seen, truth);
    EXPECT_EQ(memory, truth);
  }
}

TEST_P(Away, EveryWorkOfALostCommitHasTheSameFate) {
  for (const Faults::How how : {Faults::How::answer_lost, Faults::How::question_lost}) {
    const std::int64_t before = memory;
    std::atomic<int> succeeded = 0;
    std::atomic<int> failed = 0;
    std::atomic<bool> held = true;
    store->start_writer();
    Work hold = [&](Tx&) {
      while (held) std::this_thread::yield();
      return true;
    };
    Done ignored = [](std::exception_ptr) {};
    ASSERT_TRUE(store->submit(hold, ignored));
    for (int i = 0; i < 5; ++i) {
      Work work = [this](Tx& tx) {
        tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, 0)", next,
                std::to_string(next));
        ++next;
        tx.on_commit([this] { ++memory; });
        return true;
      };
      Done done = [&](std::exception_ptr failure) { ++(failure ? failed : succeeded); };
      ASSERT_TRUE(store->submit(work, done));
    }
    faults->arrange_at_commit(how);
    held = false;
    store->stop_writer();
    EXPECT_EQ(succeeded + failed, 5);
    EXPECT_EQ(memory - before, succeeded);
    EXPECT_EQ(stored(), memory);
  }
}

TEST_P(Away, WhileItIsAwayWritesFailAtOnceAndConnectingIsPaced) {
  faults->arrange(1, Faults::How::lose);
  EXPECT_EQ(add(), StoreError::Kind::away);
  const int before = faults->connections();
  faults->refuse_connections(1'000'000);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(add(), StoreError::Kind::away);
  EXPECT_LT(faults->connections() - before, 100);
  EXPECT_EQ(stored(), 0);
  faults->refuse_connections(0);
  while (add()) std::this_thread::yield();
  EXPECT_EQ(stored(), 1);
}

TEST_P(Away, TheWriterConnectsByItself) {
  store->start_writer();
  const int before = faults->connections();
  faults->refuse_connections(2);
  faults->arrange(1, Faults::How::lose);
  EXPECT_EQ(add(), StoreError::Kind::away);
  while (faults->connections() < before + 3) std::this_thread::yield();
  EXPECT_FALSE(add());
  store->stop_writer();
}

class RestartOnPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
  }
};

TEST_F(RestartOnPostgres, AServerThatEndedEverySessionCostsNoCall) {
  const testing::TestDatabase database(Engine::postgres);
  Store store(database.open());
  const auto count = [&] {
    return store.read([](Reader& reader) {
      Rows rows = reader.query("SELECT count(*) FROM orgs");
      rows.next();
      return rows.integer(0);
    });
  };
  EXPECT_EQ(count(), 1);
  testing::PostgresServer::instance().end_sessions(database.name());
  EXPECT_EQ(count(), 1);
  store.write([](Tx& tx) { tx.execute("INSERT INTO orgs VALUES (2, 'a', 0)"); });
  EXPECT_EQ(count(), 2);
}

TEST_F(RestartOnPostgres, ASessionThatEndsInsideATransactionFailsItAlone) {
  const testing::TestDatabase database(Engine::postgres);
  Store store(database.open());
  EXPECT_THROW(store.write([&](Tx& tx) {
    tx.execute("INSERT INTO orgs VALUES (2, 'a', 0)");
    testing::PostgresServer::instance().end_sessions(database.name());
    tx.execute("INSERT INTO orgs VALUES (3, 'b', 0)");
  }),
               StoreError);
  store.write([](Tx& tx) { tx.execute("INSERT INTO orgs VALUES (4, 'c', 0)"); });
  EXPECT_EQ(store.read([](Reader& reader) {
    Rows rows = reader.query("SELECT CAST(sum(org_id) AS bigint) FROM orgs");
    rows.next();
    return rows.integer(0);
  }),
            5);
}

TEST(Addresses, ThatCannotBeReadOrReachedNeverShowTheirPassword) {
  for (const std::string address :
       {"postgresql://user:hunter2@host:notaport/x", "postgresql://user:hunter2@[::1/x",
        "user=a password=hunter2", "postgresql://user:hunter2@/x?host=/nonexistent",
        "postgresql://user:hunter2@/x?nosuchoption=hunter2"}) {
    try {
      PostgresDatabase(address).connect(Access::read_write);
      FAIL() << address;
    } catch (const StoreError& failure) {
      EXPECT_EQ(std::string(failure.what()).find("hunter2"), std::string::npos) << failure.what();
    }
  }
}

}  // namespace
}  // namespace muster::store
