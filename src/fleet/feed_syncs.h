// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/log.h"
#include "base/random.h"
#include "fleet/feed_sync.h"
#include "fleet/nodes.h"

namespace muster::fleet {

/// Numbers of one feed, for /metrics.
struct FeedNumbers {
  feeds::FeedKind kind;
  std::optional<Instant> imported_at;
  std::optional<Instant> checked_at;
  std::int64_t records = 0;
  std::int64_t failures = 0;  // in a row
};

/// Has a feed synced by whoever does that next, also after a restart. Audited.
void request_feed_sync(store::Tx& tx, NumberIds& ids, const Actor& actor, feeds::FeedKind kind,
                       bool full, Instant now);

/// The syncs of a server: what operators asked for and what the schedule wants, one at a time, on a
/// thread of their own that `main` runs. What was asked for survives a restart. Functions are safe
/// from any thread unless they say otherwise.
class FeedSyncs {
 public:
  /// `every`: of the schedule; 0 is never.
  FeedSyncs(const FeedTarget& target, const Nodes& nodes, Duration every);

  /// request_feed_sync(), and has it begin as soon as the one that is under way ends. Throws
  /// store::StoreError.
  void request(feeds::FeedKind kind, bool full, const Actor& actor, Instant now);

  /// What is synced now.
  std::optional<SyncProgress> running() const;
  /// As of the last count().
  std::vector<FeedNumbers> numbers() const;
  void count();

  /// The thread's part: syncs everything that is due, or nothing while this server does not lead.
  /// `world.goes_on` and `world.pause` are extended by what this object knows. Throws
  /// store::StoreError.
  void run_due(const FeedSources& sources, SyncWorld world, Rng& rng, Log& log);
  /// Waits at most so long for a request, or for stop(). False once it was stopped.
  bool await_request(Duration at_most);
  /// Ends what is under way, and every wait.
  void stop();

 private:
  void run_one(const FeedSources& sources, const SyncWorld& world, feeds::FeedKind kind, bool full,
               Rng& rng, Log& log);
  bool pause(Duration time);

  FeedTarget target_;
  const Nodes& nodes_;
  const Duration every_;
  Guarded<std::optional<SyncProgress>> running_;
  Guarded<std::vector<FeedNumbers>> numbers_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
  bool stopping_ = false;
};

/// When a scheduled sync comes after one that ended at `now`: `every` and up to a tenth more;
/// sooner after a failure, at first a quarter of an hour, then twice as long each time. `draw` is
/// random.
Instant next_sync(Instant now, Duration every, std::int64_t failures, std::uint64_t draw);

}  // namespace muster::fleet
