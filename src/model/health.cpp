// SPDX-License-Identifier: Apache-2.0
#include "model/health.h"

#include <algorithm>
#include <cmath>

namespace muster::model {

namespace {

/// Sums of fractions may end just below the number that they mean.
constexpr double slack = 1e-6;

}  // namespace

double uptime_share(const Record& record) {
  if (record.observed <= Duration(0)) return 1;
  const double away = static_cast<double>(std::max<std::int64_t>(record.away.count(), 0)) /
                      static_cast<double>(record.observed.count());
  return 1 - std::min(away, 1.0);
}

double task_success_share(const Record& record) {
  const std::int64_t finished = record.tasks_completed + record.tasks_failed;
  if (finished <= 0) return 1;
  return static_cast<double>(record.tasks_completed) / static_cast<double>(finished);
}

double stability_share(const Record& record) {
  const double lost = static_cast<double>(record.outages) / outages_without_stability;
  return 1 - std::clamp(lost, 0.0, 1.0);
}

int agent_health(const Record& record) {
  const double score =
      40 * uptime_share(record) + 30 * task_success_share(record) + 30 * stability_share(record);
  return static_cast<int>(std::floor(score + slack));
}

double percent(double share) {
  return std::floor(share * 1000 + slack) / 10;
}

std::optional<double> hours_between_outages(const Record& record) {
  if (record.outages <= 0) return std::nullopt;
  constexpr double hour_ms = 3'600'000;
  const auto present = std::max<std::int64_t>((record.observed - record.away).count(), 0);
  return static_cast<double>(present) / hour_ms / static_cast<double>(record.outages);
}

Duration observed_time(Instant enrolled_at, Duration window, Instant now) {
  return std::clamp(now - enrolled_at, Duration(0), window);
}

}  // namespace muster::model
