// SPDX-License-Identifier: Apache-2.0
// Works that share a transaction, and what becomes of the others when one of them fails.
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/store.h"
#include "store/testing/every_database.h"
#include "store/testing/orgs.h"

namespace muster::store {
namespace {

using testing::count_orgs;
using testing::insert_org;

using GroupCommit = testing::EveryDatabase;
ON_EVERY_DATABASE(GroupCommit);

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

TEST_P(GroupCommit, HooksRunInOrderAfterTheCommitAndBeforeTheAnswers) {
  Store store(database->open());
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

TEST_P(GroupCommit, AnyExceptionUndoesItsOwnWorkAlone) {
  Store store(database->open());
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

TEST_P(GroupCommit, ALostTransactionFailsEveryRequestInIt) {
  Store store(database->open());
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

TEST_P(GroupCommit, APostedStatementThatFailsFailsItsOwnWorkAlone) {
  Store store(database->open());
  int hooks = 0;
  const auto insert = [&](std::int64_t id, std::int64_t times) {
    return Work([&hooks, id, times](Tx& tx) {
      for (std::int64_t i = 0; i < times; ++i) {
        tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, 0)", id,
                std::to_string(id));
      }
      tx.on_commit([&hooks] { ++hooks; });
      return true;
    });
  };
  std::vector<Work> works;
  works.push_back(insert(2, 1));
  works.push_back(insert(3, 2));
  works.push_back(insert(4, 1));
  EXPECT_EQ(commit_together(store, std::move(works)), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(hooks, 2);
  EXPECT_EQ(count_orgs(store), 3);
}

TEST_P(GroupCommit, AWorkThatEndsInAnErrorBehindAFailedPostedStatementIsUndoneAlone) {
  Store store(database->open());
  const auto post_org = [](Tx& tx, std::int64_t id) {
    tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, 0)", id,
            std::to_string(id));
  };
  const auto insert = [&](std::int64_t id) {
    return Work([&post_org, id](Tx& tx) {
      post_org(tx, id);
      return true;
    });
  };
  std::vector<Work> works;
  works.push_back(insert(2));
  works.push_back([&](Tx& tx) {
    post_org(tx, 2);
    return false;  // before anybody waited for what the database says
  });
  works.push_back([&](Tx& tx) -> bool {
    post_org(tx, 2);
    throw std::runtime_error("of its own");
  });
  works.push_back(insert(3));
  const std::vector<bool> failed = commit_together(store, std::move(works));
  EXPECT_FALSE(failed.front());
  EXPECT_TRUE(failed[2]);
  EXPECT_FALSE(failed.back());
  EXPECT_EQ(count_orgs(store), 3);
}

TEST_P(GroupCommit, AWorkThatHidesAFailureStoresNothingOnPostgres) {
  Store store(database->open());
  const auto hide = [&] {
    store.write([](Tx& tx) {
      insert_org(tx, 2);
      try {
        insert_org(tx, 2);
      } catch (const StoreError&) {
      }
    });
  };
  if (GetParam() == Engine::sqlite) {
    hide();
    EXPECT_EQ(count_orgs(store), 2);
  } else {
    EXPECT_THROW(hide(), StoreError);
    EXPECT_EQ(count_orgs(store), 1);
  }
}

}  // namespace
}  // namespace muster::store
