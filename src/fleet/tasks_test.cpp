// SPDX-License-Identifier: Apache-2.0
#include "fleet/tasks.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/results.h"
#include "fleet/task_testing.h"

namespace muster::fleet {
namespace {

TEST(Claiming, HighestPriorityThenOldestFirst) {
  Work work;
  std::vector<TaskId> expected;
  TaskOrder order = work.order();
  for (const std::int64_t priority : {1, 5, 5, 10}) {
    order.priority = priority;
    expected.push_back(work.create(order));
    work.pass(Duration(1));
  }
  for (const std::size_t next : {3U, 1U, 2U, 0U}) EXPECT_EQ(work.claim()->id, expected[next]);
  EXPECT_FALSE(work.claim().has_value());
}

TEST(Claiming, AfterTheLastTaskAPollTouchesNothing) {
  Work work;
  EXPECT_FALSE(work.may_have_work());
  work.create();
  work.create();
  EXPECT_TRUE(work.may_have_work());
  work.claim();
  EXPECT_TRUE(work.may_have_work());
  work.claim();
  EXPECT_FALSE(work.may_have_work());
  work.pass(std::chrono::hours(1));
  EXPECT_FALSE(work.may_have_work()) << "a command is given once";
}

TEST(Claiming, PendingWorkIsKnownAfterARestart) {
  Work work;
  const TaskId id = work.create();
  work.fleet.reopen();
  EXPECT_TRUE(work.may_have_work());
  EXPECT_EQ(work.claim()->id, id);
  EXPECT_FALSE(work.may_have_work());
  work.fleet.reopen();
  EXPECT_FALSE(work.claim().has_value());
  EXPECT_FALSE(work.may_have_work()) << "the first poll after the restart found out";
}

TEST(Claiming, AnUndoneClaimLeavesTheTask) {
  Work work;
  const TaskId id = work.create();
  EXPECT_THROW(work.fleet->store.write([&](store::Tx& tx) {
    claim_task(tx, work.fleet.board(), work.poller, work.fleet.now);
    throw store::StoreError("the disk is full");
  }),
               store::StoreError);
  EXPECT_TRUE(work.may_have_work());
  const auto claimed = work.claim();
  EXPECT_EQ(claimed->id, id);
  EXPECT_EQ(claimed->attempt, 1);
}

TEST(Redelivery, ACommandIsGivenOnceToAgentsThatKeepNoJournal) {
  Work work;
  work.create();
  ASSERT_TRUE(work.claim().has_value());
  work.set_idle_beats(2);
  work.pass(std::chrono::minutes(30));
  EXPECT_FALSE(work.claim().has_value());
}

TEST(Redelivery, WaitsForTheLeaseAndCountsAttempts) {
  for (const bool journal : {true, false}) {
    Work work;
    work.poller.effect_once = journal;
    TaskOrder order = work.order();
    order.redeliver = !journal;
    order.execution_timeout_seconds = 600;
    const TaskId id = work.create(order);
    ASSERT_EQ(work.claim()->attempt, 1);
    const Duration lease = std::chrono::seconds(600) + limits::lease_margin;
    work.pass(lease - Duration(1));
    EXPECT_FALSE(work.may_have_work());
    EXPECT_FALSE(work.claim().has_value());
    work.pass(Duration(1));
    EXPECT_TRUE(work.may_have_work());
    const auto again = work.claim();
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->id, id);
    EXPECT_EQ(again->attempt, 2);
    EXPECT_FALSE(work.may_have_work());
  }
}

TEST(Redelivery, TwoIdleHeartbeatsEndTheLeaseEarly) {
  Work work;
  work.poller.effect_once = true;
  work.create();
  ASSERT_TRUE(work.claim().has_value());
  work.set_idle_beats(1);
  EXPECT_FALSE(work.may_have_work());
  work.set_idle_beats(2);
  EXPECT_TRUE(work.may_have_work());
  EXPECT_EQ(work.claim()->attempt, 2);
  EXPECT_FALSE(work.may_have_work()) << "the count starts anew";
}

TEST(Redelivery, EndsOnceTheAgentShowedThatItHasTheTask) {
  for (const bool by_status : {true, false}) {
    Work work;
    work.poller.effect_once = true;
    const TaskId id = work.create();
    ASSERT_TRUE(work.claim().has_value());
    if (by_status) {
      ASSERT_TRUE(work.set_status(id, TaskStatus::executing).ok());
    } else {
      work.fleet->store.write([&](store::Tx& tx) {
        mark_task_seen(tx, work.fleet->presence, work.agent.org, work.agent.agent, id,
                       work.fleet.now);
      });
    }
    work.set_idle_beats(2);
    work.pass(std::chrono::minutes(59));
    EXPECT_FALSE(work.may_have_work());
    EXPECT_FALSE(work.claim().has_value());
  }
}

TEST(Redelivery, LostDeliveriesDoNotHideWhatWaits) {
  Work work;
  TaskOrder order = work.order();
  order.priority = 5;
  order.agents.assign(100, work.agent.agent);
  ASSERT_TRUE(work.fleet.create(order).ok());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(work.claim().has_value()) << i;
  work.pass(Duration(1));
  const TaskId waiting = work.create();
  const auto claimed = work.claim();
  ASSERT_TRUE(claimed.has_value());
  EXPECT_EQ(claimed->id, waiting);
  EXPECT_FALSE(work.may_have_work());
}

TEST(Expiry, WhatIsNotDeliveredInTimeIsExpiredByTheNextPoll) {
  Work work;
  const TaskId late = work.create();
  work.pass(std::chrono::minutes(30));
  const TaskId live = work.create();
  work.pass(std::chrono::minutes(30) + Duration(1));
  EXPECT_EQ(work.show(late).task.status, TaskStatus::expired) << "as operators see it";
  EXPECT_EQ(work.claim()->id, live);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'task_expired'"), 1);
  EXPECT_FALSE(work.may_have_work());
}

TEST(Expiry, WhatIsNotStartedInTimeMayNotBegin) {
  Work work;
  const TaskId id = work.create();
  ASSERT_TRUE(work.claim().has_value());
  work.pass(std::chrono::hours(2) + Duration(1));
  EXPECT_EQ(work.set_status(id, TaskStatus::executing).error().code, Errc::illegal_transition);
}

TEST(Cancelling, TakesTheTaskFromTheAgent) {
  Work work;
  const TaskId waiting = work.create();
  const TaskId given = work.create();
  ASSERT_TRUE(work.cancel(waiting).ok());
  EXPECT_EQ(work.claim()->id, given);
  ASSERT_TRUE(work.cancel(given).ok());
  EXPECT_FALSE(work.may_have_work());
  EXPECT_EQ(work.set_status(given, TaskStatus::executing).error().code, Errc::illegal_transition);
  EXPECT_TRUE(work.set_status(given, TaskStatus::failed, "stopped").ok()) << "that it is over";
  EXPECT_EQ(work.show(given).task.status, TaskStatus::cancelled);
  EXPECT_EQ(work.cancel(given).error().code, Errc::illegal_transition);
  EXPECT_EQ(work.cancel(TaskId{}).error().code, Errc::unknown_task);
}

TEST(Creating, IsForAllAgentsOrNone) {
  Work work;
  TaskOrder order = work.order();
  order.agents.push_back(AgentId{});
  const auto refused = work.fleet.create(order);
  EXPECT_EQ(refused.error().code, Errc::not_found);
  EXPECT_EQ(refused.error().field, "agent_ids[1]");
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM tasks"), 0);
  EXPECT_FALSE(work.may_have_work());
}

TEST(Creating, AnAgentHasABoundedQueue) {
  Work work;
  model::Task task;
  task.org = work.agent.org;
  task.agent = work.agent.agent;
  task.payload = "{}";
  task.deliver_by = task.valid_until = work.fleet.now + std::chrono::hours(1);
  work.fleet->store.write([&](store::Tx& tx) {
    for (int i = 1; i < limits::pending_tasks_per_agent; ++i) {
      task.id = {make_uuid7(work.fleet.rng, work.fleet.now)};
      store::insert_task(tx, task);
    }
  });
  EXPECT_TRUE(work.fleet.create(work.order()).ok());
  const auto refused = work.fleet.create(work.order());
  EXPECT_EQ(refused.error().code, Errc::invalid_field);
  EXPECT_EQ(refused.error().field, "agent_ids[0]");
  ASSERT_TRUE(work.claim().has_value());
  EXPECT_TRUE(work.fleet.create(work.order()).ok()) << "there is room again";
}

TEST(Status, IsSetByTheOwnerAloneAndRepeatsAreSilent) {
  Work work;
  const TaskId id = work.create();
  ASSERT_TRUE(work.claim().has_value());
  EXPECT_TRUE(work.set_status(id, TaskStatus::downloading)->changed);
  EXPECT_FALSE(work.set_status(id, TaskStatus::downloading)->changed);
  EXPECT_TRUE(work.set_status(id, TaskStatus::executing)->changed);
  EXPECT_FALSE(work.set_status(id, TaskStatus::downloading)->changed) << "never back";
  EXPECT_TRUE(work.set_status(id, TaskStatus::failed, "no space")->changed);
  EXPECT_FALSE(work.set_status(id, TaskStatus::failed, "again")->changed);
  EXPECT_EQ(work.show(id).task.error, "no space");
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'task_failed'"), 1);
  const Enrolled other = work.fleet.enrol("web-2");
  work.poller = {other.org, other.agent, other.host, false};
  EXPECT_EQ(work.set_status(id, TaskStatus::failed).error().code, Errc::not_owner);
  EXPECT_EQ(work.set_status(TaskId{}, TaskStatus::failed).error().code, Errc::unknown_task);
}

TEST(Result, ARepeatChangesNothing) {
  Work work;
  const TaskId id = work.create();
  ASSERT_TRUE(work.claim().has_value());
  model::TaskResult result = work.result_of(id, 3);
  result.standard_output = model::Output("first");
  result.controls.emplace_back().control_id = "c1";
  EXPECT_TRUE(work.report(result)->changed);
  work.pass(std::chrono::seconds(10));
  result.exit_code = 4;
  result.standard_output = model::Output("second");
  result.controls.emplace_back().control_id = "c2";
  EXPECT_FALSE(work.report(result)->changed);
  const TaskView view = work.show(id);
  EXPECT_EQ(view.task.status, TaskStatus::completed);
  EXPECT_EQ(view.result->exit_code, 3);
  EXPECT_EQ(view.result->standard_output.text(), "first");
  EXPECT_EQ(show_result(work.fleet->store, id)->result.controls.size(), 1U);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'task_completed'"), 1);
}

TEST(Result, IsKeptInWhateverStateTheTaskIs) {
  for (const std::string state : {"pending", "claimed", "cancelled", "failed", "expired"}) {
    Work work;
    const TaskId id = work.create();
    const bool given = state != "pending" && state != "expired";
    ASSERT_EQ(given, given && work.claim().has_value());
    ASSERT_TRUE(state != "cancelled" || work.cancel(id).ok());
    ASSERT_TRUE(state != "failed" || work.set_status(id, TaskStatus::failed, "gave up").ok());
    if (state == "expired") {
      work.pass(std::chrono::hours(1) + Duration(1));
      ASSERT_FALSE(work.claim().has_value());
      ASSERT_EQ(work.fleet.count("SELECT count(*) FROM tasks WHERE status = 'expired'"), 1);
    }
    EXPECT_TRUE(work.report(work.result_of(id, 7))->changed) << state;
    EXPECT_EQ(work.show(id).task.status, TaskStatus::completed) << state;
    EXPECT_EQ(work.show(id).task.error, "") << state;
    EXPECT_EQ(work.show(id).result->exit_code, 7) << state;
    EXPECT_FALSE(work.may_have_work()) << state;
    work.fleet.reopen();
    EXPECT_EQ(work.show(id).result->exit_code, 7) << state << ", durable";
  }
}

TEST(Result, IsTakenFromTheOwnerAlone) {
  Work work;
  const TaskId id = work.create();
  const Enrolled other = work.fleet.enrol("web-2");
  work.poller = {other.org, other.agent, other.host, false};
  EXPECT_EQ(work.report(work.result_of(id)).error().code, Errc::not_owner);
  EXPECT_EQ(work.report(work.result_of(TaskId{})).error().code, Errc::unknown_task);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM results"), 0);
}

TEST(Result, ControlsAreRowsInTheirOrderAndARepeatOverwritesItself) {
  Work work;
  const TaskId id = work.create();
  model::TaskResult result = work.result_of(id);
  result.bundle = "{\"name\": \"b\"}";
  for (std::int64_t i = 1; i <= 30; ++i) {
    model::Control control;
    control.control_id = "c" + std::to_string(31 - i);
    control.position = i;
    control.exit_code = i;
    result.controls.push_back(control);
  }
  ASSERT_TRUE(work.report(result)->changed);
  const auto controls_of = [&](TaskId task) {
    return show_result(work.fleet->store, task).value().result.controls;
  };
  const auto stored = controls_of(id);
  ASSERT_EQ(stored.size(), 30U);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].control_id, result.controls[i].control_id);
  }
  work.fleet->store.write([&](store::Tx& tx) {
    result.controls[3].actual = "changed";
    store::set_controls(tx, work.agent.org, {{id, &result.controls[3]}});
  });
  EXPECT_EQ(controls_of(id)[3].actual, "changed");
  EXPECT_EQ(controls_of(id).size(), 30U);
}

TEST(Result, MissingFactsAreThoseOfTheEnrolment) {
  Work work;
  const TaskId id = work.create();
  ASSERT_TRUE(work.report(work.result_of(id)).ok());
  const auto result = work.show(id).result;
  EXPECT_EQ(result->hostname, "web-1");
  EXPECT_EQ(result->os, "linux");
  EXPECT_EQ(result->arch, "amd64");
}

TEST(Creating, ATestTakesTheProgramThatIsStoredForItNow) {
  Work work;
  const Uuid test = make_uuid7(work.fleet.rng, work.fleet.now);
  TaskOrder order(TaskType::execute_test);
  order.agents = {work.agent.agent};
  order.payload.test_uuid = test.text();
  EXPECT_EQ(work.fleet.create(order).error().field, "test_uuid") << "there is none";
  const crypto::Sha256 digest = work.store_program(test);
  const model::Task task = work.show(work.create(order)).task;
  EXPECT_NE(task.payload.find(R"("binary_name": "probe", "binary_sha256": ")" + digest.text() +
                              R"(", "binary_size": 7)"),
            std::string::npos)
      << task.payload;
  EXPECT_EQ(task.label, "probe");
  EXPECT_EQ(task.test_uuid, test.text());
  EXPECT_EQ(task.max_retries, 2);
  order.payload.binary_name = "another";
  EXPECT_EQ(work.fleet.create(order).error().code, Errc::not_found);
}

TEST(Creating, ChecksTheOrganisationOfTheAgents) {
  Work work;
  TaskOrder order = work.order();
  order.org = OrgId{2};
  EXPECT_EQ(work.fleet.create(order).error().field, "agent_ids[0]");
  order.org = work.agent.org;
  EXPECT_TRUE(work.fleet.create(order).ok());
}

TEST(Batches, ACancelledOneEndsWhatIsNotOver) {
  Work work;
  TaskOrder order = work.order();
  order.agents.assign(3, work.agent.agent);
  const auto ids = work.fleet.create(order).value();
  const TaskId other = work.create();
  ASSERT_TRUE(work.claim().has_value());
  ASSERT_TRUE(work.report(work.result_of(ids[0])).ok());
  const Uuid batch = work.show(ids[0]).task.batch;
  const auto cancel = [&](const Uuid& id) {
    return work.fleet->store.write([&](store::Tx& tx) {
      return cancel_batch(tx, work.fleet.board(), work.fleet.actor, id, std::nullopt,
                          work.fleet.now);
    });
  };
  EXPECT_EQ(cancel(batch)->size(), 2U);
  EXPECT_EQ(cancel(batch)->size(), 0U) << "all of it is over";
  EXPECT_EQ(cancel(Uuid{}).error().code, Errc::not_found);
  EXPECT_EQ(work.show(ids[0]).task.status, TaskStatus::completed);
  EXPECT_EQ(work.claim()->id, other) << "not of the batch";
  EXPECT_FALSE(work.may_have_work());
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM audit WHERE action = 'tasks.cancel'"), 2);
  const BatchPage page = list_batch_page(work.fleet->store, std::nullopt, "", 1).value();
  EXPECT_EQ(page.total.value, 2);
  EXPECT_EQ(list_batch_page(work.fleet->store, std::nullopt, page.next_cursor, 1)->batches[0].id,
            batch);
}

TEST(Notes, KeepTheirHistoryUpToABound) {
  Work work;
  const TaskId id = work.create();
  const auto note = [&](const std::string& text) {
    work.pass(Duration(1));
    return work.fleet->store.write([&](store::Tx& tx) {
      return add_note(tx, work.fleet->ids, work.fleet.actor, id, text, work.fleet.now);
    });
  };
  EXPECT_EQ(note("one")->version, 1);
  EXPECT_EQ(note("two")->version, 2);
  const auto notes = work.show(id).notes;
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].text, "two");
  EXPECT_EQ(notes[0].author, "operator:1");
  EXPECT_EQ(notes[1].text, "one");
  for (int i = 2; i < limits::task_notes; ++i) ASSERT_TRUE(note("more").ok());
  EXPECT_EQ(note("too many").error().field, "text");
}

TEST(TaskPages, GoNewestFirstThroughAll) {
  Work work;
  std::vector<TaskId> created;
  for (int i = 0; i < 25; ++i) {
    created.push_back(work.create());
    work.pass(Duration(1));
  }
  std::vector<TaskId> listed;
  std::string cursor;
  do {
    const TaskPage page =
        list_task_page(work.fleet->store, {.agent = work.agent.agent}, cursor, 10, work.fleet.now)
            .value();
    EXPECT_LE(page.tasks.size(), 10U);
    for (const TaskView& view : page.tasks) listed.push_back(view.task.id);
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(listed, std::vector<TaskId>(created.rbegin(), created.rend()));
}

}  // namespace
}  // namespace muster::fleet
