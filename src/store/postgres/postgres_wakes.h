// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace muster::store {

/// Hears when other servers on a database announced something (wake_nodes() in store/sql/nodes.h),
/// on a connection of its own, and passes on what they tell each other. A wake may get lost, with
/// the connection or before it is there: whoever waits looks by itself from time to time. For one
/// thread, but for interrupt().
class PostgresWakes {
 public:
  /// `node`: whose wakes are its own and not heard. `told` is called in await() with what tell()
  /// of another server was given, and with nothing when that may have got lost. Connects when it
  /// first waits. Throws std::system_error.
  PostgresWakes(std::string url, std::int64_t node,
                std::function<void(std::string_view)> told = {});
  ~PostgresWakes();
  PostgresWakes(const PostgresWakes&) = delete;
  PostgresWakes& operator=(const PostgresWakes&) = delete;

  /// True when another server announced something or may have, false on interrupt() or after
  /// `at_most`. Connects anew if the connection is gone, for a few seconds; while that fails it
  /// only waits.
  bool await(Duration at_most);
  /// Tells the other servers that listen now `text`, below 8,000 octets; nothing is stored. False
  /// when the database does not take it within a second; await() then connects anew.
  bool tell(const std::string& text);
  /// Ends this wait, and the next one if none is under way. From any thread.
  void interrupt();

 private:
  struct Connection;
  bool connect();
  bool heard();
  bool wait_for_socket(std::chrono::steady_clock::time_point until);

  std::string url_;
  std::string own_;
  std::function<void(std::string_view)> told_;
  int interrupted_;  // an eventfd
  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::store
