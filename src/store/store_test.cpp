// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <atomic>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "base/testing.h"
#include "store/migrate.h"
#include "store/sql/inventory.h"
#include "store/testing/every_database.h"
#include "store/testing/orgs.h"

namespace muster::store {
namespace {

using testing::count_orgs;
using testing::insert_org;

using EveryStore = testing::EveryDatabase;
using Migrations = testing::EveryDatabase;
using PackageSets = testing::EveryDatabase;
ON_EVERY_DATABASE(EveryStore);
ON_EVERY_DATABASE(Migrations);
ON_EVERY_DATABASE(PackageSets);

TEST_P(EveryStore, WritesAreThereAfterReopening) {
  {
    Store store(database->open());
    store.write([](Tx& tx) { insert_org(tx, 2); });
  }
  Store store(database->open());
  EXPECT_EQ(count_orgs(store), 2);
}

TEST_P(EveryStore, AnErrorUndoesItsOwnWriteAlone) {
  Store store(database->open());
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

TEST_P(EveryStore, AnExceptionReachesOnlyItsOwnRequest) {
  Store store(database->open());
  store.start_writer();
  EXPECT_THROW(store.write([](Tx& tx) {
    insert_org(tx, 2);
    insert_org(tx, 2);
  }),
               StoreError);
  store.write([](Tx& tx) { insert_org(tx, 3); });
  EXPECT_EQ(count_orgs(store), 2);
}

TEST_P(EveryStore, AReaderSeesOneMoment) {
  Store store(database->open());
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

TEST_P(EveryStore, MoreWritesThanTheLimitAreRefused) {
  Store store(database->open());
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

TEST_P(EveryStore, AuditRowsAreAppendOnly) {
  Store store(database->open());
  store.write([](Tx& tx) {
    tx.execute(
        "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
        " VALUES (1, 1, 1, 'a', 'b', 'c', '{}')");
  });
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("UPDATE audit SET actor = 'x'"); }), StoreError);
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("DELETE FROM audit"); }), StoreError);
}

TEST_P(EveryStore, ValuesOfEveryKindAreReadBack) {
  Store store(database->open());
  SeededRng rng;
  const Uuid id = make_uuid7(rng, test_epoch);
  const std::string octets("\0\xFF\0x", 4);
  const std::string text = "na\u00efve \u65e5\u672c\u8a9e \U0001F600 '\"\\ %s $1 \n\t";
  store.write([&](Tx& tx) {
    Rows rows = tx.query("SELECT $1, $2, $3, $4, $5, $6, $7, $8", std::int64_t{-5}, 2.5, text,
                         Blob{octets}, id, test_epoch, std::optional<std::string>(), true);
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.integer(0), -5);
    EXPECT_EQ(rows.real(1), 2.5);
    EXPECT_EQ(rows.text(2), text);
    EXPECT_EQ(rows.blob(3), octets);
    EXPECT_EQ(rows.uuid(4), id);
    EXPECT_EQ(rows.instant(5), test_epoch);
    EXPECT_TRUE(rows.is_null(6));
    EXPECT_EQ(rows.maybe_string(6), std::nullopt);
    EXPECT_TRUE(rows.boolean(7));
    EXPECT_FALSE(rows.next());
  });
}

TEST_P(EveryStore, TextThatADatabaseCannotHoldIsMadeWellFormed) {
  Store store(database->open());
  store.write([](Tx& tx) {
    Rows rows = tx.query("SELECT $1, $2", std::string("a\0b", 3), "\xFFx\xC3");
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.text(0), "a\uFFFDb");
    EXPECT_EQ(rows.text(1), "\uFFFDx\uFFFD");
  });
}

TEST_P(EveryStore, NumbersAndTextsAtTheirBoundsAreReadBack) {
  Store store(database->open());
  const std::string large(3 << 20, 'x');
  constexpr auto min = std::numeric_limits<std::int64_t>::min();
  constexpr auto max = std::numeric_limits<std::int64_t>::max();
  store.write([&](Tx& tx) {
    Rows rows =
        tx.query("SELECT $1, $2, $3, $4, $5, $6", min, max, "", Blob{""}, large, Blob{large});
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.integer(0), min);
    EXPECT_EQ(rows.integer(1), max);
    EXPECT_FALSE(rows.is_null(2));
    EXPECT_EQ(rows.text(2), "");
    EXPECT_FALSE(rows.is_null(3));
    EXPECT_EQ(rows.blob(3), "");
    EXPECT_EQ(rows.text(4), large);
    EXPECT_EQ(rows.blob(5), large);
  });
}

TEST_P(EveryStore, AStatementRunsInsideTheRowsOfAnother) {
  Store store(database->open());
  store.write([](Tx& tx) {
    insert_org(tx, 2);
    insert_org(tx, 3);
    Rows orgs = tx.query("SELECT org_id FROM orgs ORDER BY org_id");
    std::int64_t seen = 0;
    while (orgs.next()) {
      Rows one = tx.query("SELECT name FROM orgs WHERE org_id = $1", orgs.integer(0));
      EXPECT_TRUE(one.next());
      ++seen;
    }
    EXPECT_EQ(seen, 3);
  });
}

TEST_P(EveryStore, ADuplicateIsToldFromOtherFailures) {
  Store store(database->open());
  const auto kind = [&](Sql sql) {
    try {
      store.write([&](Tx& tx) { tx.execute(sql); });
    } catch (const StoreError& failure) {
      return failure.kind();
    }
    throw std::logic_error("it must fail");
  };
  EXPECT_EQ(kind("INSERT INTO orgs (org_id, name, created_at) VALUES (1, 'a', 0)"),
            StoreError::Kind::duplicate);
  EXPECT_EQ(kind("INSERT INTO orgs (org_id, name) VALUES (2, 'a')"), StoreError::Kind::broken);
}

TEST_P(EveryStore, MoreReadersThanTheLimitWaitForOne) {
  Store store(database->open());
  std::atomic<int> inside = 0;
  std::atomic<bool> leave = false;
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < limits::store_readers + 4; ++i) {
    threads.emplace_back([&] {
      store.read([&](Reader& reader) {
        ++inside;
        while (!leave) std::this_thread::yield();
        Rows rows = reader.query("SELECT count(*) FROM orgs");
        rows.next();
        return rows.integer(0);
      });
      ++done;
    });
  }
  while (inside < static_cast<int>(limits::store_readers)) std::this_thread::yield();
  EXPECT_EQ(inside, static_cast<int>(limits::store_readers));
  leave = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, static_cast<int>(limits::store_readers) + 4);
}

TEST_P(EveryStore, ParametersKeepTheirNumbersInAnyOrder) {
  Store store(database->open());
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

TEST_P(Migrations, ADatabaseOfANewerProgramIsRefused) {
  { const Store store(database->open()); }
  database->connect()->run(
      "INSERT INTO schema_migrations (number, name) VALUES (9999, 'of tomorrow')");
  EXPECT_THROW(Store(database->open()), StoreError);
}

// On SQLite the lock of the data directory keeps them apart.
TEST(MigrationsOnPostgres, ProgramsThatStartTogetherAgree) {
  if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
  const testing::TestDatabase fresh(Engine::postgres, testing::TestDatabase::Content::nothing);
  std::vector<std::thread> programs;
  std::atomic<int> started = 0;
  for (int i = 0; i < 4; ++i) {
    programs.emplace_back([&] {
      const Store store(fresh.open());
      ++started;
    });
  }
  for (std::thread& program : programs) program.join();
  EXPECT_EQ(started, 4);
  Store store(fresh.open());
  EXPECT_EQ(count_orgs(store), 1);
}

TEST(SchemaOnPostgres, IsThatOfSqlite) {
  if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
  const auto columns = [](Engine engine) {
    const testing::TestDatabase fresh(engine, testing::TestDatabase::Content::nothing);
    const Store store(fresh.open());
    return testing::describe_columns(*fresh.connect());
  };
  const auto indexes = [](Engine engine) {
    const testing::TestDatabase fresh(engine);
    const Store store(fresh.open());
    const auto connection = fresh.connect();
    const auto rows = connection->prepare(
        engine == Engine::sqlite
            ? "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1"
            : "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE"
              " '%_pkey' AND indexname NOT LIKE '%_key' ORDER BY indexname COLLATE \"C\"");
    std::vector<std::string> names;
    while (rows->step()) names.emplace_back(rows->text(0));
    return names;
  };
  EXPECT_GT(columns(Engine::sqlite).size(), 100U);
  EXPECT_EQ(columns(Engine::sqlite), columns(Engine::postgres));
  EXPECT_EQ(indexes(Engine::sqlite), indexes(Engine::postgres));
}

TEST(SchemaOnPostgres, TextHasTheOrderOfOctetsWhateverTheLocale) {
  if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
  const testing::TestDatabase fresh(Engine::postgres);
  const auto connection = fresh.connect();
  const auto others = connection->prepare(
      "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'"
      " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'");
  ASSERT_TRUE(others->step());
  EXPECT_EQ(others->integer(0), 0);
}

TEST(SchemaOnPostgres, WhatRetentionDeletesIsVacuumedEarly) {
  if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
  const testing::TestDatabase fresh(Engine::postgres);
  const auto connection = fresh.connect();
  const auto early = connection->prepare(
      "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname = 'public' AND c.relkind = 'r'"
      " AND 'autovacuum_vacuum_scale_factor=0.02' = ANY (c.reloptions) ORDER BY 1");
  std::vector<std::string> tables;
  while (early->step()) tables.emplace_back(early->text(0));
  const std::vector<std::string> pruned = {"events", "outages", "outputs", "results",
                                           "sample_blocks"};
  EXPECT_EQ(tables, pruned) << "those that src/fleet deletes in lots from the old end of an index";
}

TEST(Schema, LinesForOneEngineAreForThatOneAlone) {
  constexpr std::string_view text =
      "CREATE TABLE a (b text, context text);\n-- only sqlite\nx;\n-- only postgres\ny;\n"
      "-- every engine\nz;";
  EXPECT_EQ(migration_for(Engine::sqlite, text), "CREATE TABLE a (b text, context text);\nx;\nz;");
  EXPECT_EQ(migration_for(Engine::postgres, text),
            "CREATE TABLE a (b text COLLATE \"C\", context text COLLATE \"C\");\ny;\nz;");
}

TEST_P(PackageSets, AreReadBackWithLargeAndNeighbouringIds) {
  Store store(database->open());
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

TEST_P(PackageSets, DamageIsFound) {
  Store store(database->open());
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
