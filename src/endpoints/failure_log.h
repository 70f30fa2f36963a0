// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/log.h"
#include "base/time.h"

namespace muster::endpoints {

/// Logs requests that failed because something is broken: of each route the first at once, and then
/// how many followed, once in tell_every. An outage of the store fails every request, and a line
/// for each would bury what else the log says. Safe from several threads but for tell().
class FailureLog {
 public:
  static constexpr Duration tell_every = std::chrono::minutes(1);

  explicit FailureLog(Log& log) : log_(log) {}

  /// `where`, a route's name, outlives this.
  void note(std::string_view where, std::string_view what);
  /// To be called every second or so. A route that had none since the last time begins anew.
  void tell(Instant now);

 private:
  struct Unlogged {
    std::int64_t count = 0;
    std::string what;  // the last of them
  };
  using Routes = std::map<std::string_view, Unlogged>;

  Log& log_;
  Guarded<Routes> routes_;
  std::optional<Instant> told_at_;
};

}  // namespace muster::endpoints
