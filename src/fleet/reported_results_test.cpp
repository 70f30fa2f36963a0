// SPDX-License-Identifier: Apache-2.0
// The law of what is stored together: it is as if each had been stored before the next, those last
// that end other work of their agent.
#include "fleet/reported_results.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fleet/task_testing.h"

namespace muster::fleet {
namespace {

using model::TaskResult;

/// A world in which tasks are in every state, and the results that its agents send at one moment:
/// first ones, repeats, results of strangers and of nothing, after the task was given up, and of an
/// uninstall. Two of one seed are equal.
class Reporting {
 public:
  explicit Reporting(std::uint64_t seed) : rng_(seed) {
    for (const char* name : {"web-1", "web-2", "web-3"}) agents_.push_back(fleet_.enrol(name));
    for (int i = 0; i < 24; ++i) add_task(i);
    for (int i = 0; i < 40; ++i) results_.push_back(make_result());
  }

  /// What each result was answered.
  std::vector<std::string> store_alone() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < results_.size(); ++i) order.push_back(i);
    std::vector<bool> ends_work;
    for (const auto& [poller, result] : results_) ends_work.push_back(may_end_work(result.task));
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !ends_work[i]; });
    std::vector<std::string> answers(results_.size());
    const TaskBoard board = fleet_.board();
    for (const std::size_t i : order) {
      ReportedResult reported(board, results_[i].first, results_[i].second, {}, fleet_.now);
      fleet_->store.write([&](store::Tx& tx) { answers[i] = answer(record_result(tx, reported)); });
    }
    return answers;
  }
  std::vector<std::string> store_together() {
    const TaskBoard board = fleet_.board();
    std::vector<std::unique_ptr<ReportedResult>> reported;
    std::vector<store::JointWork*> parts;
    for (const auto& [poller, result] : results_) {
      reported.push_back(std::make_unique<ReportedResult>(board, poller, result,
                                                          model::ResultClaims(), fleet_.now));
      parts.push_back(reported.back().get());
    }
    std::vector<std::string> answers;
    fleet_->store.write([&](store::Tx& tx) {
      parts.front()->run(tx, parts);
      for (const auto& each : reported) answers.push_back(answer(record_result(tx, *each)));
    });
    return answers;
  }

  /// Everything that results leave, events without their ids.
  std::vector<std::string> rows() {
    std::vector<std::string> all;
    fleet_->store.read([&](store::Reader& reader) {
      const auto add = [&](store::Sql sql, int columns) {
        store::Rows rows = reader.query(sql);
        while (rows.next()) {
          std::string line;
          for (int i = 0; i < columns; ++i) line.append(rows.text(i)).append(" | ");
          all.push_back(std::move(line));
        }
      };
      add("SELECT 'result', CAST(received_at AS TEXT), CAST(exit_code AS TEXT), hostname, os,"
          " test_uuid, CAST(flags AS TEXT), coalesce(CAST(outcome AS TEXT), 'none') FROM results"
          " ORDER BY org_id, task_id",
          8);
      add("SELECT 'control', control_id, actual, CAST(position AS TEXT) FROM controls"
          " ORDER BY org_id, task_id, control_id",
          4);
      add("SELECT 'latest', test_uuid, CAST(host_id AS TEXT), CAST(outcome AS TEXT)"
          " FROM latest_results ORDER BY org_id, test_uuid, host_id",
          4);
      add("SELECT 'task', status, error, coalesce(CAST(finished_at AS TEXT), 'none')"
          " FROM tasks ORDER BY org_id, task_id",
          4);
      add("SELECT 'agent', status FROM agents ORDER BY agent_id", 2);
      add("SELECT 'output', CAST(length(body) AS TEXT) FROM outputs ORDER BY org_id, sha256", 2);
      add("SELECT 'event', type, CAST(host_id AS TEXT), details FROM events"
          " ORDER BY type, host_id, details",
          4);
    });
    for (const Enrolled& agent : agents_) {
      const auto state = fleet_->presence.find_agent(agent.agent);
      all.push_back(state ? "waiting " + std::to_string(state->has_pending_task) + " " +
                                std::to_string(state->has_redeliverable_task)
                          : "no agent");
    }
    return all;
  }

 private:
  static std::string answer(const Result<StatusOutcome>& outcome) {
    if (!outcome.ok()) return outcome.error().message;
    return std::string(model::task_status_name(outcome->task.status)) +
           (outcome->changed ? " now" : " before");
  }

  bool may_end_work(TaskId id) {
    return fleet_->store.read([&](store::Reader& reader) {
      const auto task = store::find_task(reader, TestFleet::org, id);
      return task && (task->type == TaskType::uninstall || model::is_terminal(task->status));
    });
  }
  Poller poller(std::size_t agent) const {
    return {agents_[agent].org, agents_[agent].agent, agents_[agent].host, agent == 0};
  }

  void add_task(int number) {
    const std::size_t owner = rng_.below(agents_.size());
    TaskOrder order(number == 7 ? TaskType::uninstall : TaskType::execute_command);
    order.agents = {agents_[owner].agent};
    if (number != 7) order.payload.command = "true";
    order.max_retries = number % 3;
    order.deliver_within = std::chrono::hours(1);
    order.valid_for = std::chrono::hours(2);
    const TaskId id = fleet_.create(order).value().front();
    tasks_.emplace_back(id, owner);
    const auto move = [&](model::TaskStatus to) {
      fleet_->store.write([&](store::Tx& tx) {
        (void)set_task_status(tx, fleet_.board(), poller(owner), id, to, "", fleet_.now);
      });
    };
    switch (rng_.below(5)) {
      case 0:
        fleet_->store.write(
            [&](store::Tx& tx) { claim_task(tx, fleet_.board(), poller(owner), fleet_.now); });
        break;
      case 1:
        move(model::TaskStatus::executing);
        break;
      case 2:
        move(model::TaskStatus::completed);  // without a result, as fielded agents do
        break;
      case 3:
        move(model::TaskStatus::executing);
        give_up(id);
        break;
      default:
        break;
    }
    if (number % 4 == 0) set_test(id, number % 8 == 0 ? "test-a" : "test-b");
  }
  /// As time does, with a retry where the task may have one.
  void give_up(TaskId id) {
    fleet_->store.write([&](store::Tx& tx) {
      tx.execute("UPDATE tasks SET due_at = $2, lease_until = $2 WHERE task_id = $1", id,
                 fleet_.now - Duration(1));
      pass_due_tasks(tx, fleet_.board(), fleet_.now);
    });
  }
  void set_test(TaskId id, const char* test) {
    fleet_->store.write([&](store::Tx& tx) {
      tx.execute("UPDATE tasks SET type = 'execute_test', test_uuid = $2 WHERE task_id = $1", id,
                 test);
    });
  }

  std::pair<Poller, TaskResult> make_result() {
    TaskResult result;
    const auto& [task, owner] = tasks_[rng_.below(tasks_.size())];
    result.task = task;
    if (rng_.below(12) == 0) result.task = TaskId{make_uuid7(rng_, fleet_.now)};
    const std::size_t reporter = rng_.below(10) == 0 ? rng_.below(agents_.size()) : owner;
    result.exit_code = static_cast<std::int64_t>(rng_.below(3)) * 101;
    if (rng_.below(2) == 0) result.hostname = "says-" + std::to_string(rng_.below(3));
    result.standard_output = model::Output(std::string(rng_.below(3), 'o'));
    result.standard_error = model::Output(std::string(rng_.below(3), 'e'));
    for (std::size_t i = rng_.below(4); i > 0; --i) {
      model::Control& control = result.controls.emplace_back();
      control.control_id = "c" + std::to_string(rng_.below(3));
      control.position = static_cast<std::int64_t>(i);
      control.actual = std::to_string(rng_.below(100));
    }
    return {poller(reporter), std::move(result)};
  }

  TestFleet fleet_;
  SeededRng rng_;
  std::vector<Enrolled> agents_;
  std::vector<std::pair<TaskId, std::size_t>> tasks_;  // and whose
  std::vector<std::pair<Poller, TaskResult>> results_;
};

TEST(ReportedResults, TogetherTheyLeaveWhatTheyLeaveOneAfterAnother) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Reporting alone(seed);
    Reporting together(seed);
    ASSERT_EQ(alone.rows(), together.rows());
    EXPECT_EQ(alone.store_alone(), together.store_together());
    EXPECT_EQ(alone.rows(), together.rows());
  }
}

TEST(ReportedResults, ALotThatFailedMayBeTakenAgainByEachAlone) {
  Work work;
  const TaskId id = work.create();
  const TaskBoard board = work.fleet.board();
  ReportedResult reported(board, work.poller, work.result_of(id), {}, work.fleet.now);
  store::JointWork* part = &reported;
  EXPECT_THROW(work.fleet->store.write([&](store::Tx& tx) {
    part->run(tx, {&part, 1});
    throw store::StoreError("the disk is full");
  }),
               store::StoreError);
  part->done = false;
  work.fleet->store.write(
      [&](store::Tx& tx) { EXPECT_TRUE(record_result(tx, reported).value().changed); });
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM results"), 1);
}

}  // namespace
}  // namespace muster::fleet
