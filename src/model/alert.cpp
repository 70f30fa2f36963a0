// SPDX-License-Identifier: Apache-2.0
#include "model/alert.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace muster::model {

namespace {

// In the order of their enumerators.
constexpr std::array<std::string_view, 2> comparisons = {"above", "below"};
constexpr std::array<std::string_view, 3> states = {"ok", "pending", "firing"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse_word(const std::array<std::string_view, N>& words,
                               std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view alert_comparison_name(AlertComparison comparison) {
  return comparisons.at(static_cast<std::size_t>(comparison));
}

std::optional<AlertComparison> parse_alert_comparison(std::string_view word) {
  return parse_word<AlertComparison>(comparisons, word);
}

std::string_view alert_state_name(AlertState state) {
  return states.at(static_cast<std::size_t>(state));
}

std::optional<AlertState> parse_alert_state(std::string_view word) {
  return parse_word<AlertState>(states, word);
}

std::optional<bool> holds(const AlertCondition& condition, HostCount hosts) {
  switch (condition.comparison) {
    case AlertComparison::above:
      if (hosts.value > condition.threshold) return true;
      return hosts.exact ? std::optional(false) : std::nullopt;
    case AlertComparison::below:
      if (hosts.value >= condition.threshold) return false;
      return hosts.exact ? std::optional(true) : std::nullopt;
  }
  check_failed("a known comparison", __FILE__, __LINE__);
}

AlertCourse advance(const AlertCondition& condition, const AlertCourse& course, bool holds,
                    Instant now) {
  AlertCourse next{course.state, course.since, now};
  const auto enter = [&](AlertState state) {
    next.state = state;
    next.since = now;
  };
  if (!holds) {
    if (course.state != AlertState::ok) enter(AlertState::ok);
    return next;
  }
  switch (course.state) {
    case AlertState::ok:
      enter(condition.hold == Duration{} ? AlertState::firing : AlertState::pending);
      break;
    case AlertState::pending: {
      const bool seen_throughout = course.evaluated_at && *course.evaluated_at <= now &&
                                   now - *course.evaluated_at <= limits::alert_gap;
      if (!seen_throughout || course.since > now) {
        next.since = now;
      } else if (now - course.since >= condition.hold) {
        enter(AlertState::firing);
      }
      break;
    }
    case AlertState::firing:
      break;
  }
  return next;
}

}  // namespace muster::model
