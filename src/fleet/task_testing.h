// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/blobs.h"
#include "fleet/reported_results.h"
#include "fleet/task_course.h"
#include "fleet/test_binaries.h"
#include "fleet/testing.h"
#include "store/sql/tasks.h"

namespace muster::fleet {

using model::TaskStatus;
using model::TaskType;

/// A fleet of one agent, and everything that can be done with its tasks.
struct Work {
  TestFleet fleet;
  Enrolled agent = fleet.enrol("web-1");
  Poller poller{agent.org, agent.agent, agent.host, false};

  TaskOrder order() const {
    TaskOrder order(TaskType::execute_command);
    order.agents = {agent.agent};
    order.payload.command = "true";
    order.deliver_within = std::chrono::hours(1);
    order.valid_for = std::chrono::hours(2);
    return order;
  }
  TaskId create(const TaskOrder& order) { return fleet.create(order).value().front(); }
  TaskId create() { return create(order()); }
  std::optional<model::Task> claim() {
    return fleet->store.write(
        [&](store::Tx& tx) { return claim_task(tx, fleet.board(), poller, fleet.now); });
  }
  bool may_have_work() { return fleet::may_have_work(fleet->presence, agent.agent, fleet.now); }
  Result<StatusOutcome> set_status(TaskId id, TaskStatus status, std::string_view error = {}) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_task_status(tx, fleet.board(), poller, id, status, error, fleet.now);
    });
  }
  Result<StatusOutcome> report(const model::TaskResult& result) {
    return fleet->store.write([&](store::Tx& tx) { return report(tx, result); });
  }
  Result<StatusOutcome> report(store::Tx& tx, const model::TaskResult& result,
                               const model::ResultClaims& claims = {}) {
    const TaskBoard board = fleet.board();
    ReportedResult reported(board, poller, result, claims, fleet.now);
    return record_result(tx, reported);
  }
  Result<model::Task> cancel(TaskId id) {
    return fleet->store.write(
        [&](store::Tx& tx) { return cancel_task(tx, fleet.board(), fleet.actor, id, fleet.now); });
  }
  /// So that the test may be ordered.
  crypto::Sha256 store_program(const Uuid& test) {
    TestBinary binary;
    binary.org = agent.org;
    binary.test = test;
    binary.name = "probe";
    binary.sha256 = fleet.upload("program", agent.org);
    fleet->store.write([&](store::Tx& tx) {
      register_test_binary(tx, fleet->ids, fleet.actor, binary, fleet.now).value();
    });
    return binary.sha256;
  }
  TaskView show(TaskId id) { return show_task(fleet->store, id, fleet.now).value(); }
  void pass(Duration by) { fleet.now = fleet.now + by; }
  void set_idle_beats(int beats) {
    fleet->presence.with_agent(agent.agent,
                               [&](AgentPresence& state) { state.idle_beats = beats; });
  }
  model::TaskResult result_of(TaskId id, std::int64_t exit_code = 0) const {
    model::TaskResult result;
    result.task = id;
    result.exit_code = exit_code;
    return result;
  }
};

}  // namespace muster::fleet
