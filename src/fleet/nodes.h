// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "base/time.h"
#include "base/unique_function.h"
#include "fleet/announcements.h"
#include "model/node_lease.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

class Catalogue;

/// How a server measures its lease: elapsed time, and a way to let some of it pass. An embedded
/// store needs neither, nor does whoever is certain to be alone on a database.
struct NodeTime {
  std::function<model::Uptime()> uptime;
  std::function<void(Duration)> pause;
};

/// This server among those on its database (mission rule 1; rules in model/node_lease.h; ADRs 11
/// and 17): renews its lease, follows what others announce, makes a revocation wait until all have
/// followed, and knows which of them does what is to be done once. When one is gone that may have
/// stored what does not follow the newest imports, it has every host matched again. With an
/// embedded store there are no others, and nothing here does anything.
class Nodes {
 public:
  Nodes(store::Store& store, NumberIds& ids, const Catalogue& catalogue, const SharedMemory& memory,
        NodeTime time);

  /// In the moment in which the rest of the memory is loaded: what is announced later is followed,
  /// before each write transaction of this server and in each renewal.
  void load(store::Reader& reader);

  /// There can be no other server: the store is embedded, or no time was given.
  bool alone() const { return alone_; }

  /// Adds this server, with a place of its own for its ids. Throws store::StoreError, and
  /// std::runtime_error when others announced more meanwhile than is kept, when it has to start
  /// anew, and when there is no place.
  void join(Instant now);
  /// Due every limits::node_renewal, and when another server announced something: renews the lease
  /// and follows the others. On one thread. Throws store::StoreError, and std::runtime_error when
  /// this server was away so long that its place is gone; it then has to start anew.
  void renew(Instant now);
  /// So that the next server need not wait. Throws store::StoreError.
  void leave();

  /// Whether agents may be served now. Safe from any thread.
  bool may_serve() const {
    return alone_ || model::NodeLease{model::Uptime(lease_until_.load())}.holds(time_.uptime());
  }
  /// Whether it is for this server to do what one of them does for all. Safe from any thread.
  bool leads() const { return alone_ || (leads_.load() && may_serve()); }
  /// Servers whose lease holds, this one counted, as of the last renewal. Safe from any thread.
  std::int64_t live() const { return live_.load(std::memory_order_relaxed); }
  /// Whether another server lived at any time since the last call, and may have stored what this
  /// one does not know. On one thread.
  bool had_company() { return company_.exchange(live() > 1); }
  /// This server's part of what all of them may take of one caller in a minute; 0 stays 0. Callers
  /// come to the servers in turn, so the parts are equal, and rounded up: N servers may take up to
  /// N - 1 calls more together. Safe from any thread.
  std::int64_t share_of(std::int64_t per_minute) const;

  /// Returns when every other server follows what was committed before this call, or has lost its
  /// lease. Waits, so not for an IO thread. Throws store::StoreError when the database does not
  /// let it find out; what was committed stays.
  void await_followers();

  /// Returns when every other server has renewed since join(), and so counts this one among those
  /// that must follow, or has lost its lease. Waits and throws as await_followers().
  void await_known();
  /// Calls `then` when every other server follows what was committed before this call, or has lost
  /// its lease, or after limits::follow_patience: at once where there is no other, else in
  /// tell_followed(). For what was made, not for what was revoked. Safe from any thread.
  void when_followed(UniqueFunction<void()> then);
  /// What when_followed() calls when something begins to wait; nothing if empty.
  void wake_by(std::function<void()> wake);
  /// Calls what waits and may be called; true if some goes on waiting. On the thread that renews.
  bool tell_followed();
  /// Calls all that waits: the server ends.
  void tell_all();

 private:
  struct Waiting {
    model::Uptime since{0};
    std::int64_t target = -1;  // the newest announcement that it waits for; -1: not read yet
    UniqueFunction<void()> then;
  };

  void catch_up(store::Reader& reader);
  void look_at_others(store::Tx& tx, model::Uptime looked, Instant now);
  void follow_leading(bool leads);

  store::Store& store_;
  NumberIds& ids_;
  const Catalogue& catalogue_;
  const SharedMemory memory_;
  const NodeTime time_;
  const bool alone_;
  std::int64_t followed_ = 0;  // the writer's
  std::atomic<bool> place_gone_ = false;
  int renewals_until_pruning_ = 0;
  std::map<std::int64_t, model::NodeWatch> watches_;
  std::atomic<Duration::rep> lease_until_ = 0;
  std::atomic<bool> leads_ = false;
  std::atomic<std::int64_t> live_ = 1;
  std::atomic<bool> company_ = false;

  std::mutex waiting_mutex_;
  std::deque<Waiting> waiting_;
  std::function<void()> wake_;
};

}  // namespace muster::fleet
