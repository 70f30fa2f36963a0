// SPDX-License-Identifier: Apache-2.0
#include "sim/steps.h"

#include <algorithm>

namespace muster::sim {

void Steps::at(Instant when, UniqueFunction<void()> step) {
  heap_.push_back({std::max(when, now()), rng_.next_u64(), std::move(step)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool Steps::run_one(Instant until) {
  if (heap_.empty() || heap_.front().at > until) {
    clock_.set(std::max(until, now()));
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Step step = std::move(heap_.back());
  heap_.pop_back();
  clock_.set(step.at);
  step.run();
  return true;
}

}  // namespace muster::sim
