// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/time.h"
#include "fleet/nodes.h"

namespace muster {

/// Of this machine, what it sleeps counted: a lease does not outlast a suspended laptop.
fleet::NodeTime node_time();

/// Renews the server's lease on a shared database on a thread of its own, so that nothing else that
/// is due can hold it up. When the server's place is gone, asks the process to end (SIGTERM).
class LeaseKeeper {
 public:
  /// Joins the servers on the database. Throws as Nodes::refuse_company() and Nodes::join().
  LeaseKeeper(fleet::Nodes& nodes, const Clock& clock, Log& log);
  /// Ends the thread and leaves.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

 private:
  void run();
  bool renew();

  fleet::Nodes& nodes_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  bool failing_ = false;
  std::thread thread_;
};

}  // namespace muster
