// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

/// The formulas of docs/reference/health.md. All shares are between 0 and 1, and each of them, and
/// so each figure made of them, reaches its upper end when nothing went wrong.
namespace muster::model {

/// The windows of an agent's health, and of a fleet's uptime and time between failures.
inline constexpr Duration health_window = std::chrono::hours(24 * 7);
inline constexpr Duration uptime_window = std::chrono::hours(24 * 30);
/// An agent that was silent for as long is stale.
inline constexpr Duration stale_after = std::chrono::hours(24 * 7);
/// So many outages within health_window leave nothing of an agent's stability.
inline constexpr std::int64_t outages_without_stability = 10;

/// What is known of one agent, or the sum of many, over a window.
struct Record {
  Duration observed{};  // from its enrolment or the start of the window, whichever is later
  Duration away{};      // of that, in outages
  std::int64_t outages = 0;
  std::int64_t tasks_completed = 0;
  std::int64_t tasks_failed = 0;
};

/// The share of the observed time that was not spent in outages; 1 if there was no time yet.
double uptime_share(const Record& record);
/// The share of finished tasks that were not failed; 1 if none finished.
double task_success_share(const Record& record);
/// 1 without outages, 0 from outages_without_stability on.
double stability_share(const Record& record);
/// 40 parts uptime, 30 task success, 30 stability: 0 to 100, rounded down, so that 100 says that
/// nothing went wrong.
int agent_health(const Record& record);
/// A share as a percentage, rounded down to a tenth: 100 says that nothing is missing.
double percent(double share);
/// Hours of presence for each outage; nothing without outages.
std::optional<double> hours_between_outages(const Record& record);
/// How long an agent that enrolled then was observed in a window that ends now.
Duration observed_time(Instant enrolled_at, Duration window, Instant now);

}  // namespace muster::model
