// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "base/unique_function.h"

namespace muster::sim {

/// A stream of random numbers of its own for each concern, so that one more draw of one concern
/// leaves all others as they were.
inline SeededRng fork(std::uint64_t seed, std::string_view concern) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char c : concern) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return SeededRng(SeededRng(seed).next_u64() ^ hash);
}

/// True `thousandths` times of a thousand.
inline bool chance(SeededRng& rng, std::size_t thousandths) {
  return rng.below(1000) < thousandths;
}
/// A moment of `least` to `most`, both included.
inline Duration between(SeededRng& rng, Duration least, Duration most) {
  return least + Duration(static_cast<std::int64_t>(
                     rng.below(static_cast<std::size_t>((most - least).count()) + 1)));
}

/// Everything that is to happen, and the only clock: steps run by time, and those of one moment in
/// an order that the seed chooses.
class Steps {
 public:
  explicit Steps(std::uint64_t seed) : rng_(fork(seed, "steps")) {}

  const Clock& clock() const { return clock_; }
  Instant now() const { return clock_.now(); }

  void after(Duration wait, UniqueFunction<void()> step) { at(now() + wait, std::move(step)); }
  void at(Instant when, UniqueFunction<void()> step);

  /// Runs the next step that is due by `until`; without one the clock moves there and the answer is
  /// false.
  bool run_one(Instant until);
  /// Forgets all that was to happen.
  void clear() { heap_.clear(); }

 private:
  struct Step {
    Instant at;
    std::uint64_t tie = 0;
    UniqueFunction<void()> run;
  };
  static bool later(const Step& a, const Step& b) {
    return a.at != b.at ? a.at > b.at : a.tie > b.tie;
  }

  SeededRng rng_;
  FakeClock clock_;
  std::vector<Step> heap_;
};

}  // namespace muster::sim
