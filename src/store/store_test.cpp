// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <atomic>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/test_directory.h"

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
    Store store(directory.path());
    store.write([](Tx& tx) { insert_org(tx, 2); });
  }
  Store store(directory.path());
  EXPECT_EQ(count_orgs(store), 2);
}

TEST(Store, AnErrorUndoesItsOwnWriteAlone) {
  const TestDirectory directory;
  Store store(directory.path());
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
  Store store(directory.path());
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
  Store store(directory.path());
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
  Store store(directory.path());
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
  Store store(directory.path());
  store.write([](Tx& tx) {
    tx.execute(
        "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
        " VALUES (1, 1, 1, 'a', 'b', 'c', '{}')");
  });
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("UPDATE audit SET actor = 'x'"); }), StoreError);
  EXPECT_THROW(store.write([](Tx& tx) { tx.execute("DELETE FROM audit"); }), StoreError);
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
