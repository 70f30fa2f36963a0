// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/application.h"
#include "http/transport_use.h"
#include "net/exchange.h"

namespace muster::net {

/// One request for a worker and where its reply goes; or, when its answer is under way, the wish
/// for the next piece of that.
struct Work {
  std::uint64_t ticket = 0;
  std::unique_ptr<Exchange> exchange;
  std::shared_ptr<Mailbox> reply_to;
};

/// A few threads that run what may block: store reads and large bodies.
class Workers {
 public:
  Workers(http::Application& application, std::size_t threads, std::size_t waiting_max);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False, leaving `work` untouched, when `waiting_max` already wait.
  bool submit(Work& work);
  /// As submit, for what has begun: there is always room.
  void go_on(Work work);

  /// Work that waits, the most that did at one time, and how much may.
  http::Places use();

  /// Finishes what runs, drops what waits, joins.
  void stop();

 private:
  void run();

  http::Application& service_;
  std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> waiting_;
  std::size_t most_waiting_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muster::net
