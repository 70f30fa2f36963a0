// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/bounds.h"
#include "agent/core_parts.h"
#include "agent/phase.h"

namespace muster::agent::core {

namespace {

/// A build on trial has its time to show several of them, however seldom they are otherwise.
Duration heartbeat_interval(const State& state) {
  const Duration interval = std::chrono::seconds(state.settings.intervals_heartbeat_seconds);
  if (!state.on_trial) return interval;
  const Duration trial = std::chrono::seconds(state.settings.update_trial_seconds);
  return std::min(interval, trial / (bounds::trial_heartbeats + 2));
}

/// The last build that failed here, unless what runs is as new.
const UpdateRecord::Failure* newer_failure(const State& state) {
  if (state.update.failures.empty()) return nullptr;
  const UpdateRecord::Failure& last = state.update.failures.back();
  const bool newer = model::compare_agent_versions(last.build.version, state.version) > 0;
  return newer ? &last : nullptr;
}

void offer_key(Step& step, const std::string& key) {
  if (!step.state.disk_failure.empty()) return;  // it is offered again
  if (!key_offered(step.state.identity, step.state.key_choice, key)) return;
  step.save_identity();
  step.note(LogLevel::info, "key_offered");
}

/// A server that ends or has too much to do is left alone for so long by what is due by the clock
/// alone: work in hand, its outcomes and what they need go on.
void obey_next_in(Step& step, std::int64_t seconds) {
  State& state = step.state;
  // Somebody waits for `run --once`, and a build on trial has its time to prove itself.
  if (state.once || state.on_trial) return;
  if (seconds < 0 || seconds > bounds::next_in_max / std::chrono::seconds(1)) {
    step.note(LogLevel::warning, "next_in_refused", {{"seconds", std::to_string(seconds)}});
    return;
  }
  const Duration asked = std::chrono::seconds(seconds);
  // Up to a tenth later than asked, never earlier: as with Retry-After.
  const Duration later = (spread(state, asked) - asked * 9 / 10) / 2;
  state.quiet_until = step.now.steady + asked + later;
  for (const Purpose purpose : {Purpose::heartbeat, Purpose::poll}) {
    Lane& lane = step.lane(purpose);
    // A poll that is due already has waited: heartbeats go first, and would put it off for ever.
    if (lane.due > step.now.steady) lane.due = std::max(lane.due, state.quiet_until);
  }
}

}  // namespace

void plan_first_calls(Step& step) {
  State& state = step.state;
  // Somebody waits for `run --once`, and a build on trial has its time to prove itself.
  Duration wait{0};
  const Instant now = step.now.wall + state.clock_offset;
  if (!state.once && !state.on_trial) {
    const bool booted = state.reconnect_reason == "machine_reboot";
    const Duration most = booted ? bounds::first_call_after_boot_max : bounds::first_call_max;
    wait = until_phase(state.phase, now, std::min(heartbeat_interval(state), most));
  }
  for (Lane& lane : state.lanes) lane.due = step.now.steady + wait;
  const Duration check = std::chrono::seconds(state.settings.update_check_seconds);
  if (check == Duration(0)) return;
  state.lane(Purpose::update).due =
      step.now.steady + until_phase(state.phase, now, std::min(check, bounds::first_look_max));
}

void begin_heartbeat(Step& step, const Vitals& vitals) {
  State& state = step.state;
  watch_look(step);
  const Duration interval = heartbeat_interval(state);
  const bool gap =
      state.last_heartbeat && state.lane(Purpose::heartbeat).failures > 0 &&
      step.now.steady - std::max(*state.last_heartbeat + interval, state.quiet_until) > interval;
  if (gap && state.reconnect_reason.empty()) state.reconnect_reason = "network_recovery";
  Heartbeat heartbeat;
  heartbeat.at = step.now.wall + state.clock_offset;
  if (state.running || state.fetching_test) heartbeat.current_task = state.active->task;
  heartbeat.last_task = state.progress.last_task;
  heartbeat.version = state.version;
  heartbeat.vitals = vitals;
  heartbeat.reconnect_reason = state.reconnect_reason;
  heartbeat.process_started_at = heartbeat.at - (step.now.steady - state.process_started);
  if (state.unheard && state.reconnect_reason == "network_recovery") {
    const Duration since = step.now.steady - state.unheard->since;
    heartbeat.outage = {heartbeat.at - since, since, state.lane(Purpose::heartbeat).failures,
                        state.unheard->why};
  }
  if (!state.progress.report_open) heartbeat.set_hash = state.progress.set_hash;
  heartbeat.config_hash = state.config.hash;
  heartbeat.config_error = state.config_error;
  if (const UpdateRecord::Failure* failure = newer_failure(state)) {
    heartbeat.update_version = failure->build.version;
    heartbeat.update_error = failure->why;
  }
  send(step, Purpose::heartbeat, http::Method::post, "/api/agent/heartbeat",
       heartbeat_body(heartbeat, state.facts));
}

void take_heartbeat(Step& step, const Answer& answer) {
  State& state = step.state;
  if (!answer.success()) return refused(step, Purpose::heartbeat, answer);
  const auto data = read_envelope(answer);
  if (!data || !data->is_object()) {
    return failed(step, Purpose::heartbeat, "the answer is not one of this server");
  }
  const HeartbeatAnswer said = read_heartbeat(*data);
  key_proved(step);
  heartbeat_got_through(step,
                        !state.last_heartbeat && state.lane(Purpose::heartbeat).failures == 0);
  if (said.server_time) learn_server_time(step, *said.server_time);
  succeeded(step, Purpose::heartbeat, heartbeat_interval(state));
  state.last_heartbeat = step.now.steady;
  if (said.next_in) obey_next_in(step, *said.next_in);
  state.reconnect_reason.clear();
  state.unheard.reset();
  if (state.progress.boot_id != state.facts.boot_id || state.progress.version != state.version) {
    state.progress.boot_id = state.facts.boot_id;
    state.progress.version = state.version;
    step.save_progress();
  }
  if (said.force_full_scan && state.busy == Purpose::report) {
    // Whether the report that is on its way is what it asks for is not known.
    state.full_wanted_anew = true;
  } else if (said.force_full_scan && !state.full_wanted) {
    state.full_wanted = true;
    state.report_settled = false;
    state.lane(Purpose::report).due = std::min(state.lane(Purpose::report).due, step.now.steady);
  }
  if (said.config_hash && state.disk_failure.empty()) hear_config_hash(step, *said.config_hash);
  offer_key(step, said.new_key);
}

}  // namespace muster::agent::core
