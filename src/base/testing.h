// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "base/seeded_rng.h"
#include "base/time.h"

namespace muster {

/// 2026-03-21T14:30:00Z: when tests begin, unless they say otherwise.
inline constexpr Instant test_epoch{1'774'103'400'000};

/// Tests over whole real files take every n-th record in a build with sanitizers, where each costs
/// ten times as much: what they look for is met all the same.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t record_step = 10;
#else
inline constexpr std::size_t record_step = 1;
#endif

/// A clock that stands still until it is moved. Safe from several threads.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Instant start = test_epoch) : now_ms_(start.unix_ms) {}

  Instant now() const override { return {now_ms_.load()}; }
  void advance(Duration by) { now_ms_ += by.count(); }
  void set(Instant to) { now_ms_ = to.unix_ms; }

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace muster
