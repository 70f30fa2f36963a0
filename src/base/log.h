// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json_write.h"
#include "base/time.h"

namespace muster {

enum class LogLevel { info, warning, error };

/// JSON lines: an event name and its fields, never free text, never a secret.
///
///     log.write(LogLevel::info, "server_started", [&](JsonWriter& f) { f.member("port", 8480); });
///
/// Safe to call from several threads; a line is written whole.
class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;

  Log(const Clock& clock, Sink sink);
  void write(LogLevel level, std::string_view event,
             const std::function<void(JsonWriter&)>& fields = {});

  /// Writes to standard error. A line for which a pipe or socket has no room is lost: whoever reads
  /// the log and stands still must not make the server stand still (pipe(7): a pipe that takes
  /// anything takes PIPE_BUF octets, which few lines exceed).
  static Sink standard_error();

 private:
  const Clock& clock_;
  Sink sink_;
};

}  // namespace muster
