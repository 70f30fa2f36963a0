// SPDX-License-Identifier: Apache-2.0
#include "swarm/host.h"

namespace muster::swarm {

namespace {

constexpr Micros day = std::chrono::hours(24);

}  // namespace

std::string hostname_of(std::uint32_t host) {
  std::string digits = std::to_string(host);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return "swarm-" + digits;
}

Changes::Changes(const Scenario& scenario, std::uint32_t host, SeededRng& rng, Micros now)
    : variant_(host % static_cast<std::uint32_t>(scenario.fleet_variants)) {
  if (scenario.work_changes_per_day > 0) mean_gap_ = day / scenario.work_changes_per_day;
  next_ = now + gap(rng);
}

Micros Changes::gap(SeededRng& rng) const {
  return up_to(rng, 2 * mean_gap_);
}

std::uint32_t Changes::revision(SeededRng& rng, Micros now) {
  while (mean_gap_ > Micros(0) && next_ <= now) {
    ++revision_;
    next_ += gap(rng);
  }
  return revision_;
}

}  // namespace muster::swarm
