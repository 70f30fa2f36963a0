// SPDX-License-Identifier: Apache-2.0
#include "fleet/task_course.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/task_testing.h"

namespace muster::fleet {
namespace {

/// A test (no other type is retried), taken and begun.
struct Begun : Work {
  TaskId id;
  explicit Begun(std::int64_t max_retries = 2) {
    const Uuid test = make_uuid7(fleet.rng, fleet.now);
    store_program(test);
    TaskOrder order(TaskType::execute_test);
    order.agents = {agent.agent};
    order.payload.test_uuid = test.text();
    order.env_vars = R"({"SECRET": "s3"})";
    order.execution_timeout_seconds = 600;
    order.max_retries = max_retries;
    id = create(order);
    EXPECT_TRUE(claim().has_value());
    EXPECT_TRUE(set_status(id, TaskStatus::executing).ok());
  }
  std::size_t pass_time() { return pass_task_time(fleet->store, fleet.board(), fleet.now); }
  void hear() { fleet->presence.touch_agent(agent.agent, fleet.now); }
  std::int64_t sealed() {
    return fleet.count("SELECT count(*) FROM tasks WHERE sealed_env IS NOT NULL");
  }
  std::int64_t retries() {
    return fleet.count("SELECT count(*) FROM tasks WHERE original_task_id IS NOT NULL");
  }
};

TEST(GivingUp, WaitsForTheTimeoutWhileTheAgentIsHeard) {
  Begun work;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(work.show(work.id).task.status, TaskStatus::executing) << i;
    work.pass(std::chrono::minutes(1));
    work.hear();
    work.pass_time();
  }
  EXPECT_EQ(work.show(work.id).task.status, TaskStatus::executing);
  work.pass(Duration(1));
  work.hear();
  EXPECT_EQ(work.pass_time(), 1U);
  EXPECT_EQ(work.show(work.id).task.status, TaskStatus::failed);
  EXPECT_EQ(work.show(work.id).task.error, "execution_timeout_exceeded");
  EXPECT_EQ(work.retries(), 1);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'task_retried'"), 1);
  EXPECT_EQ(work.pass_time(), 0U) << "nothing is due";
}

TEST(GivingUp, AnAgentThatFallsSilentIsNotWaitedFor) {
  Begun work;
  work.hear();
  work.pass(limits::silent_agent + Duration(1));
  EXPECT_EQ(work.pass_time(), 1U);
  EXPECT_EQ(work.show(work.id).task.error, "agent_offline");
  EXPECT_EQ(work.retries(), 1);
}

TEST(GivingUp, TheServersOwnDowntimeIsNotTheAgentsSilence) {
  Begun work;
  work.pass(limits::silent_agent + Duration(1));
  work.fleet.reopen();
  work.pass_time();
  EXPECT_EQ(work.show(work.id).task.status, TaskStatus::executing);
}

TEST(GivingUp, ExpiresWithoutAnyPoll) {
  Work work;
  const TaskId id = work.create();
  work.pass(std::chrono::hours(1) + Duration(1));
  EXPECT_EQ(pass_task_time(work.fleet->store, work.fleet.board(), work.fleet.now), 1U);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM tasks WHERE status = 'expired'"), 1);
  EXPECT_FALSE(work.may_have_work());
  EXPECT_EQ(work.show(id).task.status, TaskStatus::expired);
}

TEST(Retrying, KeepsBatchPriorityAndEnvironmentAndEndsAtItsBound) {
  Begun work;
  for (int i = 1; i <= 3; ++i) {
    work.pass(limits::silent_agent + Duration(1));
    work.pass_time();
    EXPECT_EQ(work.retries(), std::min(i, 2));
    EXPECT_EQ(work.sealed(), i < 3 ? 1 : 0) << "only what may still run keeps its secrets";
    const auto retry = work.claim();
    ASSERT_EQ(retry.has_value(), i < 3);
    if (!retry) break;
    EXPECT_EQ(retry->original, work.id);
    EXPECT_EQ(retry->retry_count, i);
    EXPECT_EQ(retry->batch, work.show(work.id).task.batch);
    EXPECT_NE(retry->payload.find(R"("env_vars": {"SECRET": "s3"})"), std::string::npos);
    ASSERT_TRUE(work.set_status(retry->id, TaskStatus::executing).ok());
  }
}

TEST(Retrying, ALateResultIsKeptAndEndsTheRetryThatHasNotBegun) {
  Begun work;
  work.pass(limits::silent_agent + Duration(1));
  work.pass_time();
  ASSERT_TRUE(work.may_have_work());
  ASSERT_TRUE(work.report(work.result_of(work.id, 101))->changed);
  EXPECT_EQ(work.show(work.id).task.status, TaskStatus::completed);
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM tasks WHERE status = 'cancelled'"), 1);
  EXPECT_FALSE(work.may_have_work());
  EXPECT_FALSE(work.claim().has_value()) << "no test runs twice needlessly";
  EXPECT_EQ(work.sealed(), 0);
}

TEST(Retrying, ALateResultLeavesARetryThatHasBegun) {
  Begun work;
  work.pass(limits::silent_agent + Duration(1));
  work.pass_time();
  const auto retry = work.claim();
  ASSERT_TRUE(work.set_status(retry->id, TaskStatus::executing).ok());
  ASSERT_TRUE(work.report(work.result_of(work.id, 101))->changed);
  EXPECT_EQ(work.show(retry->id).task.status, TaskStatus::executing);
  EXPECT_TRUE(work.report(work.result_of(retry->id, 126))->changed);
}

TEST(Retrying, WaitsWhileTheAgentSaysThatItRunsTheFirst) {
  Begun work;
  work.pass(limits::silent_agent + Duration(1));
  work.pass_time();
  const auto says = [&](std::optional<Uuid> current) {
    work.fleet->presence.with_agent(work.agent.agent,
                                    [&](AgentPresence& state) { state.current_task = current; });
  };
  says(work.id.uuid);
  EXPECT_FALSE(work.claim().has_value());
  says(std::nullopt);
  EXPECT_EQ(work.claim()->original, work.id);
}

TEST(Retrying, NeverFollowsACancellationOrAnAgentsOwnFailure) {
  for (const bool cancelled : {true, false}) {
    Begun work;
    if (cancelled) {
      work.pass(std::chrono::hours(2));  // overdue already, but not given up
      ASSERT_TRUE(work.cancel(work.id).ok());
    } else {
      ASSERT_TRUE(work.set_status(work.id, TaskStatus::failed, "SHA256 mismatch").ok());
    }
    work.pass(std::chrono::hours(2));
    EXPECT_EQ(work.pass_time(), 0U);
    EXPECT_EQ(work.retries(), 0);
    EXPECT_EQ(work.sealed(), 0);
  }
}

TEST(Secrets, AreGivenWithEveryDeliveryAndErasedWhenTheTaskIsOver) {
  for (const std::string end : {"result", "expiry", "cancel", "failure"}) {
    Work work;
    work.poller.effect_once = true;
    TaskOrder order = work.order();
    order.env_vars = R"({"AZURE_CLIENT_SECRET": "hunter2"})";
    const TaskId id = work.create(order);
    const auto leaks = [&] {
      return work.fleet.database.rows().find("hunter2") != std::string::npos;
    };
    EXPECT_FALSE(leaks()) << "sealed";
    for (int i = 0; i < 2; ++i) {
      const auto given = work.claim();
      ASSERT_TRUE(given.has_value());
      EXPECT_NE(given->payload.find("hunter2"), std::string::npos) << i;
      work.set_idle_beats(2);
    }
    EXPECT_EQ(work.show(id).task.payload.find("hunter2"), std::string::npos);
    const auto sealed = [&] {
      return work.fleet.count("SELECT count(*) FROM tasks WHERE sealed_env IS NOT NULL");
    };
    EXPECT_EQ(sealed(), 1);
    ASSERT_TRUE(end != "result" || work.report(work.result_of(id)).ok());
    ASSERT_TRUE(end != "cancel" || work.cancel(id).ok());
    ASSERT_TRUE(end != "failure" || work.set_status(id, TaskStatus::failed, "e").ok());
    if (end == "expiry") {
      work.pass(std::chrono::hours(3));
      pass_task_time(work.fleet->store, work.fleet.board(), work.fleet.now);
    }
    EXPECT_EQ(sealed(), 0) << end;
    EXPECT_FALSE(leaks()) << end;
  }
}

TEST(Secrets, ThatCannotBeOpenedFailTheTaskAndNotThePoll) {
  Work work;
  TaskOrder order = work.order();
  order.env_vars = R"({"A": "b"})";
  const TaskId damaged = work.create(order);
  work.fleet->store.write([](store::Tx& tx) {
    tx.execute("UPDATE tasks SET sealed_env = $1", store::Blob{"not sealed"});
  });
  work.pass(Duration(1));
  const TaskId next = work.create();
  EXPECT_EQ(work.claim()->id, next);
  EXPECT_EQ(work.show(damaged).task.error, "env_vars_unreadable");
}

struct Leaving : Work {
  TaskId id;
  Leaving() {
    TaskOrder order(TaskType::uninstall);
    order.agents = {agent.agent};
    order.payload.command = "cleanup";
    id = create(order);
  }
};

TEST(Uninstalling, TheResultEndsTheAgentAndItsOtherWork) {
  Leaving work;
  ASSERT_EQ(work.claim()->id, work.id) << "before everything else";
  const TaskId other = work.create();
  ASSERT_TRUE(work.report(work.result_of(work.id))->changed);
  EXPECT_EQ(work.show(other).task.status, TaskStatus::cancelled);
  const auto hash = work.fleet->credentials.hash(work.agent.key);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(work.fleet->credentials.agents.find(hash)->uninstalled) << i;
    EXPECT_FALSE(work.fleet->presence.find_agent(work.agent.agent).has_value()) << i;
    work.fleet.reopen();
  }
  const auto refused = work.fleet.create(work.order());
  EXPECT_EQ(refused.error().code, Errc::invalid_field);
  EXPECT_EQ(refused.error().field, "agent_ids[0]");
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM events WHERE type = 'uninstalled'"), 1);
}

TEST(Uninstalling, TheResultMayBeRepeatedSinceTheAgentGoesOnlyOnceItIsAnswered) {
  Leaving work;
  ASSERT_TRUE(work.claim().has_value());
  const TaskId other = work.create();
  ASSERT_TRUE(work.report(work.result_of(work.id))->changed);
  work.poller.ended = true;
  const auto repeat = work.report(work.result_of(work.id));
  ASSERT_TRUE(repeat.ok());
  EXPECT_FALSE(repeat->changed);
  EXPECT_EQ(work.report(work.result_of(other)).error().code, Errc::invalid_credentials);
}

}  // namespace
}  // namespace muster::fleet
