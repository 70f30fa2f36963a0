// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/random.h"

namespace muster {

/// The same numbers in every run, for tests, simulations and simulated fleets; never for secrets:
/// SplitMix64 (Steele, Lea, Flood 2014). Safe from several threads.
class SeededRng final : public Rng {
 public:
  /// Neighbouring seeds give streams that have nothing in common.
  explicit SeededRng(std::uint64_t seed = 1) : state_(mixed(seed + step)) {}

  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      const std::uint64_t word = next_word();
      const std::size_t taken = std::min(out.size(), sizeof word);
      std::memcpy(out.data(), &word, taken);
      out = out.subspan(taken);
    }
  }
  /// A number below `bound`.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next_word() % bound); }

 private:
  static constexpr std::uint64_t step = 0x9E3779B97F4A7C15U;

  std::uint64_t next_word() { return mixed(state_.fetch_add(step) + step); }

  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  std::atomic<std::uint64_t> state_;
};

}  // namespace muster
