// SPDX-License-Identifier: Apache-2.0
#include "model/task_result.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/text.h"
#include "model/task.h"

namespace muster::model {

namespace {

constexpr std::array<std::string_view, 5> outcome_names = {"not_run", "inconclusive", "protected",
                                                           "error", "unprotected"};

constexpr std::string_view flag_names[] = {
#define RESULT_FLAG(name) #name,
#include "model/result_flags.def"
#undef RESULT_FLAG
};

/// How many controls there are of a kind: those that were skipped may count as one or not.
struct Range {
  std::int64_t least = 0;
  std::int64_t most = 0;

  void add(bool for_certain) {
    least += for_certain ? 1 : 0;
    most += 1;
  }
  bool holds(const std::optional<std::int64_t>& claim) const {
    return !claim || (*claim >= least && *claim <= most);
  }
};

bool totals_hold(const BundleClaims& claims, const std::vector<Control>& controls) {
  Range passed;
  Range failed;
  for (const Control& control : controls) {
    (control.compliant ? passed : failed).add(!control.skipped);
  }
  const auto count = static_cast<std::int64_t>(controls.size());
  return claims.total.value_or(count) == count && passed.holds(claims.passed) &&
         failed.holds(claims.failed);
}

void flag_times(TaskResult& result) {
  const Result<Instant> started = parse_rfc3339(result.started_at);
  const Result<Instant> completed = parse_rfc3339(result.completed_at);
  const Instant latest = result.received_at + limits::result_clock_margin;
  if (started.ok() && completed.ok() && *completed < *started) {
    result.flags.set(ResultFlag::ends_before_start);
  }
  if ((started.ok() && *started > latest) || (completed.ok() && *completed > latest)) {
    result.flags.set(ResultFlag::in_the_future);
  }
}

bool is_foreign(std::string_view claim, std::string_view truth) {
  return !claim.empty() && !equal_folded(claim, truth);
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  return outcome_names[static_cast<std::size_t>(outcome)];
}

std::optional<Outcome> parse_outcome(std::string_view text) {
  const auto* const found = std::find(outcome_names.begin(), outcome_names.end(), text);
  if (found == outcome_names.end()) return std::nullopt;
  return static_cast<Outcome>(found - outcome_names.begin());
}

Outcome outcome_of(std::int64_t exit_code) {
  constexpr std::int64_t ntstatus_error = 0xC0000000;
  constexpr std::int64_t ntstatus_last = 0xFFFFFFFF;
  switch (exit_code) {
    case 101:
      return Outcome::unprotected;
    case 105:
    case 126:
    case 127:
      return Outcome::protected_;
    case 1:
    case 259:
    case 999:
      return Outcome::error;
    default:
      break;
  }
  const bool crashed = exit_code >= ntstatus_error && exit_code <= ntstatus_last;
  return exit_code < 0 || crashed ? Outcome::error : Outcome::inconclusive;
}

Outcome outcome_of(const Control& control) {
  return control.skipped ? Outcome::not_run : outcome_of(control.exit_code);
}

Outcome outcome_of(const TaskResult& result) {
  if (result.controls.empty()) return outcome_of(result.exit_code);
  Outcome speaks = Outcome::not_run;
  for (const Control& control : result.controls) speaks = std::max(speaks, outcome_of(control));
  return speaks;
}

Output::Output(std::string text, bool truncated) : text_(std::move(text)), truncated_(truncated) {
  if (!text_.empty()) sha256_ = crypto::sha256(text_);
}

std::vector<std::string_view> ResultFlags::names() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::size(flag_names); ++i) {
    if (has(static_cast<ResultFlag>(i))) names.push_back(flag_names[i]);
  }
  return names;
}

void flag_untruths(TaskResult& result, const ResultClaims& claims, const Task& task) {
  if (is_foreign(claims.task, task.id.text())) result.flags.set(ResultFlag::foreign_task);
  if (is_foreign(claims.test, task.test_uuid)) result.flags.set(ResultFlag::foreign_test);
  if (claims.bundle) {
    if (is_foreign(claims.bundle->id, task.test_uuid)) {
      result.flags.set(ResultFlag::foreign_bundle);
    }
    const bool whole = !result.flags.has(ResultFlag::controls_left_out);
    if (whole && !totals_hold(*claims.bundle, result.controls)) {
      result.flags.set(ResultFlag::totals_differ);
    }
  }
  flag_times(result);
}

}  // namespace muster::model
