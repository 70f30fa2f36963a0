// SPDX-License-Identifier: Apache-2.0
// Works that share a transaction, and what becomes of the others when one of them fails.
#include <array>
#include <atomic>
#include <deque>
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
std::vector<bool> commit_together(Store& store, std::vector<Work> works,
                                  const std::vector<JointWork*>& joints = {}) {
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
    JointWork* joint = i > 0 && i <= joints.size() ? joints[i - 1] : nullptr;
    EXPECT_TRUE(store.submit(works[i], done, false, joint));
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
  works.reserve(3);  // GCC 12 at -O3 takes its growth for an access behind its end
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

/// A row of orgs, which the rows of one commit become together.
struct JointOrg : JointWork {
  explicit JointOrg(std::int64_t number) : JointWork(insert_all), id(number) {}
  static void insert_all(Tx& tx, std::span<JointWork* const> parts) {
    for (JointWork* part : parts) {
      auto& each = static_cast<JointOrg&>(*part);
      each.together = parts.size();
      // As a request that is refused: it writes nothing.
      if (each.id > 0) insert_org(tx, each.id);
      tx.on_commit([&each] { ++each.hooks; });
      part->done = true;
    }
  }
  Work work() {
    return [this](Tx& tx) {
      ++runs;
      if (!done) {
        insert_all(tx, std::array<JointWork*, 1>{this});
        done = false;
      }
      return id > 0;
    };
  }

  std::int64_t id;
  std::size_t together = 0;
  int hooks = 0;
  int runs = 0;
};

struct Joined {
  explicit Joined(const std::vector<std::int64_t>& ids) {
    for (const std::int64_t id : ids) orgs.emplace_back(id);
    for (JointOrg& each : orgs) {
      works.push_back(each.work());
      joints.push_back(&each);
    }
  }
  std::deque<JointOrg> orgs;
  std::vector<Work> works;
  std::vector<JointWork*> joints;
};

TEST_P(GroupCommit, WhatIsJointIsDoneOnceForAllAndEachWorkTellsItsOwnOutcome) {
  Store store(database->open());
  Joined joined({2, -1, 3});
  std::atomic<int> alone = 0;
  joined.works.emplace_back([&](Tx& tx) {
    insert_org(tx, 4);
    alone = 1;
    return true;
  });
  const auto failed = commit_together(store, std::move(joined.works), joined.joints);
  EXPECT_EQ(failed, (std::vector<bool>{false, false, false, false}));
  EXPECT_EQ(count_orgs(store), 4) << "one that was refused undoes nothing of the others";
  EXPECT_EQ(alone, 1);
  for (const JointOrg& each : joined.orgs) {
    EXPECT_EQ(each.together, 3U);
    EXPECT_EQ(each.runs, 1);
    EXPECT_EQ(each.hooks, 1);
  }
}

TEST_P(GroupCommit, WhatFailsTogetherIsDoneByEachAlone) {
  Store store(database->open());
  Joined joined({2, 1, 3});  // the first organisation is there already
  const auto failed = commit_together(store, std::move(joined.works), joined.joints);
  EXPECT_EQ(failed, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(count_orgs(store), 3);
  for (const JointOrg& each : joined.orgs) {
    EXPECT_EQ(each.together, 1U);
    EXPECT_EQ(each.hooks, each.id == 1 ? 0 : 1) << "those of the failed attempt are dropped";
  }
}

TEST_P(GroupCommit, WhatIsJointButCameAloneIsItsWorksOwn) {
  Store store(database->open());
  Joined joined({2});
  commit_together(store, std::move(joined.works), joined.joints);
  EXPECT_EQ(joined.orgs.front().together, 1U);
  EXPECT_EQ(joined.orgs.front().hooks, 1);
  EXPECT_EQ(count_orgs(store), 2);
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
