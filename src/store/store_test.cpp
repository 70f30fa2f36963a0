// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "base/testing.h"
#include "store/sql/inventory.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::store {
namespace {

std::int64_t count_orgs(Store& store) {
  return store.read([](Reader& reader) {
    Rows rows = reader.query("SELECT count(*) FROM orgs");
    rows.next();
    return rows.integer(0);
  });
}

void insert_org(Tx& tx, std::int64_t id) {
  tx.execute("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, $3)", id,
             "org " + std::to_string(id), 0);
}

TEST(Store, WritesAreThereAfterReopening) {
  const TestDirectory directory;
  {
    Store store(std::make_unique<SqliteDatabase>(directory.path()));
    store.write([](Tx& tx) { insert_org(tx, 2); });
  }
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  EXPECT_EQ(count_orgs(store), 2);
}

TEST(Store, AnErrorUndoesItsOwnWriteAlone) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.start_writer();
  std::atomic<int> hooks = 0;
  std::atomic<int> reported = 0;
  for (int i = 2; i < 102; ++i) {
    Work work = [i, &hooks](Tx& tx) {
      insert_org(tx, i);
      tx.on_commit([&hooks] { ++hooks; });
      return i % 2 == 0;
    };
    Done done = [&reported](std::exception_ptr failure) { reported += failure ? 1000 : 1; };
    ASSERT_TRUE(store.submit(work, done));
  }
  store.stop_writer();
  EXPECT_EQ(reported, 100);
  EXPECT_EQ(hooks, 50);
  EXPECT_EQ(count_orgs(store), 51);
}

TEST(Store, AnExceptionReachesOnlyItsOwnRequest) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.start_writer();
  EXPECT_THROW(store.write([](Tx& tx) {
    insert_org(tx, 2);
    insert_org(tx, 2);
  }),
               StoreError);
  store.write([](Tx& tx) { insert_org(tx, 3); });
  EXPECT_EQ(count_orgs(store), 2);
}

TEST(Store, AReaderSeesOneMoment) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.read([&](Reader& reader) {
    const auto count = [&] {
      Rows rows = reader.query("SELECT count(*) FROM orgs");
      rows.next();
      return rows.integer(0);
    };
    EXPECT_EQ(count(), 1);
    store.write([](Tx& tx) { insert_org(tx, 2); });
    EXPECT_EQ(count(), 1);
  });
  EXPECT_EQ(count_orgs(store), 2);
}

TEST(Store, MoreWritesThanTheLimitAreRefused) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.start_writer();
  std::mutex gate;
  std::unique_lock closed(gate);
  std::atomic<std::size_t> done_count = 0;
  std::size_t accepted = 0;
  for (;;) {
    Work work = [&gate](Tx&) {
      const std::lock_guard wait(gate);
      return true;
    };
    Done done = [&done_count](std::exception_ptr) { ++done_count; };
    if (!store.submit(work, done)) break;
    ++accepted;
  }
  EXPECT_EQ(accepted, limits::writes_in_flight);
  closed.unlock();
  store.stop_writer();
  EXPECT_EQ(done_count, accepted);
}

TEST(Store, AuditRowsAreAppendOnly) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.write([](Tx& tx) {
    tx.execute(
        "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
        " VALUES (1, 1, 1, 'a', 'b', 'c', '{}')");
  });
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("UPDATE audit SET actor = 'x'"); }), StoreError);
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("DELETE FROM audit"); }), StoreError);
}

/// Runs all `works` in one commit; which of them failed, in their order.
std::vector<bool> commit_together(Store& store, std::vector<Work> works) {
  std::vector<bool> failed(works.size() + 1);
  std::mutex gate;
  std::unique_lock closed(gate);
  store.start_writer();
  std::atomic<bool> waits = false;
  works.insert(works.begin(), [&](Tx&) {
    waits = true;
    const std::lock_guard wait(gate);
    return true;
  });
  for (std::size_t i = 0; i < works.size(); ++i) {
    Done done = [&failed, i](std::exception_ptr failure) { failed[i] = failure != nullptr; };
    EXPECT_TRUE(store.submit(works[i], done));
    // The first holds the writer, so that the others queue behind it.
    while (i == 0 && !waits) std::this_thread::yield();
  }
  closed.unlock();
  store.stop_writer();
  failed.erase(failed.begin());
  return failed;
}

TEST(GroupCommit, HooksRunInOrderAfterTheCommitAndBeforeTheAnswers) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  std::vector<std::string> order;
  Work work = [&](Tx& tx) {
    insert_org(tx, 2);
    tx.on_commit([&] { order.push_back("first, " + std::to_string(count_orgs(store))); });
    tx.on_commit([&] { order.emplace_back("second"); });
    return true;
  };
  Done done = [&](std::exception_ptr) { order.emplace_back("answer"); };
  ASSERT_TRUE(store.submit(work, done));
  EXPECT_EQ(order, (std::vector<std::string>{"first, 2", "second", "answer"}));
}

TEST(GroupCommit, AnyExceptionUndoesItsOwnWorkAlone) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  int hooks = 0;
  std::vector<Work> works;
  works.emplace_back([&](Tx& tx) {
    insert_org(tx, 2);
    tx.on_commit([&] { ++hooks; });
    return true;
  });
  works.emplace_back([&](Tx& tx) -> bool {
    insert_org(tx, 3);
    tx.on_commit([&] { hooks += 100; });
    throw std::runtime_error("not the store's own");
  });
  works.emplace_back([&](Tx& tx) {
    insert_org(tx, 4);
    tx.on_commit([&] { ++hooks; });
    return true;
  });
  EXPECT_EQ(commit_together(store, std::move(works)), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(hooks, 2);
  EXPECT_EQ(count_orgs(store), 3);
}

TEST(GroupCommit, ALostTransactionFailsEveryRequestInIt) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  int hooks = 0;
  const auto write = [&](std::int64_t id) {
    return Work([&hooks, id](Tx& tx) {
      insert_org(tx, id);
      tx.on_commit([&hooks] { ++hooks; });
      return true;
    });
  };
  std::vector<Work> works;
  works.push_back(write(2));
  // As SQLite itself does on a full disk.
  works.emplace_back([](Tx& tx) {
    tx.execute("ROLLBACK");
    return true;
  });
  works.push_back(write(3));
  EXPECT_EQ(commit_together(store, std::move(works)), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(hooks, 0);
  EXPECT_EQ(count_orgs(store), 1);
  store.write([](Tx& tx) { insert_org(tx, 4); });
  EXPECT_EQ(count_orgs(store), 2) << "the next transaction is sound";
}

TEST(Store, ValuesOfEveryKindAreReadBack) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  SeededRng rng;
  const Uuid id = make_uuid7(rng, test_epoch);
  const std::string octets("\0\xFF\0x", 4);
  store.write([&](Tx& tx) {
    Rows rows = tx.query("SELECT $1, $2, $3, $4, $5, $6, $7, $8", std::int64_t{-5}, 2.5, octets,
                         Blob{octets}, id, test_epoch, std::optional<std::string>(), true);
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.integer(0), -5);
    EXPECT_EQ(rows.real(1), 2.5);
    EXPECT_EQ(rows.text(2), octets);
    EXPECT_EQ(rows.blob(3), octets);
    EXPECT_EQ(rows.uuid(4), id);
    EXPECT_EQ(rows.instant(5), test_epoch);
    EXPECT_TRUE(rows.is_null(6));
    EXPECT_EQ(rows.maybe_string(6), std::nullopt);
    EXPECT_TRUE(rows.boolean(7));
    EXPECT_FALSE(rows.next());
  });
}

TEST(Store, ParametersKeepTheirNumbersInAnyOrder) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.write([](Tx& tx) {
    for (int i = 0; i < 3; ++i) {
      Rows rows = tx.query("SELECT $2, $1, $2", i, i + 10);
      ASSERT_TRUE(rows.next());
      EXPECT_EQ(rows.integer(0), i + 10);
      EXPECT_EQ(rows.integer(1), i);
      EXPECT_EQ(rows.integer(2), i + 10);
    }
  });
}

TEST(Migrations, ADatabaseOfANewerProgramIsRefused) {
  const TestDirectory directory;
  { const Store store(std::make_unique<SqliteDatabase>(directory.path())); }
  open_sqlite(directory.path() + "/muster.db", Access::read_write)
      ->run("INSERT INTO schema_migrations (number, name) VALUES (9999, 'of tomorrow')");
  EXPECT_THROW(Store(std::make_unique<SqliteDatabase>(directory.path())), StoreError);
}

TEST(PackageSets, AreReadBackWithLargeAndNeighbouringIds) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  SeededRng rng;
  for (int round = 0; round < 200; ++round) {
    std::vector<PackageId> ids;
    std::int64_t last = 0;
    for (std::size_t i = rng.below(40); i > 0; --i) {
      last += 1 + static_cast<std::int64_t>(rng.below(std::size_t{1} << rng.below(40)));
      ids.push_back({last});
    }
    store.write([&](Tx& tx) {
      const crypto::KeyHash set = insert_package_set(tx, OrgId{1}, ids);
      EXPECT_EQ(insert_package_set(tx, OrgId{1}, ids), set);
      EXPECT_EQ(get_package_set(tx, OrgId{1}, set), ids);
      release_package_set(tx, OrgId{1}, set);
      EXPECT_EQ(get_package_set(tx, OrgId{1}, set), ids) << "one host still has it";
      release_package_set(tx, OrgId{1}, set);
      EXPECT_THROW(get_package_set(tx, OrgId{1}, set), StoreError);
    });
  }
}

TEST(PackageSets, DamageIsFound) {
  const TestDirectory directory;
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  store.write([&](Tx& tx) {
    const crypto::KeyHash set = insert_package_set(tx, OrgId{1}, {{1}, {300}});
    for (const std::string& bad : {std::string("\x80"), std::string(10, '\xFF')}) {
      tx.execute("UPDATE package_sets SET members = $1", Blob{bad});
      EXPECT_THROW(get_package_set(tx, OrgId{1}, set), StoreError);
    }
  });
}

TEST(DirectoryLock, IsHeldByOneAtATime) {
  const TestDirectory directory;
  auto first = DirectoryLock::acquire(directory.path());
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(DirectoryLock::acquire(directory.path()), nullptr);
  first.reset();
  EXPECT_NE(DirectoryLock::acquire(directory.path()), nullptr);
}

}  // namespace
}  // namespace muster::store
