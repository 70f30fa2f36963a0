// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>

#include "base/time.h"
#include "fleet/credentials.h"
#include "model/node_lease.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

namespace muster::fleet {

/// How a server measures its lease: elapsed time, and a way to let some of it pass. An embedded
/// store needs neither.
struct NodeTime {
  std::function<model::Uptime()> uptime;
  std::function<void(Duration)> pause;
};

/// This server among those on its database (mission rule 1; rules in model/node_lease.h): renews
/// its lease, follows what others announce, and makes a revocation wait until all have followed.
/// With an embedded store there are no others, and nothing here does anything.
class Nodes {
 public:
  Nodes(store::Store& store, Credentials& credentials, NodeTime time);

  /// In the moment in which the rest of the memory is loaded: what is announced later is followed.
  void load(store::Reader& reader);

  /// There can be no other server: the store is embedded.
  bool alone() const { return alone_; }

  /// Throws std::runtime_error if another server lives on the database: tasks, presence and
  /// packages in memory are not shared yet. Takes a lease's length if one before this ended without
  /// leave(). Throws store::StoreError.
  void refuse_company();
  /// Adds this server. Throws store::StoreError.
  void join(Instant now);
  /// Due every limits::node_renewal: renews the lease and follows the others. On one thread. Throws
  /// store::StoreError, and std::runtime_error when this server was away so long that its place is
  /// gone; it then has to start anew.
  void renew(Instant now);
  /// So that the next server need not wait. Throws store::StoreError.
  void leave();

  /// Whether agents may be served now. Safe from any thread.
  bool may_serve() const {
    return alone_ || model::NodeLease{model::Uptime(lease_until_.load())}.holds(time_.uptime());
  }

  /// Returns when every other server follows what was committed before this call, or has lost its
  /// lease. Waits, so not for an IO thread. Throws store::StoreError when the database does not
  /// let it find out; what was committed stays.
  void await_followers();

 private:
  bool follow(Instant now);

  store::Store& store_;
  Credentials& credentials_;
  const NodeTime time_;
  const bool alone_;
  std::int64_t followed_ = 0;
  int renewals_until_pruning_ = 0;
  std::atomic<Duration::rep> lease_until_ = 0;
};

}  // namespace muster::fleet
