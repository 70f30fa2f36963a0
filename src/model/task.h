// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"

namespace muster::model {

enum class TaskType : std::uint8_t {
#define TASK_TYPE(name, ...) name,
#include "model/task_types.def"
#undef TASK_TYPE
};
std::string_view task_type_name(TaskType type);
std::optional<TaskType> parse_task_type(std::string_view text);

/// What an order of a type gets where it does not say otherwise.
struct TaskDefaults {
  std::int64_t priority;
  std::int64_t ttl_seconds;
  std::int64_t timeout_seconds;
  std::int64_t max_retries;
};
const TaskDefaults& defaults_of(TaskType type);

enum class TaskStatus : std::uint8_t {
  pending_approval,  // waits for a second person; nothing of it is given out
  pending,           // waits for its agent to ask
  assigned,          // was in an answer to a poll; the agent has not confirmed it
  downloading,       // the agent said so
  executing,         // the agent said so
  completed,         // a result arrived, whatever its exit code
  failed,            // the agent gave up, or the server gave up the agent
  expired,           // not delivered, or not started, in time
  cancelled,         // by an operator
};
std::string_view task_status_name(TaskStatus status);
std::optional<TaskStatus> parse_task_status(std::string_view text);
bool is_terminal(TaskStatus status);

/// What an operator signed of a task (model/work_order.h), with the signature.
struct SignedOrder {
  std::string text;
  crypto::Signature signature{};
  crypto::PublicKey signer{};
};

struct Task {
  OrgId org;
  TaskId id;
  AgentId agent;
  Uuid batch;  // shared by the tasks of one call
  TaskType type = TaskType::execute_command;
  TaskStatus status = TaskStatus::pending;
  std::int64_t priority = 1;  // 0..10, higher first
  std::string payload;        // JSON object as sent to the agent, without its env_vars
  std::string label;          // the command or the test's name: lists and searches go by it
  std::string test_uuid;      // execute_test
  bool redeliver = false;     // execute_command: may be delivered again to any agent
  std::int64_t execution_timeout_seconds = 300;
  OperatorId created_by;
  Instant created_at;
  Instant deliver_by;   // not delivered by then: expired
  Instant valid_until;  // not started by then: expired, and a late start is refused
  std::int64_t attempt = 0;
  std::optional<Instant> approve_by;  // needed a second person: not approved by then, expired
  std::optional<Instant> assigned_at;
  std::optional<Instant> lease_until;  // delivered again after it, unless started
  std::optional<Instant> started_at;   // the agent showed that it has the task
  std::optional<Instant> finished_at;
  std::optional<Instant> due_at;  // when time_passed may change it next; none once it is over
  std::int64_t retry_count = 0;
  std::int64_t max_retries = 0;
  std::optional<TaskId> original;  // of a retry: the first task of the chain
  std::string error;
  std::optional<SignedOrder> order;  // only of claim_task and show_task
};

/// What can happen to a task. The agent's words are `status_reported` and `result_reported`.
struct TaskEvent {
  enum class Kind : std::uint8_t {
    delivered,        // it is in the answer to a poll
    seen_by_agent,    // a heartbeat named it as current or last completed
    status_reported,  // PATCH status
    result_reported,
    cancelled,
    undeliverable,  // its sealed members cannot be opened
    approved,       // by a second person; its time to be delivered and started begins
    rejected,
    time_passed,
  };
  Kind kind;
  TaskStatus reported = TaskStatus::executing;  // status_reported
  std::string_view error = {};                  // status_reported, cancelled, rejected
  std::optional<Instant> signed_until = {};     // approved: when what was signed of it ends
  std::optional<Instant> heard_at = {};         // time_passed: the agent's last sign of life
};

/// Errors of tasks that the server gave up because the agent left them: only these are retried.
inline constexpr std::string_view error_timeout = "execution_timeout_exceeded";
inline constexpr std::string_view error_offline = "agent_offline";

/// The task after the event: the only place where a task's status changes. Fails with
/// illegal_transition where the caller must not go on: work on a task that is over, a second
/// cancellation. A repeat of what is already so succeeds and changes nothing.
Result<Task> advance(Task task, const TaskEvent& event, Instant now);

/// The agent left the task and there is a further try: the same work as a task of its own, due
/// within the time that the first one had. The late result of a task that has a retry is kept and
/// ends a retry that has not begun (fleet::record_result), so no test runs again needlessly; one
/// that has begun goes on, and both results are kept. Nothing for a task that an agent failed
/// itself (it said why, and would say it again), that was cancelled, or whose time is up.
std::optional<Task> retry_of(const Task& given_up, TaskId id, Instant now);

/// When time alone may change the task next, if its agent was last heard of at `heard_at`.
std::optional<Instant> next_due(const Task& task, Instant heard_at);

/// How long a delivery waits for a sign of the agent: the execution timeout and two minutes, at
/// least five minutes.
Duration lease_length(const Task& task);

/// True if an undelivered or lost task may be in the next answer. `effect_once`: the agent answers
/// a repeated delivery from its journal, so anything may be delivered again. `agent_idle`: two
/// heartbeats since the delivery said that the agent has no task.
bool is_deliverable(const Task& task, bool effect_once, bool agent_idle, Instant now);

}  // namespace muster::model
