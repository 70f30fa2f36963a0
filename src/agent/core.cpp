// SPDX-License-Identifier: Apache-2.0
#include "agent/core.h"

#include <algorithm>

#include "agent/bounds.h"
#include "agent/core_parts.h"
#include "agent/http_date.h"
#include "agent/phase.h"

namespace muster::agent {

std::string_view purpose_name(Purpose purpose) {
  constexpr std::string_view words[] = {
#define PURPOSE(name, word, dialect) word,
#include "agent/purposes.def"
#undef PURPOSE
  };
  return words[static_cast<std::size_t>(purpose)];
}

bool is_device(Purpose purpose) {
  enum Dialect { device, inventory };
  constexpr Dialect dialects[] = {
#define PURPOSE(name, word, dialect) dialect,
#include "agent/purposes.def"
#undef PURPOSE
  };
  return dialects[static_cast<std::size_t>(purpose)] == device;
}

namespace core {

namespace {

/// splitmix64: the next of a sequence that a seed fixes, so that a step stays pure.
std::uint64_t next_random(std::uint64_t& seed) {
  seed += 0x9E3779B97F4A7C15U;
  std::uint64_t z = seed;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

Duration retry_wait(State& state, Purpose purpose, int failures) {
  const Duration most = is_device(purpose) ? bounds::retry_max : bounds::report_retry_max;
  Duration wait = bounds::retry_first;
  for (int i = 1; i < failures && wait < most; ++i) wait *= 2;
  return spread(state, std::min(wait, most));
}

}  // namespace

Duration spread(State& state, Duration wait) {
  const auto thousandths = static_cast<std::int64_t>(next_random(state.jitter) % 201);
  return Duration(wait.count() * (900 + thousandths) / 1000);
}

Duration next_turn(const Step& step, Duration interval) {
  const Duration least = interval / 4;
  const Instant earliest = step.now.wall + step.state.clock_offset + least;
  return least + until_phase(step.state.phase, earliest, interval);
}

void succeeded(Step& step, Purpose purpose, Duration interval) {
  Lane& lane = step.lane(purpose);
  lane = {};
  lane.due = step.now.steady;
  if (interval > Duration(0)) lane.due += next_turn(step, interval);
}

void failed(Step& step, Purpose purpose, const std::string& why, Duration at_least) {
  Lane& lane = step.lane(purpose);
  ++lane.failures;
  if (purpose == Purpose::heartbeat) {
    if (!step.state.unheard) step.state.unheard = {step.now.steady, {}};
    step.state.unheard->why = why;
  }
  lane.quick_retries = 0;
  const Duration wait = std::max(retry_wait(step.state, purpose, lane.failures), at_least);
  lane.due = step.now.steady + wait;
  step.note(LogLevel::warning, "call_failed",
            {{"purpose", std::string(purpose_name(purpose))},
             {"why", why},
             {"retry_seconds", std::to_string(wait.count() / 1000)}});
  const bool hopeless = at_least >= bounds::refused_retry;
  if (step.state.once && (lane.failures >= bounds::once_attempts || hopeless)) {
    step.state.failure = std::string(purpose_name(purpose)) + ": " + why;
  }
}

void refused(Step& step, Purpose purpose, const Answer& answer) {
  const Refusal refusal = read_refusal(answer);
  const auto asked =
      parse_retry_after(answer.header("Retry-After"), step.now.wall + step.state.clock_offset);
  // Later than asked, never earlier: a fleet told the same second must not come back in it.
  const Duration wait = asked ? *asked + spread(step.state, *asked / 10) : Duration(0);
  failed(step, purpose, "status " + std::to_string(answer.status) + ", " + refusal.message, wait);
  if (answer.status == 429 && asked && is_device(purpose)) {
    // The limit counts all device calls of this agent together, and one may be on its way.
    step.state.limited_until = std::max(step.state.limited_until, step.now.steady + wait);
  }
}

void begin_look(Step& step, Action look) {
  step.state.surveying = true;
  step.state.look_began = step.now.steady;
  step.state.look_is_slow = false;
  step.actions.push_back(std::move(look));
}

void watch_look(Step& step) {
  State& state = step.state;
  const Duration taken = step.now.steady - state.look_began;
  if (!state.surveying || state.look_is_slow || taken < bounds::look_slow) return;
  state.look_is_slow = true;
  step.note(LogLevel::warning, "look_takes_long",
            {{"minutes", std::to_string(taken.count() / 60'000)}});
}

namespace {

void took(Step& step, Purpose purpose, const Result<Answer>& result) {
  if (!result) {
    if (purpose == Purpose::report) report_lost(step);
    piece_lost(step, purpose);
    failed(step, purpose, result.error().message);
    return;
  }
  const Answer& answer = *result;
  if (answer.body.size() > bounds::answer_bytes) {
    if (purpose == Purpose::report) report_lost(step);
    failed(step, purpose, "the answer is too large");
    return;
  }
  learn_time(step, answer);
  if (answer.status == 429 || answer.status >= 500) server_is_busy(step);
  if (answer.status == 401) {
    unauthorised(step, purpose, answer);
    return;
  }
  switch (purpose) {
    case Purpose::heartbeat:
      return take_heartbeat(step, answer);
    case Purpose::configure:
      return take_config(step, answer);
    case Purpose::announce:
      return take_announcement(step, answer);
    case Purpose::deliver:
      return take_delivery(step, answer);
    case Purpose::fetch:
      return take_piece(step, purpose, answer);
    case Purpose::report:
      return take_report(step, answer);
    case Purpose::images:
      return take_images(step, answer);
    case Purpose::poll:
      return take_poll(step, answer);
    case Purpose::update:
      return take_update(step, answer);
  }
}

bool wants(const State& state, Purpose purpose) {
  if (!state.disk_failure.empty() && purpose != Purpose::heartbeat) return false;
  switch (purpose) {
    case Purpose::heartbeat:
      return true;
    case Purpose::configure:
      return state.config_wanted.has_value();
    case Purpose::announce:
      return state.active.has_value() && !state.running && !state.fetching_test;
    case Purpose::deliver:
      return state.journal.undelivered() != 0;
    case Purpose::fetch:
      return state.fetching_test.has_value();
    case Purpose::report:
      // Presence first: a host that cannot beat has no use for a report.
      return state.last_heartbeat.has_value() && !state.surveying &&
             !(state.once && state.report_settled);
    case Purpose::images:
      // The server knows the host by its report.
      return state.last_heartbeat.has_value() && !state.surveying &&
             state.progress.reports_acknowledged != 0 && state.settings.inventory_images != "off" &&
             !(state.once && state.images_settled);
    case Purpose::poll:
      return state.last_heartbeat.has_value() && !state.active.has_value() &&
             !state.restart_wanted && !state.uninstalling &&
             state.journal.undelivered() < bounds::waiting_outcomes &&
             !(state.once && state.poll_was_empty);
    case Purpose::update:
      return state.last_heartbeat.has_value() && !state.once && !state.on_trial &&
             !state.restart_wanted && !state.uninstalling &&
             state.settings.update_check_seconds != 0;
  }
  return false;
}

/// Begins the most important call that is due, but a heartbeat.
void plan_call(Step& step) {
  State& state = step.state;
  for (const Purpose purpose : all_purposes) {
    if (!wants(state, purpose) || due_of(state, purpose) > step.now.steady) continue;
    state.busy = purpose;
    switch (purpose) {
      case Purpose::heartbeat:
        CHECK(false);  // it is not due
        break;
      case Purpose::configure:
        begin_config(step);
        break;
      case Purpose::announce:
        begin_announcement(step);
        break;
      case Purpose::deliver:
        state.delivering.emplace();
        state.delivering->task = *state.journal.next_undelivered();
        step.actions.push_back(Recall{Journal::file_of(state.delivering->task)});
        break;
      case Purpose::fetch:
        fetch_piece(step, purpose);
        break;
      case Purpose::report:
        state.busy.reset();
        begin_report(step);
        if (!state.busy) continue;  // the survey takes its time, and nothing waits for it
        break;
      case Purpose::images:
        state.busy.reset();
        begin_images(step);
        if (!state.busy) continue;
        break;
      case Purpose::poll:
        begin_poll(step);
        break;
      case Purpose::update:
        begin_update(step);
        break;
    }
    return;
  }
}

void plan(Step& step) {
  State& state = step.state;
  if (state.stopping || !state.failure.empty() || state.removal != Removal::none) return;
  if (state.beating) return;
  // A heartbeat that begins now could put the restart off by another call's time.
  state.draining = state.busy && restart_is_due(step);
  if (state.draining) return;
  if (!state.busy) plan_restart(step);
  if (state.restarting) return;
  if (due_of(state, Purpose::heartbeat) <= step.now.steady) {
    state.beating = true;
    step.actions.push_back(Measure{});
  } else if (!state.busy) {
    plan_call(step);
  }
}

void disk_failed(Step& step, const Unsaved& unsaved) {
  State& state = step.state;
  // A key that is on no disk must not be used: its first use ends the one before it.
  if (unsaved.file == Identity::file) state.identity.pending_key.clear();
  state.restarting = false;  // not before the next process can know why
  if (!state.disk_failure.empty()) return;
  state.disk_failure = unsaved.why;
  step.note(LogLevel::error, "disk_failed", {{"file", unsaved.file}, {"why", unsaved.why}});
  if (state.once) state.failure = unsaved.why;
}

struct Visitor {
  Step& step;

  void operator()(const Started&) {
    begin_builds(step);
    resume_tasks(step);
    plan_first_calls(step);
  }
  void operator()(const Woke&) {}
  void operator()(const Stopping&) {
    step.state.stopping = true;
    uncount_start(step);
    if (step.state.running) step.actions.push_back(Kill{});
  }
  void operator()(const Measured& measured) { begin_heartbeat(step, measured.vitals); }
  void operator()(const Surveyed& surveyed) {
    step.state.surveying = false;
    step.state.surveyed = surveyed;
    step.lane(Purpose::report).due = step.now.steady;
  }
  void operator()(const ImagesSeen& seen) {
    step.state.surveying = false;
    step.state.images_seen = seen;
    step.lane(Purpose::images).due = step.now.steady;
  }
  void operator()(const Recalled& recalled) { begin_delivery(step, recalled); }
  void operator()(const Inspected& inspected) { take_part(step, inspected); }
  void operator()(const Appended& appended) { take_appended(step, appended); }
  void operator()(const Unsaved& unsaved) { disk_failed(step, unsaved); }
  void operator()(const Resaved&) {
    step.state.disk_failure.clear();
    step.note(LogLevel::info, "disk_works");
  }
  void operator()(const Answered& answered) {
    State& state = step.state;
    if (answered.purpose == Purpose::heartbeat) {
      CHECK(std::exchange(state.beating, false));
      step.used_key = std::exchange(state.beat_key, {});
    } else {
      CHECK(state.busy == answered.purpose);
      state.busy.reset();
      step.used_key = std::exchange(state.busy_key, {});
    }
    took(step, answered.purpose, answered.answer);
  }
  void operator()(const Executor::Ended& ended) { task_ended(step, ended); }
};

}  // namespace
}  // namespace core

Actions step(State& state, const Event& event, Moment now) {
  Actions actions;
  core::Step step{state, now, actions, {}};
  std::visit(core::Visitor{step}, event);
  core::plan(step);
  return actions;
}

std::optional<Duration> next_wake(const State& state) {
  if (state.beating || state.stopping || !state.failure.empty()) return std::nullopt;
  if (state.restarting || state.removal != Removal::none) return std::nullopt;
  Duration first = due_of(state, Purpose::heartbeat);
  if (state.busy) return state.draining ? std::nullopt : std::optional(first);
  if (state.on_trial && state.disk_failure.empty()) first = std::min(first, state.trial_until);
  for (const Purpose purpose : all_purposes) {
    if (core::wants(state, purpose)) first = std::min(first, due_of(state, purpose));
  }
  return first;
}

Duration due_of(const State& state, Purpose purpose) {
  const Duration due = state.lane(purpose).due;
  return is_device(purpose) ? std::max(due, state.limited_until) : due;
}

bool settled(const State& state) {
  return !is_calling(state) && state.last_heartbeat.has_value() && !state.config_wanted &&
         state.report_settled && core::images_settled(state) && state.poll_was_empty &&
         !state.active && state.journal.undelivered() == 0;
}

}  // namespace muster::agent
