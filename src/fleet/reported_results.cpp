// SPDX-License-Identifier: Apache-2.0
#include "fleet/reported_results.h"

#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "fleet/agent_keys.h"
#include "fleet/history.h"
#include "store/sql/agents.h"
#include "store/sql/results.h"
#include "store/sql/tasks.h"

namespace muster::fleet {

using model::Task;
using model::TaskEvent;
using model::TaskType;

namespace {

constexpr std::string_view known_already = "an earlier try of it reported its result";
constexpr std::string_view agent_gone = "the agent was uninstalled";

/// Fielded agents leave these empty in some results.
void take_enrolled_facts(store::Reader& reader, const Poller& poller, model::TaskResult& result) {
  if (result.hostname.empty()) {
    if (const auto host = store::find_host(reader, poller.org, poller.host)) {
      result.hostname = host->hostname;
    }
  }
  if (!result.os.empty() && !result.arch.empty()) return;
  if (const auto agent = store::find_agent(reader, poller.org, poller.agent)) {
    if (result.os.empty()) result.os = agent->os;
    if (result.arch.empty()) result.arch = agent->arch;
  }
}

void cancel_unbegun(store::Tx& tx, const TaskBoard& board, const Poller& agent, const Task& task,
                    std::string_view why, Instant now) {
  TaskEvent event{TaskEvent::Kind::cancelled};
  event.error = why;
  const Task cancelled = *advance(task, event, now);
  store::set_task(tx, cancelled);
  record_task_event(tx, board.ids, cancelled, agent.host, model::EventType::task_cancelled, now);
}

/// The agent had been given up, and its result came after all. Returns whether a retry ended.
bool end_unbegun_retries(store::Tx& tx, const TaskBoard& board, const Poller& agent,
                         const Task& task, Instant now) {
  if (task.max_retries == 0) return false;
  bool ended = false;
  for (const Task& retry : store::list_retries(tx, task.org, task.original.value_or(task.id))) {
    if (retry.retry_count <= task.retry_count || !is_outstanding(retry)) continue;
    cancel_unbegun(tx, board, agent, retry, known_already, now);
    ended = true;
  }
  return ended;
}

void end_agent(store::Tx& tx, const TaskBoard& board, const Poller& agent, Instant now) {
  for (const Task& task :
       store::list_deliverable_tasks(tx, agent.org, agent.agent, limits::pending_tasks_per_agent)) {
    if (is_outstanding(task)) cancel_unbegun(tx, board, agent, task, agent_gone, now);
  }
  end_uninstalled_agent(tx, board.ids, board.credentials, board.presence, agent.org, agent.agent,
                        now);
}

/// Results of one organisation that are stored together, as if one after another: with one
/// statement for each table but that of tasks. What ends other work of its agent (a late result its
/// retries, an uninstall everything) does so last.
class ResultLot {
 public:
  ResultLot(store::Tx& tx, OrgId org, std::span<ReportedResult* const> reported);
  /// Stores them and sets the outcome of each.
  void record();

 private:
  struct First {
    ReportedResult* reported;
    Task before;
    Task after;
  };

  Result<void> check(ReportedResult& reported);
  void insert_first();
  void write_rows();
  void follow();

  store::Tx& tx_;
  const OrgId org_;
  const std::span<ReportedResult* const> reported_;
  std::unordered_map<TaskId, Task> tasks_;
  std::vector<ReportedResult*> sound_;
  std::vector<First> first_;  // results of their tasks
};

ResultLot::ResultLot(store::Tx& tx, OrgId org, std::span<ReportedResult* const> reported)
    : tx_(tx), org_(org), reported_(reported) {
  std::set<TaskId> named;
  for (const ReportedResult* each : reported) named.insert(each->result.task);
  for (Task& found : store::find_tasks(tx, org, {named.begin(), named.end()})) {
    const TaskId id = found.id;
    tasks_.emplace(id, std::move(found));
  }
}

Result<void> ResultLot::check(ReportedResult& reported) {
  const Poller& agent = reported.agent;
  model::TaskResult& result = reported.result;
  const auto found = tasks_.find(result.task);
  if (found == tasks_.end()) return unknown_task();
  const Task& task = found->second;
  TRY(check_owner(tx_, agent, task));
  if (agent.ended && task.status != model::TaskStatus::completed) {
    return Error{Errc::invalid_credentials, "Invalid agent credentials"};
  }
  result.received_at = reported.now;
  result.host = agent.host;
  result.test_uuid = task.test_uuid;
  model::flag_untruths(result, reported.claims, task);
  if (task.type == TaskType::execute_test) result.outcome = model::outcome_of(result);
  take_enrolled_facts(tx_, agent, result);
  return {};
}

/// Of several results of one task the first counts.
void ResultLot::insert_first() {
  std::vector<const model::TaskResult*> results;
  for (const ReportedResult* each : sound_) results.push_back(&each->result);
  const std::vector<TaskId> inserted = store::insert_results(tx_, org_, results);
  std::set<TaskId> had_none(inserted.begin(), inserted.end());
  for (ReportedResult* each : sound_) {
    Task& task = tasks_.at(each->result.task);
    const bool first = had_none.erase(task.id) == 1;
    if (first) {
      Task after = *advance(task, {TaskEvent::Kind::result_reported}, each->now);
      first_.push_back({each, std::exchange(task, after), std::move(after)});
    }
    each->outcome = StatusOutcome{task, first};
  }
}

void ResultLot::write_rows() {
  std::vector<const model::TaskResult*> results;
  std::vector<const model::TaskResult*> of_tests;
  std::vector<store::ControlOfTask> controls;
  EventRows events(first_.front().reported->board.ids, org_);
  for (const auto& [reported, before, after] : first_) {
    const model::TaskResult& result = reported->result;
    results.push_back(&result);
    if (result.outcome) of_tests.push_back(&result);
    for (const model::Control& control : result.controls) controls.push_back({after.id, &control});
    store::set_task(tx_, after);
    add_task_event(events, after, reported->agent.host, model::EventType::task_completed,
                   reported->now);
  }
  store::insert_outputs(tx_, org_, results);
  store::set_controls(tx_, org_, controls);
  store::set_latest_results(tx_, org_, of_tests);
  events.record(tx_);
}

void ResultLot::follow() {
  ChangedAgents changed;
  for (const auto& [reported, before, after] : first_) {
    const TaskBoard& board = reported->board;
    const Poller& agent = reported->agent;
    const Instant now = reported->now;
    const bool ended_retries =
        model::is_terminal(before.status) && end_unbegun_retries(tx_, board, agent, after, now);
    if (after.type == TaskType::uninstall) {
      end_agent(tx_, board, agent, now);
    } else if (is_outstanding(before) || ended_retries) {
      changed.add(org_, agent.agent, agent.effect_once);
    }
  }
  changed.follow(tx_, first_.front().reported->board.presence);
}

void ResultLot::record() {
  for (ReportedResult* each : reported_) {
    const Result<void> checked = check(*each);
    if (checked.ok()) {
      sound_.push_back(each);
    } else {
      each->outcome = checked.error();
    }
  }
  if (sound_.empty()) return;
  insert_first();
  if (first_.empty()) return;
  write_rows();
  follow();
}

/// All of one organisation.
void record_lot(store::Tx& tx, OrgId org, std::span<ReportedResult* const> reported) {
  ResultLot(tx, org, reported).record();
}

std::size_t size_of(const model::TaskResult& result) {
  std::size_t size = result.standard_output.text().size() + result.standard_error.text().size() +
                     result.bundle.size();
  for (const model::Control& control : result.controls) {
    size += control.details.size() + control.expected.size() + control.actual.size();
  }
  return size;
}

/// Lots are bounded: each is one message to the database for each table.
void record_results(store::Tx& tx, std::span<store::JointWork* const> parts) {
  struct Lot {
    std::vector<ReportedResult*> reported;
    std::size_t bytes = 0;
  };
  std::map<OrgId, Lot> lots;
  for (store::JointWork* part : parts) {
    auto* reported = static_cast<ReportedResult*>(part);
    const OrgId org = reported->agent.org;
    Lot& lot = lots[org];
    lot.reported.push_back(reported);
    lot.bytes += size_of(reported->result);
    if (lot.bytes < limits::result_lot_bytes) continue;
    record_lot(tx, org, lot.reported);
    lots.erase(org);
  }
  for (const auto& [org, lot] : lots) record_lot(tx, org, lot.reported);
  for (store::JointWork* part : parts) part->done = true;
}

}  // namespace

ReportedResult::ReportedResult(const TaskBoard& on, const Poller& by, model::TaskResult what,
                               model::ResultClaims claimed, Instant at)
    : JointWork(record_results),
      board(on),
      agent(by),
      result(std::move(what)),
      claims(std::move(claimed)),
      now(at) {}

Result<StatusOutcome> record_result(store::Tx& tx, ReportedResult& reported) {
  if (!reported.done) {
    ReportedResult* alone = &reported;
    record_lot(tx, reported.agent.org, {&alone, 1});
  }
  return *std::move(reported.outcome);
}

}  // namespace muster::fleet
