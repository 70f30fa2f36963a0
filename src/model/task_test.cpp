// SPDX-License-Identifier: Apache-2.0
#include "model/task.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::model {
namespace {

constexpr Instant noon{1'800'000'000'000};

Task make_task(TaskStatus status) {
  Task task;
  task.status = status;
  task.created_at = noon;
  task.deliver_by = noon + std::chrono::hours(1);
  task.valid_until = noon + std::chrono::hours(2);
  if (status == TaskStatus::pending_approval) task.approve_by = noon + std::chrono::minutes(90);
  return task;
}

constexpr TaskStatus all_statuses[] = {
    TaskStatus::pending_approval, TaskStatus::pending,   TaskStatus::assigned,
    TaskStatus::downloading,      TaskStatus::executing, TaskStatus::completed,
    TaskStatus::failed,           TaskStatus::expired,   TaskStatus::cancelled};
constexpr TaskEvent::Kind all_kinds[] = {
    TaskEvent::Kind::delivered,       TaskEvent::Kind::seen_by_agent,
    TaskEvent::Kind::status_reported, TaskEvent::Kind::result_reported,
    TaskEvent::Kind::cancelled,       TaskEvent::Kind::undeliverable,
    TaskEvent::Kind::approved,        TaskEvent::Kind::rejected,
    TaskEvent::Kind::time_passed};

/// What succeeds once: a repeat of it is refused.
bool is_decision(TaskEvent::Kind kind) {
  return kind == TaskEvent::Kind::cancelled || kind == TaskEvent::Kind::undeliverable ||
         kind == TaskEvent::Kind::approved || kind == TaskEvent::Kind::rejected;
}

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
      EXPECT_EQ(next.ok(), !is_terminal(status) && status != TaskStatus::pending_approval);
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
          EXPECT_TRUE(is_decision(kind));
        }
      }
    }
  }
}

/// One move: a task in every status, started or not, early or late in its life, and everything that
/// can happen to it.
struct Move {
  Task before;
  TaskEvent event;
  Instant at;
  Result<Task> after;

  std::string text() const {
    return std::string(task_status_name(before.status)) + (before.started_at ? " started" : "") +
           " event " + std::to_string(static_cast<int>(event.kind)) + " reported " +
           std::string(task_status_name(event.reported)) + " at +" +
           std::to_string((at - noon).count() / 1000) + " s, heard " +
           (event.heard_at ? std::to_string((*event.heard_at - noon).count() / 1000) : "now");
  }
};

std::vector<Move> all_moves() {
  std::vector<Move> moves;
  for (const TaskStatus status : all_statuses) {
    for (const bool started : {false, true}) {
      for (const auto kind : all_kinds) {
        for (const TaskStatus reported : all_statuses) {
          for (const int minutes : {0, 5, 30, 59, 61, 119, 121, 600}) {
            for (const int silence : {0, 5, 7}) {
              Task task = make_task(status);
              task.type = TaskType::execute_test;
              task.max_retries = 1;
              task.execution_timeout_seconds = 3600;
              if (started) task.started_at = noon;
              TaskEvent event{kind, reported};
              event.error = "why";
              const Instant at = noon + std::chrono::minutes(minutes);
              if (kind == TaskEvent::Kind::time_passed) {
                event.heard_at = at - std::chrono::minutes(silence);
              }
              moves.push_back({task, event, at, advance(task, event, at)});
            }
          }
        }
      }
    }
  }
  return moves;
}

/// Calls `law(move)` for all moves, with the move in the message of what fails.
template <typename F>
void for_all_moves(F&& law) {
  for (const Move& move : all_moves()) {
    law(move);
    if (!testing::Test::HasFailure()) continue;
    ADD_FAILURE() << "in " << move.text();
    return;
  }
}

TEST(EveryMove, LeavesATerminalStatusOnlyByAResult) {
  for_all_moves([](const Move& move) {
    if (!is_terminal(move.before.status) || !move.after.ok()) return;
    if (move.event.kind == TaskEvent::Kind::result_reported) {
      EXPECT_EQ(move.after->status, TaskStatus::completed);
    } else {
      EXPECT_EQ(move.after->status, move.before.status);
      EXPECT_EQ(move.after->error, move.before.error);
    }
  });
}

TEST(EveryMove, NeverBeginsWhatIsOver) {
  for_all_moves([](const Move& move) {
    const bool begins =
        move.event.kind == TaskEvent::Kind::delivered ||
        (move.event.kind == TaskEvent::Kind::status_reported &&
         move.event.reported > TaskStatus::pending && !is_terminal(move.event.reported));
    if (!begins || !is_terminal(move.before.status)) return;
    EXPECT_FALSE(move.after.ok());
  });
}

TEST(EveryMove, NeverBeginsAfterValidUntil) {
  for_all_moves([](const Move& move) {
    if (move.event.kind != TaskEvent::Kind::status_reported || move.before.started_at) return;
    if (move.at <= move.before.valid_until || is_terminal(move.event.reported)) return;
    EXPECT_FALSE(move.after.ok());
  });
}

TEST(EveryMove, TakesAResultWhatever) {
  for_all_moves([](const Move& move) {
    if (move.event.kind != TaskEvent::Kind::result_reported) return;
    ASSERT_TRUE(move.after.ok());
    EXPECT_EQ(move.after->status, TaskStatus::completed);
    EXPECT_TRUE(move.after->error.empty());
  });
}

TEST(EveryMove, CountsDeliveriesAndNothingElseAsAttempts) {
  for_all_moves([](const Move& move) {
    if (!move.after.ok()) return;
    const bool delivered = move.event.kind == TaskEvent::Kind::delivered;
    EXPECT_EQ(move.after->attempt, move.before.attempt + (delivered ? 1 : 0));
    EXPECT_EQ(move.after->status == TaskStatus::assigned && delivered, delivered);
  });
}

TEST(EveryMove, NeverGoesBackBeforeTheEnd) {
  for_all_moves([](const Move& move) {
    if (!move.after.ok() || is_terminal(move.after->status)) return;
    EXPECT_GE(move.after->status, move.before.status);
    EXPECT_EQ(move.before.started_at.has_value() && !move.after->started_at, false);
  });
}

TEST(EveryMove, IsOverWithATimeAndDueNoMoreOrDueAgain) {
  for_all_moves([](const Move& move) {
    if (!move.after.ok()) return;
    EXPECT_EQ(move.after->due_at.has_value(), !is_terminal(move.after->status));
    if (!is_terminal(move.before.status) && is_terminal(move.after->status)) {
      EXPECT_TRUE(move.after->finished_at.has_value());
    }
    // Whatever time alone leaves as it is comes up later, or the pass would not end.
    if (move.event.kind == TaskEvent::Kind::time_passed && move.after->due_at) {
      EXPECT_GE(*move.after->due_at, move.at);
    }
  });
}

TEST(EveryMove, BeginsNothingThatNobodyApproved) {
  for_all_moves([](const Move& move) {
    if (move.before.status != TaskStatus::pending_approval || !move.after.ok()) return;
    const TaskStatus after = move.after->status;
    if (move.event.kind == TaskEvent::Kind::approved) {
      EXPECT_EQ(after, TaskStatus::pending);
      EXPECT_LE(move.at, *move.before.approve_by);
    } else {
      EXPECT_TRUE(after == TaskStatus::pending_approval || is_terminal(after));
    }
    EXPECT_FALSE(is_deliverable(move.before, true, true, move.at));
    EXPECT_EQ(move.after->attempt, 0);
  });
}

TEST(EveryMove, IsDecidedOnceAndInTime) {
  for_all_moves([](const Move& move) {
    const bool approves = move.event.kind == TaskEvent::Kind::approved;
    if (!approves && move.event.kind != TaskEvent::Kind::rejected) return;
    const bool waits = move.before.status == TaskStatus::pending_approval;
    const bool in_time = waits && move.at <= *move.before.approve_by;
    EXPECT_EQ(move.after.ok(), waits && (in_time || !approves));
    if (!move.after.ok()) return;
    EXPECT_EQ(move.after->status, approves ? TaskStatus::pending : TaskStatus::cancelled);
    EXPECT_EQ(move.after->error, approves ? "" : "why");
  });
}

TEST(ApproveTask, BeginsItsTimeToBeDeliveredAndStarted) {
  const Instant late = noon + std::chrono::minutes(80);
  const auto pending =
      advance(make_task(TaskStatus::pending_approval), {TaskEvent::Kind::approved}, late);
  ASSERT_TRUE(pending.ok());
  EXPECT_EQ(pending->deliver_by, late + std::chrono::hours(1));
  EXPECT_EQ(pending->valid_until, late + std::chrono::hours(2));
  EXPECT_EQ(pending->due_at, pending->deliver_by);
  EXPECT_TRUE(is_deliverable(*pending, false, false, late));
}

TEST(ApproveTask, GivesItNoLongerThanWhatWasSignedOfIt) {
  const Instant late = noon + std::chrono::minutes(80);
  TaskEvent event{TaskEvent::Kind::approved};
  event.signed_until = noon + std::chrono::minutes(100);
  const auto pending = advance(make_task(TaskStatus::pending_approval), event, late);
  ASSERT_TRUE(pending.ok());
  EXPECT_EQ(pending->deliver_by, *event.signed_until);
  EXPECT_EQ(pending->valid_until, *event.signed_until);
}

TEST(ApproveTask, WhatNobodyDecidesOnExpires) {
  const Task task = make_task(TaskStatus::pending_approval);
  EXPECT_EQ(next_due(task, noon), task.approve_by);
  const auto still = advance(task, {TaskEvent::Kind::time_passed}, *task.approve_by);
  EXPECT_EQ(still->status, TaskStatus::pending_approval);
  const auto gone = advance(task, {TaskEvent::Kind::time_passed}, *task.approve_by + Duration(1));
  EXPECT_EQ(gone->status, TaskStatus::expired);
  EXPECT_EQ(gone->error, "not approved in time");
}

TEST(EveryMove, IsNothingForAnAgentToSayThatATaskIsPendingExpiredOrCancelled) {
  for_all_moves([](const Move& move) {
    if (move.event.kind != TaskEvent::Kind::status_reported) return;
    if (move.event.reported <= TaskStatus::pending || move.event.reported == TaskStatus::expired ||
        move.event.reported == TaskStatus::cancelled) {
      EXPECT_FALSE(move.after.ok());
    }
  });
}

TEST(EveryMove, ByTimeAloneExpiresTheUnstartedAndFailsTheStarted) {
  for_all_moves([](const Move& move) {
    if (move.event.kind != TaskEvent::Kind::time_passed || is_terminal(move.before.status)) return;
    const Task& before = move.before;
    const bool overdue = move.at > noon + std::chrono::hours(1) + limits::overdue_margin;
    const bool silent = move.at - std::max(*move.event.heard_at, noon) > std::chrono::minutes(6);
    TaskStatus expected = before.status;
    if (before.status == TaskStatus::pending_approval) {
      if (move.at > *before.approve_by) expected = TaskStatus::expired;
    } else if (before.started_at) {
      if (overdue || silent) expected = TaskStatus::failed;
    } else if (move.at >
               (before.status == TaskStatus::pending ? before.deliver_by : before.valid_until)) {
      expected = TaskStatus::expired;
    }
    EXPECT_EQ(move.after->status, expected);
    if (expected == TaskStatus::failed) {
      EXPECT_EQ(move.after->error, overdue ? error_timeout : error_offline);
    }
  });
}

TEST(EveryMove, IsRetriedOnlyIfTheAgentLeftATestThatStillMayRun) {
  for_all_moves([](const Move& move) {
    if (!move.after.ok()) return;
    const auto retry = retry_of(*move.after, TaskId{}, move.at);
    const bool given_up = move.event.kind == TaskEvent::Kind::time_passed &&
                          move.before.status != TaskStatus::failed &&
                          move.after->status == TaskStatus::failed;
    EXPECT_EQ(retry.has_value(), given_up && move.at <= move.before.deliver_by);
    if (!retry) return;
    EXPECT_EQ(retry->status, TaskStatus::pending);
    EXPECT_EQ(retry->original, move.before.id);
    EXPECT_EQ(retry->retry_count, 1);
    EXPECT_EQ(retry->deliver_by, move.before.deliver_by) << "a retry buys no time";
    EXPECT_FALSE(retry->started_at || retry->finished_at || retry->lease_until);
  });
}

TEST(RetryTask, EndsAtItsCountAndKeepsTheRoot) {
  Task task = make_task(TaskStatus::failed);
  task.id = TaskId{Uuid{{1}}};
  task.error = error_offline;
  task.max_retries = 2;
  Task retry = *retry_of(task, TaskId{Uuid{{2}}}, noon);
  retry.status = TaskStatus::failed;
  retry.error = error_timeout;
  retry = *retry_of(retry, TaskId{Uuid{{3}}}, noon);
  EXPECT_EQ(retry.original, task.id);
  EXPECT_EQ(retry.retry_count, 2);
  retry.status = TaskStatus::failed;
  retry.error = error_timeout;
  EXPECT_FALSE(retry_of(retry, TaskId{}, noon).has_value());
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
