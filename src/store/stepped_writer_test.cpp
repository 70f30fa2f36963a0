// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/store.h"
#include "store/testing/orgs.h"

namespace muster::store {
namespace {

using testing::count_orgs;
using testing::insert_org;

TEST(SteppedWriter, CommitsInBatchesWhenItIsToldTo) {
  const TestDirectory directory{memory_backed_path()};
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  int waits = 0;
  store.step_writer([&] {
    ++waits;
    store.commit_queued(1);
    return true;
  });
  int answered = 0;
  const auto submit = [&](int id) {
    Work work = [id](Tx& tx) {
      insert_org(tx, id);
      return true;
    };
    Done done = [&](std::exception_ptr failure) { answered += failure ? 1000 : 1; };
    ASSERT_TRUE(store.submit(work, done));
  };
  for (const int id : {2, 3, 4}) submit(id);
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(count_orgs(store), 1);
  EXPECT_EQ(store.commit_queued(2), 1U);
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(count_orgs(store), 3);
  // Whoever waits is behind what came before it.
  store.write([](Tx& tx) { insert_org(tx, 5); });
  EXPECT_EQ(waits, 2);
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(count_orgs(store), 5);
}

TEST(SteppedWriter, DropsWhatIsQueuedWhenItGoes) {
  const TestDirectory directory{memory_backed_path()};
  int answered = 0;
  {
    Store store(std::make_unique<SqliteDatabase>(directory.path()));
    store.step_writer([] { return false; });
    Work work = [](Tx& tx) {
      insert_org(tx, 2);
      return true;
    };
    Done done = [&](std::exception_ptr) { ++answered; };
    ASSERT_TRUE(store.submit(work, done));
    EXPECT_THROW(store.write([](Tx& tx) { insert_org(tx, 3); }), StoreError);
  }
  EXPECT_EQ(answered, 0);
  Store store(std::make_unique<SqliteDatabase>(directory.path()));
  EXPECT_EQ(count_orgs(store), 1);
}

/// Work that says in `order` when it ran.
struct Lanes : ::testing::Test {
  const TestDirectory directory{memory_backed_path()};
  Store store{std::make_unique<SqliteDatabase>(directory.path())};
  std::string order;

  Lanes() {
    store.step_writer([] { return false; });
  }
  bool submit(char name, bool may_wait) {
    Work work = [this, name](Tx&) {
      order += name;
      return true;
    };
    Done done = [](std::exception_ptr) {};
    return store.submit(work, done, may_wait);
  }
};

TEST_F(Lanes, WorkThatMayWaitIsCommittedBehindTheRest) {
  EXPECT_TRUE(submit('r', true));
  EXPECT_TRUE(submit('a', false));
  EXPECT_TRUE(submit('s', true));
  EXPECT_TRUE(submit('b', false));
  EXPECT_EQ(store.commit_queued(), 0U);
  EXPECT_EQ(order, "abrs");
}

TEST_F(Lanes, WorkThatMayWaitHasAShareOfEveryFullCommit) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(submit('a', false));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(submit('r', true));
  EXPECT_EQ(store.commit_queued(16), 28U);
  EXPECT_EQ(order, "aaaaaaaaaaaaaarr");
  EXPECT_EQ(store.commit_queued(16), 12U);
  EXPECT_EQ(order, "aaaaaaaaaaaaaarraaaaaaaaaaaaaarr");
  EXPECT_EQ(store.commit_queued(16), 0U);
}

TEST_F(Lanes, TheLastPlacesAreNotForWorkThatMayWait) {
  std::size_t waiting = 0;
  while (submit('r', true)) ++waiting;
  EXPECT_EQ(waiting, limits::later_writes_in_flight);
  std::size_t first = 0;
  while (submit('a', false)) ++first;
  EXPECT_EQ(waiting + first, limits::writes_in_flight);
  EXPECT_EQ(store.figures().writes_in_flight, limits::writes_in_flight);
  while (store.commit_queued() > 0) {
  }
  EXPECT_EQ(order.size(), limits::writes_in_flight);
  EXPECT_EQ(order.substr(0, first), std::string(first, 'a'));
  EXPECT_EQ(store.figures().writes_in_flight, 0U);
  EXPECT_EQ(store.figures().most_in_flight, limits::writes_in_flight);
}

}  // namespace
}  // namespace muster::store
