// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace muster {

/// Does something again and again on a thread of its own. Between two times it rests for `every`,
/// and for as long as the last time took: what it does uses half a core at most.
class Periodic {
 public:
  /// Is told whether it should come to an end. Throws nothing.
  using Work = std::function<void(const std::atomic<bool>& stopping)>;

  Periodic(Duration every, Work work);
  /// Waits for the end of what is under way.
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  void run();

  const Duration every_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable ends_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace muster
