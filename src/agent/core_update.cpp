// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent::core {

namespace {

Duration look_interval(const State& state) {
  return std::chrono::seconds(state.settings.update_check_seconds);
}

Duration trial_length(const State& state) {
  return std::chrono::seconds(state.settings.update_trial_seconds);
}

void save_update(Step& step) {
  step.actions.push_back(Save{UpdateRecord::file, encode_update(step.state.update)});
}

void note_build(Step& step, LogLevel level, std::string event, const Build& build,
                std::string why = {}) {
  std::vector<std::pair<std::string, std::string>> fields = {{"version", build.version},
                                                             {"sha256", build.sha256.text()}};
  if (!why.empty()) fields.emplace_back("why", std::move(why));
  step.note_for_owner(level, std::move(event), std::move(fields));
}

/// The build is put on trial with the next start.
void put_on_trial(Step& step, UpdateRecord::Trial trial) {
  State& state = step.state;
  trial.starts = 0;
  note_build(step, LogLevel::info, "update_on_trial", trial.build);
  state.update.suspect.reset();
  state.update.trial = std::move(trial);
  save_update(step);
  state.restart_wanted = true;
}

void look_again_later(Step& step) {
  step.state.fetching.reset();
  succeeded(step, Purpose::update, look_interval(step.state));
}

void begin_build(Step& step, const model::Manifest& manifest) {
  State& state = step.state;
  const Build build = {manifest.version, manifest.sha256, manifest.serial};
  state.update_refusal.clear();
  state.fetching_build = build;
  state.fetching = Fetching{"/api/agent/update?os=linux&arch=" + state.facts.arch, build.file(),
                            build.sha256, manifest.size};
  note_build(step, LogLevel::info, "update_found", build);
  // Of another build's download nothing is needed any more.
  const std::string part = state.fetching->part();
  for (std::string& file : std::exchange(state.parts, {})) {
    if (file != part) step.actions.push_back(Forget{std::move(file)});
  }
  state.parts.push_back(part);
  begin_fetching(step, Purpose::update);
}

void refuse_offer(Step& step, const std::string& why) {
  // The same offer comes with every look: one line tells it.
  if (step.state.update_refusal != why) {
    step.note(LogLevel::warning, "update_refused", {{"why", why}});
  }
  step.state.update_refusal = why;
  look_again_later(step);
}

void take_offer(Step& step, const Answer& answer) {
  State& state = step.state;
  // A server that knows no updates is as good as one that has none.
  if (answer.status == 204 || answer.status == 404) return look_again_later(step);
  if (!answer.success()) return refused(step, Purpose::update, answer);
  const auto data = read_envelope(answer);
  if (!data) return failed(step, Purpose::update, data.error().message);
  const auto offer = read_offer(*data);
  if (!offer) return refuse_offer(step, offer.error().message);
  const Instant servers = step.now.wall + state.clock_offset;
  const auto manifest = accept_offer(*offer, {state.update_keys, state.facts.arch, state.version,
                                              std::max(step.now.wall, servers), state.update});
  if (!manifest) return refuse_offer(step, manifest.error().message);
  begin_build(step, *manifest);
}

}  // namespace

void update_fetched(Step& step) {
  const Build build = step.state.fetching_build;
  look_again_later(step);
  put_on_trial(step, {build, 0, 0});
}

void update_not_fetched(Step& step, const std::string& why) {
  note_build(step, LogLevel::warning, "update_not_fetched", step.state.fetching_build, why);
  look_again_later(step);
}

void begin_builds(Step& step) {
  State& state = step.state;
  for (std::string& file : std::exchange(state.leftovers, {})) {
    step.actions.push_back(Forget{std::move(file)});
  }
  if (!state.on_trial) return;
  state.trial_began = step.now.steady;
  state.trial_until = step.now.steady + trial_length(state);
  note_build(step, LogLevel::info, "trial_started", state.update.trial->build);
}

void uncount_start(Step& step) {
  State& state = step.state;
  if (!state.on_trial || state.update.trial->starts == 0) return;
  --state.update.trial->starts;
  save_update(step);
}

void begin_update(Step& step) {
  if (step.state.fetching) return fetch_piece(step, Purpose::update);
  send(step, Purpose::update, http::Method::get, "/api/agent/update", "");
}

void take_update(Step& step, const Answer& answer) {
  step.state.fetching ? take_piece(step, Purpose::update, answer) : take_offer(step, answer);
}

void heartbeat_got_through(Step& step, bool at_once) {
  State& state = step.state;
  ++state.trial_heartbeats;
  prove_build(step);
  // A process that only does what is due leaves verdicts to one that stays.
  if (state.on_trial || state.once || !state.update.suspect) return;
  UpdateRecord::Trial suspect = *state.update.suspect;
  // The server answers this build at once, and did not answer that one at all. Once may be chance:
  // the server may have come back in between.
  if (at_once && ++suspect.suspicions >= bounds::trial_suspicions) {
    const std::string why = "no server answered it, but the agent before it";
    note_build(step, LogLevel::error, "update_failed", suspect.build, why);
    state.update.suspect.reset();
    state.update.fail(suspect.build, why);
    step.actions.push_back(Forget{suspect.build.file()});
    return save_update(step);
  }
  put_on_trial(step, std::move(suspect));
}

void poll_got_through(Step& step) {
  step.state.trial_polled = true;
  prove_build(step);
}

void prove_build(Step& step) {
  State& state = step.state;
  if (!state.on_trial || !state.trial_polled || state.trial_heartbeats < bounds::trial_heartbeats) {
    return;
  }
  state.on_trial = false;
  UpdateRecord& record = state.update;
  const auto replaced = std::exchange(record.current, record.trial->build);
  record.serial = std::max(record.serial, record.current->serial);
  record.trial.reset();
  save_update(step);
  step.actions.push_back(Watchdog{std::nullopt});
  if (replaced && !(*replaced == *record.current)) {
    step.actions.push_back(Forget{replaced->file()});
  }
  note_build(step, LogLevel::info, "update_proved", *record.current);
}

void server_is_busy(Step& step) {
  State& state = step.state;
  if (!state.on_trial) return;
  state.trial_until =
      std::min(step.now.steady + trial_length(state), state.trial_began + bounds::trial_max);
  const Duration left = std::max(state.trial_until - step.now.steady, Duration(0));
  step.actions.push_back(Watchdog{left + bounds::watchdog_margin});
}

namespace {

bool trial_is_over(const Step& step) {
  const State& state = step.state;
  return state.on_trial && step.now.steady >= state.trial_until && !state.restart_wanted;
}

}  // namespace

bool restart_is_due(const Step& step) {
  const State& state = step.state;
  if (!state.disk_failure.empty()) return false;  // what the next process must know is not written
  return trial_is_over(step) || (state.restart_wanted && !state.active);
}

void plan_restart(Step& step) {
  State& state = step.state;
  if (!restart_is_due(step)) return;
  if (trial_is_over(step)) {
    UpdateRecord& record = state.update;
    note_build(step, LogLevel::error, "trial_without_server", record.trial->build);
    record.suspect = std::exchange(record.trial, std::nullopt);
    save_update(step);
    state.on_trial = false;
    state.restart_wanted = true;
  }
  if (!state.restart_wanted || state.active) return;
  state.restarting = true;
  step.actions.push_back(Restart{});
}

}  // namespace muster::agent::core
