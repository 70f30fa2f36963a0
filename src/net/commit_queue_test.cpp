// SPDX-License-Identifier: Apache-2.0
#include "net/commit_queue.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::net {
namespace {

using http::Lane;
using std::chrono::seconds;

class Queue : public ::testing::Test {
 protected:
  struct Waiter {
    char name;
    std::unique_ptr<CommitQueue::Entry> entry;
  };

  void enter(char name, Lane lane = Lane::agents, std::size_t bytes = 1) {
    waiters.push_back({name, nullptr});
    waiters.back().entry = std::make_unique<CommitQueue::Entry>(queue, lane, bytes, now,
                                                                [this, name] { woken += name; });
  }
  CommitQueue::Entry& entry(char name) { return *find(name)->entry; }
  void leave(char name) { waiters.erase(find(name)); }

  /// Who finds a place in one turn when there are so many, in order; then who is refused.
  std::string turn(std::size_t places) {
    --scheduled;
    queue.turn(now);
    std::string taken;
    std::string refused;
    while (!woken.empty()) {
      const char name = woken.front();
      woken.erase(0, 1);
      if (entry(name).refused()) {
        refused += name;
        leave(name);
        continue;
      }
      const bool has_place = taken.size() < places;
      queue.tried(entry(name), has_place);
      if (!has_place) continue;
      taken += name;
      leave(name);
    }
    return refused.empty() ? taken : taken + "-" + refused;
  }

  CommitQueue::Time now = {};
  std::string woken;
  int scheduled = 0;
  CommitQueueUse use{8};
  CommitQueue queue{use, seconds(10), [this] { ++scheduled; }};
  std::vector<Waiter> waiters;  // they go before the queue

 private:
  std::vector<Waiter>::iterator find(char name) {
    auto found = waiters.begin();
    while (found->name != name) ++found;
    return found;
  }
};

TEST_F(Queue, TheOldestGoFirstAsFarAsThereArePlaces) {
  for (const char name : {'a', 'b', 'c', 'd'}) enter(name);
  EXPECT_EQ(woken, "") << "never within the caller";
  EXPECT_EQ(scheduled, 1);
  EXPECT_EQ(turn(0), "");
  EXPECT_EQ(turn(3), "abc");
  EXPECT_TRUE(queue.has_waiting(Lane::agents));
  EXPECT_EQ(turn(3), "d");
  EXPECT_FALSE(queue.has_waiting(Lane::agents));
  EXPECT_EQ(turn(0), "");
  EXPECT_EQ(scheduled, 0) << "nobody waits: no turns";
  EXPECT_EQ(use.bytes().taken, 0U);
  EXPECT_EQ(use.bytes().most, 4U);
}

TEST_F(Queue, ResultsGoBeforeReportsAndTheseBeforeOperators) {
  enter('o', Lane::operators);
  enter('r', Lane::reports);
  enter('a');
  EXPECT_EQ(turn(3), "aro");
}

TEST_F(Queue, ALaneWithoutPlacesHoldsUpNoOther) {
  enter('r', Lane::reports);
  enter('o', Lane::operators);
  --scheduled;
  queue.turn(now);
  ASSERT_EQ(woken, "r");
  queue.tried(entry('r'), false);
  EXPECT_EQ(woken, "ro");
}

TEST_F(Queue, WhoeverComesLastIsSlowAndNotStuck) {
  enter('o', Lane::operators);
  std::string taken;
  for (std::size_t i = 0; i < limits::later_turns_share; ++i) {
    enter('a');
    taken += turn(1);
    if (taken.ends_with('o')) break;
  }
  EXPECT_EQ(taken, std::string(limits::later_turns_share - 1, 'a') + "o");
}

TEST_F(Queue, OneATurnIsRefusedAndOnlyWhoWaitedLong) {
  enter('a');
  enter('b');
  now += seconds(5);
  enter('c');
  now += seconds(5);
  EXPECT_EQ(turn(0), "-a");
  EXPECT_EQ(turn(0), "-b");
  EXPECT_EQ(turn(0), "");
  EXPECT_EQ(turn(1), "c");
}

TEST_F(Queue, WhoWaitedLongGetsAPlaceWhileThereIsOne) {
  for (const char name : {'a', 'b', 'c'}) enter(name);
  now += seconds(20);
  EXPECT_EQ(turn(2), "ab-c");
}

TEST_F(Queue, WhoFindsNoRoomWaitsToBeRefused) {
  enter('a', Lane::agents, 7);
  enter('b', Lane::agents, 2);
  enter('c', Lane::agents, 1);
  enter('d', Lane::reports, 1);
  EXPECT_TRUE(entry('a').may_commit());
  EXPECT_FALSE(entry('b').may_commit());
  EXPECT_TRUE(entry('c').may_commit()) << "what fits may wait";
  EXPECT_EQ(use.waiting(), 4U);
  EXPECT_EQ(turn(0), "-b");
  EXPECT_EQ(turn(0), "-d");
  EXPECT_EQ(turn(9), "ac");
  EXPECT_EQ(use.waiting(), 0U);
}

TEST_F(Queue, OneWhoIsGoneBeforeItTriedHoldsUpNobody) {
  enter('a');
  enter('b');
  --scheduled;
  queue.turn(now);
  ASSERT_EQ(woken, "a");
  woken.clear();
  leave('a');
  EXPECT_EQ(turn(1), "b");
}

TEST_F(Queue, ADrainRefusesAtOnceWhoWaitsForThatAlone) {
  enter('a');
  enter('r', Lane::reports);
  enter('s', Lane::agents, 9);
  queue.drain();
  EXPECT_EQ(woken, "s");
  EXPECT_TRUE(entry('s').refused());
  woken.clear();
  enter('t', Lane::agents, 9);
  EXPECT_TRUE(entry('t').refused());
  enter('b');
  EXPECT_FALSE(entry('b').refused());
  EXPECT_EQ(turn(3), "abr");
}

TEST_F(Queue, OnceItIsClosedAllAreRefusedAtOnce) {
  enter('a');
  enter('r', Lane::reports);
  enter('s', Lane::agents, 9);
  queue.close();
  EXPECT_EQ(woken, "sar");
  for (const char name : {'a', 'r', 's'}) {
    EXPECT_TRUE(entry(name).refused());
    leave(name);
  }
  woken.clear();
  enter('b');
  EXPECT_TRUE(entry('b').refused());
  EXPECT_EQ(turn(3), "");
  EXPECT_EQ(scheduled, 0);
  leave('b');
  EXPECT_EQ(use.bytes().taken, 0U);
}

}  // namespace
}  // namespace muster::net
