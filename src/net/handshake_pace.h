// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>

#include "base/unique_function.h"

namespace muster::net {

/// Lets TLS handshakes, each as dear as forty requests, take turns with everything else on their
/// thread: a few steps, then whatever else is ready, and so on. Also bounds how many are under way,
/// since each holds tens of KiB. Not thread-safe.
class HandshakePace {
 public:
  using Resume = UniqueFunction<void()>;

  /// `schedule` makes the thread call turn() once, after all that is ready now.
  HandshakePace(std::size_t places, std::size_t steps_per_turn, UniqueFunction<void()> schedule)
      : places_(places), steps_per_turn_(steps_per_turn), schedule_(std::move(schedule)) {}

  /// Calls `resume` in some turn, once there is a place, which is then the caller's until leave().
  void enter(Resume resume);
  /// Calls `resume` in some turn; before those who wait to enter. For those who have a place.
  void step(Resume resume);
  void leave();

  void turn();

  std::size_t under_way() const { return under_way_; }
  /// More than half of the places are taken: slow ones get less time.
  bool crowded() const { return under_way_ > places_ / 2; }

 private:
  bool has_next() const { return !steps_.empty() || (!entrants_.empty() && under_way_ < places_); }
  Resume take_next();
  void schedule_if_due();

  std::size_t places_;
  std::size_t steps_per_turn_;
  UniqueFunction<void()> schedule_;
  std::size_t under_way_ = 0;
  bool scheduled_ = false;
  std::deque<Resume> steps_;
  std::deque<Resume> entrants_;
};

}  // namespace muster::net
