// SPDX-License-Identifier: Apache-2.0
#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent::core {

namespace {

Duration changes_interval(const State& state) {
  return std::chrono::seconds(state.settings.intervals_changes_seconds);
}

/// A full report is due by age. A clock that was wrong when the last one was sent makes it due.
bool full_by_age(const State& state, Instant now) {
  const Duration age = now - state.progress.last_full_at;
  return age < Duration(0) || age >= std::chrono::seconds(state.settings.intervals_report_seconds);
}

/// The set the server has, as far as we know: no report is on its way.
std::optional<SoftwareSet> known_to_server(const State& state, const Surveyed& surveyed) {
  if (state.progress.report_open || !surveyed.acknowledged) return std::nullopt;
  auto set = decode_software(*surveyed.acknowledged);
  if (!set || hash_of(*set).text() != state.progress.set_hash) return std::nullopt;
  return set;
}

Sender sender_of(const State& state) {
  return {state.identity.agent, state.version};
}

void settle(Step& step) {
  succeeded(step, Purpose::report, changes_interval(step.state));
  step.state.report_settled = true;
}

/// What a report says of what runs here. It says all of that only to a server that has said which
/// hash it has, and if that is another; of nothing looked at, only where there was something.
ReportedRuntime runtime_to_tell(const State& state, const Survey& survey) {
  if (!survey.runtime) return {};
  ReportedRuntime said{hash_of_runtime(*survey.runtime), nullptr};
  const auto& servers = state.progress.runtime_hash;
  const bool nothing = *survey.runtime == model::Runtime{};
  if (nothing && (!servers || servers->empty())) return {};
  if (servers && *servers != said.hash) said.told = &*survey.runtime;
  return said;
}

/// The report has a fate unknown to us from the moment it is sent until it is acknowledged.
void open_report(Step& step) {
  step.state.was_open = step.state.progress.report_open;
  if (step.state.was_open) return;
  step.state.progress.report_open = true;
  step.save_progress();
}

}  // namespace

void begin_report(Step& step) {
  State& state = step.state;
  if (!state.surveyed) {
    begin_look(step, TakeSurvey{{state.settings.inventory_skip}});
    return;
  }
  const Surveyed surveyed = *std::exchange(state.surveyed, std::nullopt);
  if (!surveyed.survey.ok()) {
    return failed(step, Purpose::report,
                  "the software of this host cannot be read: " + surveyed.survey.error().message);
  }
  const Survey& survey = *surveyed.survey;
  state.facts = survey.facts;
  // Once, not at each look: what a user left half installed stays so.
  const std::pair left_out{survey.malformed, survey.beyond_limit};
  const bool told = std::exchange(state.software_left_out, left_out) == left_out;
  if (!told && survey.malformed + survey.beyond_limit != 0) {
    step.note(LogLevel::warning, "software_left_out",
              {{"malformed", std::to_string(survey.malformed)},
               {"beyond_limit", std::to_string(survey.beyond_limit)}});
  }
  const ReportedRuntime runtime = runtime_to_tell(state, survey);
  SoftwareSet software = make_software_set(survey.software);
  const auto known = known_to_server(state, surveyed);
  const Instant now = step.now.wall + state.clock_offset;
  if (std::exchange(state.full_wanted_anew, false)) state.full_wanted = true;
  state.sent_full = state.full_wanted || !known || full_by_age(state, now);
  std::string body;
  if (state.sent_full) {
    body = full_report_body(state.facts, sender_of(state), software, runtime);
  } else {
    const SoftwareChange change = change_between(*known, software);
    if (change.empty() && runtime.told == nullptr) return settle(step);
    body = delta_report_body(state.facts, sender_of(state), change, hash_of(*known),
                             hash_of(software), runtime);
  }
  state.sent_software = std::move(software);
  state.sent_runtime = runtime.hash;
  state.sent_runtime_told = runtime.told != nullptr;
  open_report(step);
  send(step, Purpose::report, http::Method::post, "/api/agent/report", std::move(body));
}

void report_lost(Step& step) {
  // The server may have taken it: report_open stays, and the next report is full.
  step.state.sent_software.clear();
}

void take_report(Step& step, const Answer& answer) {
  State& state = step.state;
  const SoftwareSet sent = std::exchange(state.sent_software, {});
  if (answer.success()) {
    const auto said = read_flat(answer);
    if (!said) return failed(step, Purpose::report, said.error().message);
    key_proved(step);
    const ReportAnswer answered = read_report(*said);
    const Instant now = step.now.wall + state.clock_offset;
    step.actions.push_back(Save{software_file, encode_software(sent)});
    Progress& progress = state.progress;
    progress.set_hash = hash_of(sent).text();
    progress.report_open = false;
    if (!state.sent_runtime.empty()) progress.runtime_hash = answered.runtime_hash;
    progress.last_report_at = now;
    if (state.sent_full) progress.last_full_at = now;
    ++progress.reports_acknowledged;
    step.save_progress();
    const bool differs = !answered.set_hash.empty() && answered.set_hash != progress.set_hash;
    if (differs) {
      step.note(LogLevel::warning, "set_hash_differs",
                {{"ours", progress.set_hash}, {"servers", answered.set_hash}});
    }
    // After a full report the server has just this, whatever its hash.
    state.full_wanted = std::exchange(state.full_wanted_anew, false) ||
                        (!state.sent_full && (differs || answered.force_full_scan));
    step.note(
        LogLevel::info, "report_acknowledged",
        {{"kind", state.sent_full ? "full" : "delta"}, {"packages", std::to_string(sent.size())}});
    // It takes them and has another. Whoever was told and has yet another is asked no more.
    const bool tell_runtime = !state.sent_runtime_told && !state.sent_runtime.empty() &&
                              answered.runtime_hash && *answered.runtime_hash != state.sent_runtime;
    if (!state.full_wanted && !tell_runtime) return settle(step);
    succeeded(step, Purpose::report, Duration(0));
    return;
  }
  const int status = answer.status;
  // Refused before it did anything: what the server had, it still has.
  const bool definite = (status >= 400 && status < 500) || status == 503;
  if (definite) state.progress.report_open = state.was_open;
  // The server does not know the host's software, or another one than this delta changes.
  const bool lost_footing = status == 404 || read_refusal(answer).code == "set_hash_mismatch";
  if (lost_footing && !state.sent_full) {
    state.full_wanted = true;
    step.lane(Purpose::report).due = step.now.steady;
    return;
  }
  if (definite && status != 408 && status != 429 && status != 503) {
    // A hostname conflict (409), a report it cannot read: somebody has to act first.
    return failed(step, Purpose::report,
                  "status " + std::to_string(status) + ", " + read_refusal(answer).message,
                  bounds::report_retry_max);
  }
  refused(step, Purpose::report, answer);
}

}  // namespace muster::agent::core
