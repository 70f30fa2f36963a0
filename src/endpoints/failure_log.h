// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/log.h"
#include "base/time.h"

namespace muster::endpoints {

/// Logs what fails with every request while something is broken: of each kind the first at once,
/// and then how many followed, with the reason of the last, once in tell_every. An outage of the
/// store fails every request, and anybody can ask for what a provider that is down would do; a line
/// for each would bury what else the log says, and fill its disk. Safe from several threads but for
/// tell().
class FailureLog {
 public:
  static constexpr Duration tell_every = std::chrono::minutes(1);

  /// The texts outlive this.
  struct Kind {
    LogLevel level = LogLevel::error;
    std::string_view event;
    std::string_view where;  // a route's name, or empty
    friend auto operator<=>(const Kind&, const Kind&) = default;
  };

  explicit FailureLog(Log& log) : log_(log) {}

  void note(const Kind& kind, std::string_view what);
  /// To be called every second or so. A kind that had none since the last time begins anew.
  void tell(Instant now);

 private:
  struct Unlogged {
    std::int64_t count = 0;
    std::string what;  // the last of them
  };
  using Kinds = std::map<Kind, Unlogged>;

  void write(const Kind& kind, std::string_view what, std::optional<std::int64_t> count);

  Log& log_;
  Guarded<Kinds> kinds_;
  std::optional<Instant> told_at_;
};

}  // namespace muster::endpoints
