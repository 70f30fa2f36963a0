// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/changes.h"
#include "http/response.h"

namespace muster::fleet {

/// Who watches, and what of.
struct Watch {
  OperatorId operator_id;
  std::optional<OrgId> org;  // of one organisation, and of what belongs to none; else of all
  /// Whether whoever watches still may; asked in each tell(), in memory.
  std::function<bool(Instant now)> admitted;
};

/// Those who are told what changes, as event streams (WHATWG HTML 9.2): a message of at most one
/// tell() each, which names topics. Of each watcher there is a set of topics and no queue, so one
/// who reads slowly is told the same later, once. Safe from several threads; outlives its streams.
class Watchers {
 public:
  /// Consoles on one server: each costs a connection and, while much changes, the questions that
  /// its page asks. The next one is refused and reads again every half minute instead.
  static constexpr std::size_t watchers_max = 1'000;
  /// Pages of one operator, in so many windows: browsers open six connections to one server.
  static constexpr std::size_t watchers_per_operator = 16;
  /// A stream ends after between half of this and all of it: its caller proves itself anew, and a
  /// new server in front of which nobody stands gets its share.
  static constexpr Duration stream_max = std::chrono::minutes(10);
  /// What was told in so many calls of tell() is told again to those who begin: their page asked
  /// before it could hear.
  static constexpr std::size_t remembered = 5;
  /// Says that it is there, more often than proxies in between give up (30 s and more).
  static constexpr Duration keep_alive = std::chrono::seconds(25);

  Watchers() = default;
  ~Watchers();
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;

  /// Begins a stream. Fails with rate_limited when the operator has watchers_per_operator, and with
  /// overloaded when there are watchers_max.
  Result<std::shared_ptr<http::LiveSource>> add(Watch watch, Instant now);

  /// Tells each what of `changed` it watches, ends the streams that are over, and those whose
  /// caller is not admitted any more. Once a second, also while there is none.
  void tell(const Changed& changed, Instant now);

  std::size_t count() const;
  /// The most that there were at one time.
  std::size_t most() const;

 private:
  class Stream;
  static Topics of_watch(const Watch& watch, const Changed& changed);
  void remove(const Stream& stream);

  mutable std::mutex mutex_;
  std::vector<Stream*> streams_;
  std::deque<Changed> recent_;
  std::size_t most_ = 0;
  std::uint64_t added_ = 0;
};

}  // namespace muster::fleet
