// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/time.h"
#include "fleet/changes.h"
#include "fleet/nodes.h"
#include "store/postgres/postgres_wakes.h"

namespace muster {

/// Of this machine, what it sleeps counted: a lease does not outlast a suspended laptop.
fleet::NodeTime node_time();

/// Renews the server's lease on a shared database on a thread of its own, so that nothing else that
/// is due can hold it up: each limits::node_renewal, and at once when another server announces
/// something. Passes on between the servers what changed for those who watch, as often. When the
/// server's place is gone, asks the process to end (SIGTERM).
class LeaseKeeper {
 public:
  /// Joins the servers on the database at `url`, as `node`. Does nothing with an embedded store.
  /// Throws as Nodes::join().
  LeaseKeeper(fleet::Nodes& nodes, fleet::Changes& changes, const std::string& url,
              std::int64_t node, const Clock& clock, Log& log);
  /// Ends the thread and leaves.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

 private:
  void run();
  bool renew();
  bool tell_followed();
  void tell_changes();

  fleet::Nodes& nodes_;
  fleet::Changes& changes_;
  const Clock& clock_;
  Log& log_;
  std::unique_ptr<store::PostgresWakes> wakes_;
  std::atomic<bool> stopping_ = false;
  bool failing_ = false;
  bool changes_lost_ = false;  // the others were not told some
  std::thread thread_;
};

}  // namespace muster
