// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace muster {

using AlertId = NumberId<struct AlertTag>;
using WebhookId = NumberId<struct WebhookTag>;

}  // namespace muster

/// Alerts by query (docs/adr/0030): how many hosts a query means, against a threshold, and for how
/// long. All of it is functions of values.
namespace muster::model {

enum class AlertComparison : std::uint8_t { above, below };
/// "above", "below"
std::string_view alert_comparison_name(AlertComparison comparison);
std::optional<AlertComparison> parse_alert_comparison(std::string_view word);

struct AlertCondition {
  AlertComparison comparison = AlertComparison::above;
  std::int64_t threshold = 0;  // hosts
  Duration hold{};             // 0: it fires as soon as it holds
  friend bool operator==(const AlertCondition&, const AlertCondition&) = default;
};

/// ok: it does not hold. pending: it holds, not for long enough yet. firing: it does.
enum class AlertState : std::uint8_t { ok, pending, firing };
/// "ok", "pending", "firing"
std::string_view alert_state_name(AlertState state);
std::optional<AlertState> parse_alert_state(std::string_view word);

/// How many hosts there were: so many, or at least so many.
struct HostCount {
  std::int64_t value = 0;
  bool exact = true;
  friend bool operator==(const HostCount&, const HostCount&) = default;
};
/// Whether the condition holds; nothing where a count that may be larger does not say.
std::optional<bool> holds(const AlertCondition& condition, HostCount hosts);

/// Where an alert stands.
struct AlertCourse {
  AlertState state = AlertState::ok;
  Instant since;                        // of the state
  std::optional<Instant> evaluated_at;  // when it was last known whether the condition holds
  friend bool operator==(const AlertCourse&, const AlertCourse&) = default;
};

/// Where an alert stands once it is known at `now` whether its condition holds. Ends in the same
/// state, or one step further: ok to pending, or straight to firing where nothing is to be waited
/// for; pending to firing; both to ok. Time that nobody looked at (limits::alert_gap) does not
/// count as time for which it held, and neither does time that went back.
AlertCourse advance(const AlertCondition& condition, const AlertCourse& course, bool holds,
                    Instant now);

}  // namespace muster::model

namespace muster::limits {

/// Between two evaluations: longer, and the server was away or could not keep up.
inline constexpr Duration alert_gap = std::chrono::minutes(5);
/// A month: longer holds are not alerts any more.
inline constexpr std::int64_t alert_hold_seconds_max = std::int64_t{31} * 24 * 3600;

}  // namespace muster::limits
