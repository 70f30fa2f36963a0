// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/time.h"

namespace muster::store {

/// Hears when other servers on a database announced something (wake_nodes() in store/sql/nodes.h),
/// on a connection of its own. A wake may get lost, with the connection or before it is there:
/// whoever waits looks by itself from time to time. For one thread, but for interrupt().
class PostgresWakes {
 public:
  /// `node`: whose wakes are its own and not heard. Connects when it first waits. Throws
  /// std::system_error.
  PostgresWakes(std::string url, std::int64_t node);
  ~PostgresWakes();
  PostgresWakes(const PostgresWakes&) = delete;
  PostgresWakes& operator=(const PostgresWakes&) = delete;

  /// True when another server announced something or may have, false on interrupt() or after
  /// `at_most`. Connects anew if the connection is gone; while that fails it only waits.
  bool await(Duration at_most);
  /// Ends this wait, and the next one if none is under way. From any thread.
  void interrupt();

 private:
  struct Connection;
  bool heard();
  bool wait_for_socket(std::chrono::steady_clock::time_point until);

  std::string url_;
  std::string own_;
  int interrupted_;  // an eventfd
  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::store
