// SPDX-License-Identifier: Apache-2.0
#include "model/node_lease.h"

#include <cstdio>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace muster::model {
namespace {

/// One server renews, another revokes a key, and the database stands between them; every order of
/// their steps is walked, over a few renewals. Time passes in steps of half a lease.
///
/// The renewing server's transaction locks its row when it begins and reads what was announced when
/// it has the lock, which is what fleet/nodes.cpp does.
struct World {
  int now = 0;

  // The row of the server that renews, and the revocation's announcement.
  int renewals = 0;
  bool followed_in_row = false;
  bool lapsed = false;
  bool revoked = false;

  // The server that renews.
  enum class Renewing : std::uint8_t { idle, asked, locked, read, committed } renewing{};
  int asked = 0;
  bool read_revocation = false;
  bool followed = false;  // in its memory: the key is refused
  int lease_until = 0;
  bool stopped = false;  // it crashed, or hangs for good

  // The server that revokes.
  enum class Revoking : std::uint8_t { idle, waits, looked, answered } revoking{};
  NodeWatch watch;
  int looked = 0;
  int seen_renewals = 0;
  bool seen_followed = false;
  bool seen_lapsed = false;

  auto key() const {
    return std::make_tuple(now, renewals, followed_in_row, lapsed, revoked, renewing, asked,
                           read_revocation, followed, lease_until, stopped, revoking,
                           watch.renewals, watch.since.count(), looked, seen_renewals,
                           seen_followed, seen_lapsed);
  }
  bool operator<(const World& other) const { return key() < other.key(); }
};

/// A step of time; a lease is two of them and its margin less than one.
constexpr Duration tick = limits::node_lease / 2;
constexpr int last_tick = 6;
constexpr int renewals_max = 2;
Uptime uptime(int ticks) {
  return ticks * tick;
}

struct Rules {
  bool lapse_locks_the_row = true;  // also of a row that lapsed before
  bool row_says_what_memory_has = true;
  bool lease_counts_from_asking = true;
};

bool row_is_locked(const World& w) {
  return w.renewing == World::Renewing::locked || w.renewing == World::Renewing::read;
}

void renew(const World& w, const Rules& rules, std::vector<World>& next) {
  if (w.stopped) return;
  World after = w;
  switch (w.renewing) {
    case World::Renewing::idle:
      if (w.renewals == renewals_max) return;
      after.asked = w.now;
      after.renewing = World::Renewing::asked;
      break;
    case World::Renewing::asked:
      after.renewing = World::Renewing::locked;
      break;
    case World::Renewing::locked:
      after.read_revocation = w.revoked;
      after.renewing = World::Renewing::read;
      break;
    case World::Renewing::read:
      after.renewals += 1;
      after.lapsed = false;
      after.followed_in_row = rules.row_says_what_memory_has ? w.followed : w.read_revocation;
      after.renewing = World::Renewing::committed;
      break;
    case World::Renewing::committed: {
      after.followed = w.followed || w.read_revocation;
      const int from = rules.lease_counts_from_asking ? w.asked : w.now;
      after.lease_until = static_cast<int>(NodeLease::renewed(uptime(from)).until / tick);
      after.renewing = World::Renewing::idle;
      after.read_revocation = false;
      after.asked = 0;
      break;
    }
  }
  next.push_back(after);
}

void revoke(const World& w, const Rules& rules, std::vector<World>& next) {
  World after = w;
  switch (w.revoking) {
    case World::Revoking::idle:
      after.revoked = true;
      after.revoking = World::Revoking::waits;
      break;
    case World::Revoking::waits:  // takes the time, then reads the row
      after.looked = w.now;
      after.seen_renewals = w.renewals;
      after.seen_followed = w.followed_in_row;
      after.seen_lapsed = w.lapsed;
      after.revoking = World::Revoking::looked;
      break;
    case World::Revoking::looked: {
      after.revoking = World::Revoking::waits;
      const bool over = after.watch.has_lapsed(w.seen_renewals, uptime(w.looked)) || w.seen_lapsed;
      if (w.seen_followed) {
        after.revoking = World::Revoking::answered;
      } else if (w.seen_lapsed && !rules.lapse_locks_the_row) {
        after.revoking = World::Revoking::answered;
      } else if (over) {
        if (row_is_locked(w)) return;  // the update waits for the row
        if (w.renewals == w.seen_renewals) {
          after.lapsed = true;
          after.revoking = World::Revoking::answered;
        }
      }
      break;
    }
    case World::Revoking::answered:
      return;
  }
  if (after.revoking != World::Revoking::looked) {
    after.looked = after.seen_renewals = 0;
    after.seen_followed = after.seen_lapsed = false;
  }
  if (after.revoking == World::Revoking::answered) after.watch = {};
  next.push_back(after);
}

std::vector<World> after(const World& w, const Rules& rules) {
  std::vector<World> next;
  renew(w, rules, next);
  revoke(w, rules, next);
  if (w.now < last_tick) {
    World later = w;
    later.now += 1;
    if (later.lease_until <= later.now) later.lease_until = 0;
    next.push_back(later);
  }
  if (!w.stopped) {
    World dead = w;
    dead.stopped = true;
    // Its transaction is rolled back and its lock goes.
    if (row_is_locked(w)) dead.renewing = World::Renewing::asked;
    next.push_back(dead);
  }
  return next;
}

struct Walk {
  std::size_t states = 0;
  std::optional<World> broken;  // answered, and the key is accepted all the same
  bool answered_without_it = false;
};

Walk walk(const Rules& rules) {
  World lapsed_before;
  lapsed_before.lapsed = true;
  std::set<World> seen;
  std::deque<World> open = {World{}, lapsed_before};
  Walk result;
  while (!open.empty() && !result.broken) {
    const World w = open.front();
    open.pop_front();
    if (!seen.insert(w).second) continue;
    // A server that stopped may still run what it holds in memory, so it counts as well.
    const bool serves = NodeLease{uptime(w.lease_until)}.holds(uptime(w.now));
    if (w.revoking == World::Revoking::answered) {
      if (serves && !w.followed) result.broken = w;
      if (!w.followed) result.answered_without_it = true;
    }
    for (World& next : after(w, rules)) open.push_back(next);
  }
  result.states = seen.size();
  return result;
}

TEST(NodeLease, NoServerAcceptsAKeyOnceItsRevocationWasAnswered) {
  const Walk result = walk({});
  EXPECT_FALSE(result.broken.has_value());
  EXPECT_TRUE(result.answered_without_it);  // a dead server does not hold a revocation up
  RecordProperty("states", static_cast<int>(result.states));
  std::printf("%zu states\n", result.states);
}

TEST(NodeLease, EachRuleIsNeeded) {
  EXPECT_TRUE(walk({.lapse_locks_the_row = false}).broken.has_value());
  EXPECT_TRUE(walk({.row_says_what_memory_has = false}).broken.has_value());
  EXPECT_TRUE(walk({.lease_counts_from_asking = false}).broken.has_value());
}

}  // namespace
}  // namespace muster::model
