// SPDX-License-Identifier: Apache-2.0
#include "swarm/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace muster::swarm {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < single) return value;
  const auto power = static_cast<std::uint64_t>(std::bit_width(value / single));
  return single + (power - 1) * half + (value >> power) - half;
}

/// The largest value of a bucket.
std::uint64_t Histogram::end_of(std::size_t bucket) {
  if (bucket < single) return bucket;
  const std::uint64_t power = (bucket - half) / half;
  const std::uint64_t within = (bucket - half) % half + half;
  return ((within + 1) << power) - 1;
}

void Histogram::add(Micros value) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.count()));
  ++counts_[bucket_of(std::min(count, most))];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Micros Histogram::quantile(double share) const {
  if (count_ == 0) return Micros(0);
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(max_, Micros(static_cast<std::int64_t>(end_of(i))));
  }
  return max_;
}

}  // namespace muster::swarm
