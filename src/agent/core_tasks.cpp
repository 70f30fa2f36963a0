// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "agent/bounds.h"
#include "agent/core_parts.h"
#include "agent/order_check.h"
#include "agent/utf8.h"
#include "base/text.h"

namespace muster::agent::core {

namespace {

Duration poll_interval(const State& state) {
  return std::chrono::seconds(state.settings.intervals_poll_seconds);
}

/// Output as the journal and the wire want it: valid UTF-8 within the limit.
void make_text(std::string& output, bool& truncated, std::size_t bytes_max) {
  std::string text = to_utf8(output);
  if (text.size() > bytes_max) {
    text.resize(cut_utf8(text, bytes_max).size());
    truncated = true;
  }
  output = std::move(text);
}

/// A task this agent took before: its journal answers, whatever the delivery says now.
void answer_again(Step& step, TaskId task, const Entry& entry) {
  State& state = step.state;
  if (entry.phase < Phase::finished) return;  // in hand: its outcome is the answer
  step.note(LogLevel::info, "task_answered_from_journal", {{"task", task.text()}});
  // A server that gives the same task again and again is not asked at full speed.
  state.answered_again = task;
  if (!entry.archived) {
    state.journal.deliver_again(task);
  } else {
    Record record = record_without_output(task, entry);
    record.delivered = false;
    step.save_record(std::move(record));
  }
  step.lane(Purpose::deliver).due = step.now.steady;
}

/// The order to look for an update is done by looking; whether there is one, and whether it holds,
/// the version in the heartbeats tells.
void look_for_update(Step& step, Record record) {
  record.phase = Phase::finished;
  record.outcome.stdout_text = "this agent, " + step.state.version + ", looks for an update now\n";
  record.outcome.started_at = record.outcome.completed_at = step.now.wall + step.state.clock_offset;
  step.save_record(record);
  step.state.progress.last_task = record.task.text();
  step.save_progress();
  step.lane(Purpose::deliver).due = step.now.steady;
  step.lane(Purpose::update) = {};
  step.lane(Purpose::update).due = step.now.steady;
}

/// Told before anything goes: afterwards nobody is left to tell it.
void begin_uninstall(Step& step, Record record, bool purge) {
  State& state = step.state;
  record.removal =
      purge && state.settings.policy_purge_on_uninstall ? Removal::all : Removal::program;
  record.removal_of = state.identity.agent;
  record.phase = Phase::finished;
  record.outcome.stdout_text =
      record.removal == Removal::all
          ? "the agent goes from this host, with its configuration and state\n"
          : "the agent goes from this host; its configuration and journal stay\n";
  record.outcome.started_at = record.outcome.completed_at = step.now.wall + state.clock_offset;
  step.save_record(record);
  state.uninstalling = true;
  state.progress.last_task = record.task.text();
  step.save_progress();
  step.lane(Purpose::deliver).due = step.now.steady;
  step.note_for_owner(LogLevel::warning, "uninstall_accepted", {{"task", record.task.text()}});
}

OrderJudge judge_of(const Step& step) {
  const State& state = step.state;
  const Instant server_time = step.now.wall + state.clock_offset;
  return {state.task_keys, state.identity.org, state.identity.agent, server_time,
          std::max(server_time, step.now.wall)};
}

/// What was signed of the task, if this host wants that, and it is all of the task, and of no task
/// before.
Result<model::WorkOrder> demand_order(Step& step, const Assignment& assignment) {
  model::WorkOrder order =
      TRY(accept_order(assignment.order, assignment.order_signature, judge_of(step)));
  TRY(match_order(order, assignment));
  const auto former = step.state.journal.find_order(order.id);
  if (former) return invalid_field("order", "was carried out before, as task " + former->text());
  return order;
}

/// Puts the order of a task into its record. Where none is demanded it is not judged, but its id is
/// remembered: it must not run again once orders are demanded.
Result<void> take_order(Step& step, const Assignment& assignment, Record& record,
                        std::optional<Instant>& until) {
  if (step.state.settings.policy_require_signed_tasks) {
    const model::WorkOrder order = TRY(demand_order(step, assignment));
    record.order = assignment.order;
    record.order_signature = assignment.order_signature;
    record.order_id = order.id;
    until = order.expires_at;
  } else if (const auto order = model::parse_work_order(assignment.order); order.ok()) {
    record.order_id = order->id;
  }
  return {};
}

void refuse_task(Step& step, TaskId task, const std::string& why) {
  ++step.state.progress.tasks_refused;
  fail_task(step, task, "refused: " + why, Ran::never);
}

void accept(Step& step, const Assignment& assignment) {
  State& state = step.state;
  const bool update = assignment.type == "update_agent" && state.settings.update_check_seconds != 0;
  const bool uninstall = assignment.type == "uninstall";
  const bool known =
      uninstall || assignment.type == "execute_command" || assignment.type == "execute_test";
  if (!update && (!known || !state.settings.allows(assignment.type))) {
    return refuse_task(step, assignment.task,
                       "the policy of this host does not allow " +
                           (assignment.type.empty() ? "this task" : assignment.type) +
                           " ([policy] allow in agent.toml)");
  }
  if (state.journal.size() >= state.journal_tasks) {
    return refuse_task(step, assignment.task,
                       "the journal of this host is full: it remembers " +
                           std::to_string(state.journal.size()) + " tasks, and forgets none");
  }
  if (!assignment.defect.empty()) {
    return fail_task(step, assignment.task, "refused: " + assignment.defect, Ran::never);
  }
  Record record;
  record.task = assignment.task;
  std::optional<Instant> until;
  if (const auto taken = take_order(step, assignment, record, until); !taken.ok()) {
    return refuse_task(step, assignment.task,
                       taken.error().message + " ([policy] require_signed_tasks in agent.toml)");
  }
  if (update) return look_for_update(step, std::move(record));
  if (uninstall) {
    return begin_uninstall(step, std::move(record), assignment.work.command == "cleanup");
  }
  // Without the line a record is no order to run: what the task was to run with is on no disk.
  if (assignment.variables.empty()) record.line = assignment.command;
  record.timeout = assignment.timeout;
  step.save_record(record);
  state.active = Command{record.task, assignment.command, record.timeout, assignment.variables,
                         assignment.test};
  state.active_until = until;
  state.running = false;
  step.lane(Purpose::announce) = {};
  if (!assignment.test) return;
  const TestOrder& test = *assignment.test;
  state.fetching_test = Fetching{test.target(), test.file(), test.sha256, test.size};
  begin_fetching(step, Purpose::fetch);
}

/// The task in hand is over: what was brought for it goes.
void let_go(Step& step) {
  State& state = step.state;
  if (state.active->test) step.actions.push_back(Forget{state.active->test->file()});
  state.active.reset();
  state.active_until.reset();
  state.running = false;
}

/// The task in hand will not run here; it may be delivered again.
void drop_active(Step& step, const std::string& why) {
  const TaskId task = step.state.active->task;
  step.note(LogLevel::warning, "task_dropped", {{"task", task.text()}, {"why", why}});
  step.state.journal.erase(task);
  step.actions.push_back(Forget{Journal::file_of(task)});
  let_go(step);
  step.lane(Purpose::announce) = {};
}

void name_test(Record& record, const Command& command) {
  if (!command.test) return;
  record.test_uuid = command.test->uuid;
  record.binary_sha256 = command.test->sha256.text();
}

void start_active(Step& step) {
  State& state = step.state;
  if (state.active_until && judge_of(step).latest >= *state.active_until) {
    const TaskId task = state.active->task;
    let_go(step);
    return refuse_task(step, task, "order: has expired before the task could start");
  }
  Record record;
  record.task = state.active->task;
  record.phase = Phase::started;
  name_test(record, *state.active);
  record.outcome.started_at = step.now.wall + state.clock_offset;
  step.save_record(record);
  state.running = true;
  step.note_for_owner(LogLevel::info, "task_started", {{"task", record.task.text()}});
  step.actions.push_back(Execute{*state.active});
}

}  // namespace

void fail_task(Step& step, TaskId task, const std::string& error, Ran ran) {
  Record record;
  record.task = task;
  record.phase = Phase::failed;
  record.never_ran = ran == Ran::never;
  record.outcome.exit_code = -1;
  record.outcome.error = error;
  record.outcome.completed_at = step.now.wall + step.state.clock_offset;
  step.save_record(record);
  step.state.progress.last_task = task.text();
  step.save_progress();
  step.lane(Purpose::deliver).due = step.now.steady;
  step.note(LogLevel::warning, "task_failed", {{"task", task.text()}, {"why", error}});
}

void resume_tasks(Step& step) {
  State& state = step.state;
  for (const State::Found& found : std::exchange(state.found, {})) {
    if (found.cut_off) {
      fail_task(step, found.task, "the agent restarted during execution", Ran::maybe);
      continue;
    }
    if (!state.settings.allows("execute_command")) {
      state.active.reset();
      fail_task(step, found.task,
                "refused: the policy of this host no longer allows execute_command", Ran::never);
      continue;
    }
    if (!state.settings.policy_require_signed_tasks) continue;
    // The owner may have changed the keys. That the order had begun was seen when it was taken, by
    // the server's clock, which is not known yet; the members are in the agent's own record.
    OrderJudge judge = judge_of(step);
    judge.server_time = Instant{std::numeric_limits<std::int64_t>::max()};
    const auto order = accept_order(found.order, found.order_signature, judge);
    if (order.ok()) {
      state.active_until = order->expires_at;
    } else {
      state.active.reset();
      refuse_task(step, found.task, order.error().message);
    }
  }
}

void test_fetched(Step& step) {
  step.state.fetching_test.reset();
  step.lane(Purpose::announce).due = step.now.steady;
}

void test_not_fetched(Step& step, const std::string& why) {
  State& state = step.state;
  const TaskId task = state.active->task;
  // A test comes once: what there is of its program is of no use to a next one.
  step.actions.push_back(Forget{state.fetching_test->part()});
  state.fetching_test.reset();
  let_go(step);
  fail_task(step, task, "the program of the test could not be fetched: " + why, Ran::never);
}

void poll_soon(Step& step, bool it_ran) {
  step.state.poll_was_empty = false;
  const Duration pause = it_ran ? Duration(0) : spread(step.state, bounds::refusal_pause);
  step.lane(Purpose::poll).due = step.now.steady + pause;
}

void begin_poll(Step& step) {
  send(step, Purpose::poll, http::Method::get, "/api/agent/tasks", "");
}

void take_poll(Step& step, const Answer& answer) {
  State& state = step.state;
  if (answer.status != 200 && answer.status != 204) return refused(step, Purpose::poll, answer);
  std::optional<Assignment> assignment;
  if (answer.status == 200) {
    const auto data = read_envelope(answer);
    if (!data) return failed(step, Purpose::poll, data.error().message);
    key_proved(step);
    auto read = read_assignment(*data, state.identity.agent);
    if (!read) return failed(step, Purpose::poll, read.error().message);
    assignment = std::move(read).value();
  }
  poll_got_through(step);
  succeeded(step, Purpose::poll, poll_interval(state));
  step.lane(Purpose::poll).due = std::max(step.lane(Purpose::poll).due, state.quiet_until);
  state.poll_was_empty = !assignment.has_value();
  if (!assignment) return;
  if (const auto known = state.journal.find(assignment->task)) {
    answer_again(step, assignment->task, *known);
  } else {
    accept(step, *assignment);
  }
}

void begin_announcement(Step& step) {
  send(step, Purpose::announce, http::Method::patch, task_target(step.state.active->task, "status"),
       status_body("executing", ""));
}

void take_announcement(Step& step, const Answer& answer) {
  const int status = answer.status;
  if (answer.success()) {
    const auto data = read_envelope(answer);
    if (data.ok()) {
      key_proved(step);
      succeeded(step, Purpose::announce, Duration(0));
      // Nothing kills what starts after the stop was asked for; the next process announces it
      // again.
      if (step.state.stopping) return;
      return start_active(step);
    }
    failed(step, Purpose::announce, data.error().message);
  } else if (status >= 400 && status < 500 && status != 408 && status != 429) {
    drop_active(step, "status " + std::to_string(status) + ", " + read_refusal(answer).message);
    // 409: cancelled or expired meanwhile, so there may be other work. Else do not press.
    if (status == 409) poll_soon(step, false);
  } else {
    refused(step, Purpose::announce, answer);
    if (step.lane(Purpose::announce).failures >= bounds::announce_attempts) {
      drop_active(step, "the server cannot take its announcement");
    }
  }
}

void task_ended(Step& step, const Executor::Ended& ended) {
  State& state = step.state;
  CHECK(state.running && state.active && state.active->task == ended.task);
  Record record;
  record.task = ended.task;
  record.phase = Phase::finished;
  record.outcome = ended.outcome;
  Outcome& outcome = record.outcome;
  const auto kept = static_cast<std::size_t>(state.settings.executor_output_bytes);
  make_text(outcome.stdout_text, outcome.stdout_truncated, kept);
  make_text(outcome.stderr_text, outcome.stderr_truncated, kept);
  name_test(record, *state.active);
  if (state.active->test && !outcome.bundle.empty()) {
    outcome.bundle = read_bundle(outcome.bundle, record.test_uuid);
    if (outcome.bundle.empty()) step.note(LogLevel::warning, "bundle_left_out");
  }
  outcome.started_at = outcome.started_at + state.clock_offset;
  outcome.completed_at = outcome.completed_at + state.clock_offset;
  step.save_record(record);
  let_go(step);
  ++state.progress.tasks_executed;
  state.progress.last_task = ended.task.text();
  step.save_progress();
  step.lane(Purpose::deliver).due = step.now.steady;
  step.note(LogLevel::info, "task_ended",
            {{"task", ended.task.text()}, {"exit_code", std::to_string(outcome.exit_code)}});
}

}  // namespace muster::agent::core
