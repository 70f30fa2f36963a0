// SPDX-License-Identifier: Apache-2.0
#include "model/task.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr Instant noon{1'800'000'000'000};

Task make_task(TaskStatus status) {
  Task task;
  task.status = status;
  task.created_at = noon;
  task.deliver_by = noon + std::chrono::hours(1);
  task.valid_until = noon + std::chrono::hours(2);
  return task;
}

constexpr TaskStatus all_statuses[] = {
    TaskStatus::pending,   TaskStatus::assigned, TaskStatus::downloading, TaskStatus::executing,
    TaskStatus::completed, TaskStatus::failed,   TaskStatus::expired,     TaskStatus::cancelled};
constexpr TaskEvent::Kind all_kinds[] = {
    TaskEvent::Kind::delivered,       TaskEvent::Kind::seen_by_agent,
    TaskEvent::Kind::status_reported, TaskEvent::Kind::result_reported,
    TaskEvent::Kind::cancelled,       TaskEvent::Kind::time_passed};

TEST(AdvanceTask, OnlyAResultLeavesATerminalStatus) {
  for (const TaskStatus status : all_statuses) {
    if (!is_terminal(status)) continue;
    for (const TaskEvent::Kind kind : all_kinds) {
      for (const TaskStatus reported : all_statuses) {
        const auto next = advance(make_task(status), {kind, reported}, noon);
        if (!next.ok()) continue;
        if (kind == TaskEvent::Kind::result_reported) {
          EXPECT_EQ(next->status, TaskStatus::completed);
        } else {
          EXPECT_EQ(next->status, status);
        }
      }
    }
  }
}

TEST(AdvanceTask, WorkThatIsOverIsRefusedToRun) {
  for (const TaskStatus status : all_statuses) {
    for (const TaskStatus begun : {TaskStatus::downloading, TaskStatus::executing}) {
      const auto next = advance(make_task(status), {TaskEvent::Kind::status_reported, begun}, noon);
      EXPECT_EQ(next.ok(), !is_terminal(status));
    }
  }
}

TEST(AdvanceTask, AResultIsTakenFromEveryStatus) {
  for (const TaskStatus status : all_statuses) {
    const auto next = advance(make_task(status), {TaskEvent::Kind::result_reported}, noon);
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(next->status, TaskStatus::completed);
  }
}

TEST(AdvanceTask, EveryEventTwiceIsTheEventOnce) {
  for (const TaskStatus status : all_statuses) {
    for (const TaskEvent::Kind kind : all_kinds) {
      if (kind == TaskEvent::Kind::delivered) continue;  // counts attempts on purpose
      for (const TaskStatus reported : all_statuses) {
        const auto once = advance(make_task(status), {kind, reported}, noon);
        if (!once.ok()) continue;
        const auto twice = advance(*once, {kind, reported}, noon);
        if (twice.ok()) {
          EXPECT_EQ(twice->status, once->status);
        } else {
          EXPECT_EQ(kind, TaskEvent::Kind::cancelled);
        }
      }
    }
  }
}

TEST(AdvanceTask, TimeExpiresOnlyWhatWasNotStarted) {
  const Instant late = noon + std::chrono::hours(3);
  for (const TaskStatus status : all_statuses) {
    Task task = make_task(status);
    EXPECT_EQ(advance(task, {TaskEvent::Kind::time_passed}, late)->status,
              is_terminal(status) ? status : TaskStatus::expired);
    task.started_at = noon;
    const TaskStatus started = advance(task, {TaskEvent::Kind::time_passed}, late)->status;
    EXPECT_EQ(started, status == TaskStatus::pending ? TaskStatus::expired : status);
  }
}

TEST(AdvanceTask, AStartAfterValidUntilIsRefused) {
  const Instant late = noon + std::chrono::hours(3);
  const TaskEvent start{TaskEvent::Kind::status_reported, TaskStatus::executing};
  EXPECT_FALSE(advance(make_task(TaskStatus::assigned), start, late).ok());
  Task running = make_task(TaskStatus::downloading);
  running.started_at = noon;
  EXPECT_TRUE(advance(running, start, late).ok());
}

TEST(DeliverTask, ACommandIsGivenOnceUnlessAskedOrJournalled) {
  Task task = *advance(make_task(TaskStatus::pending), {TaskEvent::Kind::delivered}, noon);
  const Instant later = *task.lease_until;
  EXPECT_FALSE(is_deliverable(task, false, false, later));
  EXPECT_TRUE(is_deliverable(task, true, false, later));
  EXPECT_FALSE(is_deliverable(task, true, false, later - Duration(1)));
  EXPECT_TRUE(is_deliverable(task, true, true, noon));
  task.redeliver = true;
  EXPECT_TRUE(is_deliverable(task, false, false, later));
  task.redeliver = false;
  task.type = TaskType::execute_test;
  EXPECT_TRUE(is_deliverable(task, false, false, later));
  task.started_at = noon;
  EXPECT_FALSE(is_deliverable(task, true, true, later));
}

TEST(DeliverTask, TheLeaseIsTheTimeoutAndTwoMinutesButFiveAtLeast) {
  Task task = make_task(TaskStatus::pending);
  task.execution_timeout_seconds = 10;
  EXPECT_EQ(lease_length(task), std::chrono::minutes(5));
  task.execution_timeout_seconds = 600;
  EXPECT_EQ(lease_length(task), std::chrono::minutes(12));
}

}  // namespace
}  // namespace muster::model
