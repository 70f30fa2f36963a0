// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "endpoints/wiring.h"

namespace muster {

/// Finds out whether the store answers, tells those who watch what changed and the log how often
/// something failed, every second, on a thread of its own: what else is due may take longer. What
/// it is given outlives it.
class WatchKeeper {
 public:
  WatchKeeper(endpoints::Wiring& wiring, const Clock& clock);
  ~WatchKeeper();
  WatchKeeper(const WatchKeeper&) = delete;
  WatchKeeper& operator=(const WatchKeeper&) = delete;

 private:
  void run();

  endpoints::Wiring& wiring_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace muster
