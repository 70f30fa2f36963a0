// SPDX-License-Identifier: Apache-2.0
// How outcomes get to the server: each until it is acknowledged.
#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent::core {

namespace {

void count_loss(Step& step) {
  ++step.state.progress.outcomes_lost;
  step.save_progress();
}

/// What the first of the outbox says on disk. A file that is gone or damaged has no outcome left,
/// which is what it says from then on.
Record recall_record(Step& step, TaskId task, const Recalled& recalled) {
  if (recalled.record) {
    auto decoded = decode_record(*recalled.record);
    if (decoded.ok() && decoded->task == task && decoded->phase >= Phase::finished) {
      return std::move(decoded).value();
    }
  }
  Record record;
  record.task = task;
  record.phase = Phase::failed;
  record.outcome.exit_code = -1;
  record.outcome.error = "the outcome was lost: the agent's journal is damaged";
  step.save_record(record);
  count_loss(step);
  return record;
}

void delivered(Step& step, bool accepted_by_server) {
  State& state = step.state;
  Record record = *std::exchange(state.delivering, std::nullopt);
  succeeded(step, Purpose::deliver, Duration(0));
  state.delivery_output = 0;
  if (!accepted_by_server) {
    step.note(LogLevel::error, "outcome_not_wanted", {{"task", record.task.text()}});
    count_loss(step);
  }
  record.removal = removal_for(record, state.identity.agent);
  record.delivered = true;
  if (!accepted_by_server && record.removal != Removal::none) {
    // No server knows of it: then it was no order.
    record.removal = Removal::none;
    state.uninstalling = false;
  }
  // A record of a former version names nobody; from now on it counts for this identity alone.
  if (record.removal != Removal::none) record.removal_of = state.identity.agent;
  step.save_record(record);
  state.removal = record.removal;
  if (state.removal != Removal::none) return;
  // Nothing else may be waiting behind an answer that the server keeps asking for.
  const bool again = state.answered_again == record.task;
  for (Record& shed : state.journal.shed()) step.save_record(std::move(shed));
  if (auto fold = state.journal.fold()) {
    if (!fold->file.empty()) step.actions.push_back(Save{fold->file, std::move(fold->content)});
    for (std::string& file : fold->folded) step.actions.push_back(Forget{std::move(file)});
  }
  if (!again) poll_soon(step, record.phase != Phase::failed);
}

}  // namespace

std::string task_target(TaskId task, std::string_view what) {
  return "/api/agent/tasks/" + task.text() + "/" + std::string(what);
}

void begin_delivery(Step& step, const Recalled& recalled) {
  State& state = step.state;
  state.delivering = recall_record(step, state.delivering->task, recalled);
  const Record& record = *state.delivering;
  if (record.phase == Phase::failed) {
    return send(step, Purpose::deliver, http::Method::patch, task_target(record.task, "status"),
                status_body("failed", record.outcome.error));
  }
  const std::size_t output =
      state.delivery_output == 0 ? limits::output_bytes : state.delivery_output;
  send(step, Purpose::deliver, http::Method::post, task_target(record.task, "result"),
       result_body(record, state.facts, output));
}

void take_delivery(Step& step, const Answer& answer) {
  State& state = step.state;
  const int status = answer.status;
  if (answer.success()) {
    if (const auto data = read_envelope(answer); !data) {
      return failed(step, Purpose::deliver, data.error().message);
    }
    key_proved(step);
    return delivered(step, true);
  }
  if (status == 413 && state.delivery_output != 1) {
    // Less output is better than none; the journal keeps all of it for now.
    state.delivery_output = state.delivery_output == 0 ? bounds::shrunk_output_bytes : 1;
    step.lane(Purpose::deliver).due = step.now.steady;
    return;
  }
  // Final for the protocol (400, 403, 404), if the server itself says so: asking again cannot
  // change the answer. Between us there may be a firewall, or an ingress whose server restarts.
  const bool final =
      status == 400 || status == 403 || status == 404 || status == 409 || status == 413;
  if (final && is_refusal_of_server(answer)) return delivered(step, false);
  state.journal.postpone(state.delivering->task);
  state.delivery_output = 0;
  refused(step, Purpose::deliver, answer);
}

}  // namespace muster::agent::core
