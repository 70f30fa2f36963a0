// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/core_parts.h"
#include "base/text.h"

namespace muster::agent::core {

namespace {

/// The first change is told at once; a server that says something else each time hears of it at
/// this pace.
constexpr Duration retelling = std::chrono::seconds(30);

void tell_soon(Step& step) {
  Lane& lane = step.lane(Purpose::heartbeat);
  const bool first = step.state.config_changes++ == 0;
  const Duration wait = first ? Duration(0) : spread(step.state, retelling);
  if (lane.failures == 0) lane.due = std::min(lane.due, step.now.steady + wait);
}

/// What is in force from now on. A shorter interval counts at once.
void put_in_force(Step& step, PushedConfig config, Settings settings) {
  State& state = step.state;
  state.config = std::move(config);
  state.settings = std::move(settings);
  state.config_wanted.reset();
  state.config_refused.clear();
  state.config_error.clear();
  const auto no_later = [&](Purpose purpose, std::int64_t seconds) {
    Lane& lane = step.lane(purpose);
    const Duration wait = next_turn(step, std::chrono::seconds(seconds));
    if (lane.failures == 0) lane.due = std::min(lane.due, step.now.steady + wait);
  };
  no_later(Purpose::heartbeat, state.settings.intervals_heartbeat_seconds);
  no_later(Purpose::poll, state.settings.intervals_poll_seconds);
  no_later(Purpose::report, state.settings.intervals_changes_seconds);
  tell_soon(step);
  step.note_for_owner(LogLevel::info, "config_in_force", {{"config_hash", state.config.hash}});
}

/// What was in force stays, and the same is not asked for again.
void refuse_config(Step& step, const std::string& why) {
  State& state = step.state;
  state.config_refused = state.config_asked;
  // A heartbeat may have heard of yet another meanwhile.
  if (state.config_wanted == state.config_asked) state.config_wanted.reset();
  // It may repeat what a broken server sent.
  state.config_error = cut_utf8(escape_for_terminal(why), limits::detail_bytes);
  step.note(LogLevel::warning, "config_refused",
            {{"config_hash", state.config_refused}, {"why", state.config_error}});
  tell_soon(step);
}

}  // namespace

void load_config(State& state, const std::string& content) {
  auto config = decode_config(content);
  if (!config) return;
  // What the owner changed since may not agree with it any more: then the server is asked again.
  auto settings = lay_over(state.own, config->document);
  if (!settings.ok()) return;
  state.config = *std::move(config);
  state.settings = std::move(settings).value();
}

void hear_config_hash(Step& step, const std::string& hash) {
  State& state = step.state;
  if (hash == state.config.hash) {
    state.config_wanted.reset();
    state.config_refused.clear();
    state.config_error.clear();
    return;
  }
  if (hash.empty()) {
    step.actions.push_back(Forget{PushedConfig::file});
    return put_in_force(step, {}, state.own);
  }
  if (hash == state.config_refused) return;
  if (!state.config_wanted) step.lane(Purpose::configure) = {};
  state.config_wanted = hash;
}

void begin_config(Step& step) {
  step.state.config_asked = *step.state.config_wanted;
  send(step, Purpose::configure, http::Method::get, "/api/agent/config", "");
}

void take_config(Step& step, const Answer& answer) {
  if (!answer.success()) return refused(step, Purpose::configure, answer);
  const auto data = read_envelope(answer);
  if (!data) return failed(step, Purpose::configure, data.error().message);
  key_proved(step);
  succeeded(step, Purpose::configure, Duration(0));
  // A heartbeat heard meanwhile that what is in force is what the server has.
  if (!step.state.config_wanted) return;
  auto config = read_config(*data);
  if (!config) return refuse_config(step, config.error().message);
  auto settings = lay_over(step.state.own, config->document);
  if (!settings) return refuse_config(step, settings.error().message);
  step.actions.push_back(Save{PushedConfig::file, encode_config(*config)});
  put_in_force(step, std::move(config).value(), std::move(settings).value());
}

}  // namespace muster::agent::core
