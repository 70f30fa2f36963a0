// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <stdlib.h>

#include "base/random.h"
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

/// The repository: the closest folder above this binary that holds CMakePresets.json. No path is
/// compiled into a test, so that two clones share what ccache keeps.
inline std::filesystem::path source_directory() {
  for (auto folder = std::filesystem::read_symlink("/proc/self/exe"); folder.has_relative_path();) {
    folder = folder.parent_path();
    if (std::filesystem::exists(folder / "CMakePresets.json")) return folder;
  }
  throw std::runtime_error("this test binary stands in no clone of the repository");
}

/// A file of real data that is not part of the repository: below $MUSTER_DATA, else beside the
/// repository. Nothing when it is absent; the test then skips and says so.
inline std::optional<std::filesystem::path> shared_data(std::string_view name) {
  const char* set = ::getenv("MUSTER_DATA");
  const auto root =
      set ? std::filesystem::path(set) : source_directory().parent_path() / "shared/data";
  auto path = root / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

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

/// The same numbers in every run: SplitMix64 (Steele, Lea, Flood 2014). Safe from several threads.
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
