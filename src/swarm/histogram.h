// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace muster::swarm {

using Micros = std::chrono::microseconds;

/// Counts of durations in buckets of at most 1/32 of what is in them, up to a day: fixed memory,
/// and every quantile is at most 3.2 % above the true one (as HdrHistogram). Longer ones count as
/// a day.
class Histogram {
 public:
  void add(Micros value);
  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  /// The largest that was added, exactly; 0 without any.
  Micros max() const { return max_; }
  /// A value that `share` (0 to 1) of all are not above: the upper end of its bucket, at most
  /// max().
  Micros quantile(double share) const;

 private:
  /// Values below this have a bucket each; from there on, half as many for each power of two.
  static constexpr std::uint64_t single = 64;
  static constexpr std::uint64_t half = single / 2;
  static constexpr std::uint64_t most = std::uint64_t{24} * 3600 * 1'000'000;  // below 2^37
  static constexpr std::size_t buckets = single + (37 - 6) * half;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  Micros max_{0};
};

}  // namespace muster::swarm
