// SPDX-License-Identifier: Apache-2.0
#include "fleet/approvals.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "fleet/settings.h"
#include "fleet/signed_orders.h"
#include "fleet/task_testing.h"
#include "model/work_order.h"

namespace muster::fleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// TestFleet creates tasks as operator 1.
constexpr OperatorId creator{1};
constexpr OperatorId second{2};

class Approval : public testing::Test {
 protected:
  Approval() { set(R"({"task_approval": "risky", "task_approval_hosts": 2})"); }

  void set(std::string_view values) {
    JsonDocument document;
    const SettingScope scope{SettingScope::Kind::org, TestFleet::org, ""};
    ASSERT_TRUE(change_settings(work.fleet->store, work.fleet->ids, work.fleet->settings,
                                work.fleet.actor, http::Role::owner, scope,
                                document.parse(values).value(), work.fleet.now)
                    .ok());
  }
  Result<std::vector<model::Task>> decide(TaskId id, bool approve, OperatorId by = second,
                                          std::string reason = {}) {
    return work.fleet->store.write([&](store::Tx& tx) {
      return decide_tasks(tx, work.fleet.board(), Actor::operator_token(by), id,
                          {approve, by, std::move(reason)}, work.fleet.now);
    });
  }
  TaskStatus status(TaskId id) { return work.show(id).task.status; }

  Work work;
};

TEST_F(Approval, NothingIsGivenOutBeforeIt) {
  const TaskId id = work.create();
  EXPECT_EQ(status(id), TaskStatus::pending_approval);
  EXPECT_FALSE(work.may_have_work());
  EXPECT_FALSE(work.claim());
  EXPECT_FALSE(work.set_status(id, TaskStatus::executing).ok());
  EXPECT_FALSE(work.set_status(id, TaskStatus::failed).ok());
  work.fleet.reopen();
  EXPECT_FALSE(work.may_have_work()) << "after a restart neither";
  EXPECT_FALSE(work.claim());
  ASSERT_TRUE(decide(id, true).ok());
  EXPECT_TRUE(work.may_have_work());
  const auto claimed = work.claim();
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->id, id);
}

TEST_F(Approval, IsForSomebodyElse) {
  const TaskId id = work.create();
  for (const bool approve : {true, false}) {
    EXPECT_EQ(decide(id, approve, creator).error().code, Errc::insufficient_role);
  }
  EXPECT_EQ(status(id), TaskStatus::pending_approval);
  EXPECT_TRUE(work.cancel(id).ok()) << "but who asked for it may take it back";
  EXPECT_EQ(decide(id, true).error().code, Errc::illegal_transition);
  EXPECT_EQ(decide(TaskId{Uuid{}}, true).error().code, Errc::unknown_task);
}

TEST_F(Approval, DecidesOnTheWholeBatchOnce) {
  TaskOrder order = work.order();
  order.agents.push_back(work.fleet.enrol("web-2").agent);
  const auto ids = work.fleet.create(order).value();
  const TaskId other = work.create();
  const auto decided = decide(ids[1], true, second, "go").value();
  ASSERT_EQ(decided.size(), 2U);
  EXPECT_EQ(status(ids[0]), TaskStatus::pending);
  EXPECT_EQ(status(other), TaskStatus::pending_approval) << "another call";
  EXPECT_EQ(decide(ids[0], false).error().code, Errc::illegal_transition);
  const auto batch = work.show(ids[0]).batch;
  ASSERT_TRUE(batch && batch->decision);
  EXPECT_TRUE(batch->decision->approved);
  EXPECT_EQ(batch->decision->by, second);
  EXPECT_EQ(batch->decision->reason, "go");
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM audit WHERE action = 'tasks.approve' AND"
                             " actor = 'operator:2' AND details LIKE '%\"created_by\": 1%'"),
            2);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'task_approved'"), 2);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'approval_wanted'"), 2);
}

TEST_F(Approval, RejectedWorkIsOver) {
  const TaskId id = work.create();
  ASSERT_TRUE(decide(id, false, second, "no").ok());
  const TaskView view = work.show(id);
  EXPECT_EQ(view.task.status, TaskStatus::cancelled);
  EXPECT_EQ(view.task.error, "rejected: no");
  EXPECT_FALSE(work.claim());
}

TEST_F(Approval, WhatNobodyDecidesOnInTimeNeverRuns) {
  set(R"({"task_approval_seconds": 3600})");
  const TaskId id = work.create();
  work.pass(hours(1) + Duration(1));
  EXPECT_EQ(decide(id, true).error().code, Errc::illegal_transition);
  EXPECT_EQ(pass_task_time(work.fleet->store, work.fleet.board(), work.fleet.now), 1U);
  EXPECT_EQ(status(id), TaskStatus::expired);
  EXPECT_EQ(work.show(id).task.error, "not approved in time");
  EXPECT_FALSE(work.claim());
  EXPECT_EQ(decide(id, true).error().code, Errc::illegal_transition);
}

TEST_F(Approval, BeginsTheTimeToBeDelivered) {
  const TaskId id = work.create();  // to be delivered within an hour, started within two
  work.pass(hours(5));
  ASSERT_TRUE(decide(id, true).ok());
  const model::Task task = work.show(id).task;
  EXPECT_EQ(task.deliver_by, work.fleet.now + hours(1));
  EXPECT_EQ(task.valid_until, work.fleet.now + hours(2));
  work.pass(minutes(59));
  EXPECT_TRUE(work.claim());
}

TEST_F(Approval, OnlyTheRiskyAreAskedFor) {
  const Uuid test = parse_uuid("7659eeba-f315-440e-9882-4aa015d68b27").value();
  work.store_program(test);
  TaskOrder order(TaskType::execute_test);
  order.payload.test_uuid = test.text();
  order.agents = {work.agent.agent};
  EXPECT_EQ(status(work.create(order)), TaskStatus::pending);
  order.agents.push_back(work.fleet.enrol("web-2").agent);
  EXPECT_EQ(status(work.create(order)), TaskStatus::pending);
  order.agents.push_back(work.fleet.enrol("web-3").agent);
  EXPECT_EQ(status(work.create(order)), TaskStatus::pending_approval) << "more than two hosts";
}

TEST_F(Approval, TurnedOffLetsGoOfNothingThatWaits) {
  const TaskId id = work.create();
  set(R"({"task_approval": "none"})");
  EXPECT_EQ(status(work.create()), TaskStatus::pending);
  EXPECT_EQ(status(id), TaskStatus::pending_approval);
  EXPECT_EQ(work.claim()->id != id, true);
}

TEST_F(Approval, WhatWasSignedHoldsAfterItAndNoLonger) {
  Work& of = work;
  const crypto::SigningKey key{crypto::SigningKey::Seed{1}};
  TaskOrder order = of.order();
  model::WorkOrder says;
  says.id = model::make_order_id(of.fleet.rng);
  says.org = "1";
  says.agent = of.agent.agent;
  says.command = order.payload.command;
  says.execution_timeout_seconds = order.execution_timeout_seconds;
  says.not_before = of.fleet.now - minutes(1);
  says.expires_at = of.fleet.now + hours(3);
  order.orders.push_back({model::sign_order(says, key), says});
  ASSERT_TRUE(check_signatures(order, {}, of.fleet.now).ok());
  const TaskId id = of.create(order);
  EXPECT_EQ(of.show(id).task.approve_by, says.expires_at) << "later it could not run any more";
  of.pass(hours(2));
  ASSERT_TRUE(decide(id, true).ok());
  const model::Task task = of.show(id).task;
  EXPECT_EQ(task.deliver_by, says.expires_at);
  EXPECT_EQ(task.valid_until, says.expires_at);
  const auto claimed = of.claim();
  ASSERT_TRUE(claimed && claimed->order);
  EXPECT_TRUE(
      model::is_signed_by(claimed->order->text, claimed->order->signature, claimed->order->signer));
  EXPECT_EQ(claimed->order->text, model::encode_work_order(says));
}

TEST_F(Approval, NamesOfTheEnvironmentAreShownAndNoValue) {
  TaskOrder order = work.order();
  order.env_vars = R"({"LD_PRELOAD": "/tmp/secret.so", "A": "b"})";
  const TaskId id = work.create(order);
  EXPECT_EQ(list_env_names(work.fleet->store, work.fleet.board(), TestFleet::org, id),
            (std::vector<std::string>{"LD_PRELOAD", "A"}));
  ASSERT_TRUE(decide(id, false).ok());
  EXPECT_TRUE(list_env_names(work.fleet->store, work.fleet.board(), TestFleet::org, id).empty());
}

}  // namespace
}  // namespace muster::fleet
