// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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

struct WorkerBounds {
  std::size_t threads = 0;
  /// Requests that may wait, and of these operators'.
  std::size_t waiting_max = 0;
  std::size_t operators_waiting_max = 0;
  /// Of all, those of callers who have proved nothing.
  std::size_t strangers_waiting_max = 0;
  /// Of several threads one never works for operators.
  bool keeps_one_for_agents = false;
};

/// A few threads that run what may block: store reads and large bodies. Who goes first is in
/// http::Lane; pieces of answers under way come between reports and operators; one turn in
/// limits::later_reads_share is of whoever would come last.
class Workers {
 public:
  Workers(http::Application& application, const WorkerBounds& bounds);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False, leaving `work` untouched, when too many already wait.
  bool submit(Work& work);
  /// As submit, for what has begun: there is always room, and it takes none of others'.
  void go_on(Work work);

  /// Requests that wait, the most that did at one time, and how many may.
  http::Places use();

  /// Finishes what runs, drops what waits, joins.
  void stop();

 private:
  enum Queue : std::size_t { agents, reports, pieces, operators, queue_count };
  static Queue queue_of(http::Lane lane);

  void run();
  /// Nothing when what waits must go on waiting. Under the lock.
  std::deque<Work>* next_queue();
  std::size_t requests_waiting() const;

  http::Application& service_;
  const WorkerBounds bounds_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::array<std::deque<Work>, queue_count> waiting_;
  std::size_t most_waiting_ = 0;
  std::size_t turns_ = 0;
  std::size_t for_operators_ = 0;  // threads that work for them
  std::size_t strangers_ = 0;      // requests of theirs that wait
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muster::net
