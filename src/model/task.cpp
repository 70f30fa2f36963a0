// SPDX-License-Identifier: Apache-2.0
#include "model/task.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace muster::model {

namespace {

constexpr std::array<std::string_view, 4> type_names = {
#define TASK_TYPE(name, ...) #name,
#include "model/task_types.def"
#undef TASK_TYPE
};

constexpr std::array<TaskDefaults, 4> type_defaults = {{
#define TASK_TYPE(name, ...) {__VA_ARGS__},
#include "model/task_types.def"
#undef TASK_TYPE
}};

constexpr std::array<std::string_view, 9> status_names = {
    "pending_approval", "pending", "assigned", "downloading", "executing",
    "completed",        "failed",  "expired",  "cancelled"};

template <typename Enum, std::size_t size>
std::optional<Enum> find_name(const std::array<std::string_view, size>& names,
                              std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

Error over(const Task& task) {
  return {Errc::illegal_transition,
          "The task is " + std::string(task_status_name(task.status)) + "."};
}

Task end(Task task, TaskStatus status, std::string_view error, Instant now) {
  task.status = status;
  task.finished_at = now;
  task.error = error;
  return task;
}

Result<Task> report_status(Task task, const TaskEvent& event, Instant now) {
  const bool ends = event.reported == TaskStatus::completed || event.reported == TaskStatus::failed;
  const bool begins = event.reported > TaskStatus::pending && !is_terminal(event.reported);
  if (!begins && !ends) {
    return Error{Errc::illegal_transition, "That is not for an agent to say."};
  }
  // It was given to nobody yet.
  if (task.status == TaskStatus::pending_approval) return over(task);
  if (is_terminal(task.status)) {
    // What is over must not run (again); that it is over may be said any number of times.
    if (begins) return over(task);
    return task;
  }
  if (begins) {
    if (now > task.valid_until && !task.started_at) {
      return Error{Errc::illegal_transition, "The task is expired."};
    }
    task.status = std::max(task.status, event.reported);
    if (!task.started_at) task.started_at = now;
    return task;
  }
  return end(std::move(task), event.reported, event.error, now);
}

Instant overdue_at(const Task& task) {
  return *task.started_at + std::chrono::seconds(task.execution_timeout_seconds) +
         limits::overdue_margin;
}

Task let_time_pass(Task task, Instant heard_at, Instant now) {
  if (is_terminal(task.status)) return task;
  if (task.status == TaskStatus::pending_approval) {
    if (now <= *task.approve_by) return task;
    return end(std::move(task), TaskStatus::expired, "not approved in time", now);
  }
  if (!task.started_at) {
    if (task.status == TaskStatus::pending && now > task.deliver_by) {
      return end(std::move(task), TaskStatus::expired, "not delivered in time", now);
    }
    if (now > task.valid_until) {
      return end(std::move(task), TaskStatus::expired, "not started in time", now);
    }
    return task;
  }
  if (now > overdue_at(task)) return end(std::move(task), TaskStatus::failed, error_timeout, now);
  if (now - std::max(heard_at, *task.started_at) > limits::silent_agent) {
    return end(std::move(task), TaskStatus::failed, error_offline, now);
  }
  return task;
}

/// What waited for approval had no time to be delivered yet: the whole of it begins now.
Result<Task> approve(Task task, std::optional<Instant> signed_until, Instant now) {
  if (task.status != TaskStatus::pending_approval) return over(task);
  if (now > *task.approve_by) {
    return Error{Errc::illegal_transition, "The time to approve it is over."};
  }
  const Duration waited = std::max(now - task.created_at, Duration(0));
  task.deliver_by = task.deliver_by + waited;
  task.valid_until = task.valid_until + waited;
  if (signed_until) {
    task.deliver_by = std::min(task.deliver_by, *signed_until);
    task.valid_until = std::min(task.valid_until, *signed_until);
  }
  task.status = TaskStatus::pending;
  return task;
}

Result<Task> move(Task task, const TaskEvent& event, Instant now) {
  switch (event.kind) {
    case TaskEvent::Kind::delivered:
      if ((task.status != TaskStatus::pending && task.status != TaskStatus::assigned) ||
          task.started_at) {
        return over(task);
      }
      task.status = TaskStatus::assigned;
      task.attempt += 1;
      task.assigned_at = now;
      task.lease_until = now + lease_length(task);
      return task;
    case TaskEvent::Kind::seen_by_agent:
      if (!is_terminal(task.status) && task.status > TaskStatus::pending && !task.started_at) {
        task.started_at = now;
      }
      return task;
    case TaskEvent::Kind::status_reported:
      return report_status(std::move(task), event, now);
    case TaskEvent::Kind::result_reported:
      // A result is the truth about what happened, even after the server gave the task up.
      if (task.status == TaskStatus::completed) return task;
      if (!task.started_at) task.started_at = now;
      return end(std::move(task), TaskStatus::completed, {}, now);
    case TaskEvent::Kind::cancelled:
      if (is_terminal(task.status)) return over(task);
      return end(std::move(task), TaskStatus::cancelled, event.error, now);
    case TaskEvent::Kind::undeliverable:
      if (is_terminal(task.status) || task.started_at) return over(task);
      return end(std::move(task), TaskStatus::failed, event.error, now);
    case TaskEvent::Kind::approved:
      return approve(std::move(task), event.signed_until, now);
    case TaskEvent::Kind::rejected:
      if (task.status != TaskStatus::pending_approval) return over(task);
      return end(std::move(task), TaskStatus::cancelled, event.error, now);
    case TaskEvent::Kind::time_passed:
      return let_time_pass(std::move(task), event.heard_at.value_or(now), now);
  }
  check_failed("known TaskEvent", __FILE__, __LINE__);
}

}  // namespace

std::string_view task_type_name(TaskType type) {
  return type_names[static_cast<std::size_t>(type)];
}
std::optional<TaskType> parse_task_type(std::string_view text) {
  return find_name<TaskType>(type_names, text);
}
const TaskDefaults& defaults_of(TaskType type) {
  return type_defaults[static_cast<std::size_t>(type)];
}
std::string_view task_status_name(TaskStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}
std::optional<TaskStatus> parse_task_status(std::string_view text) {
  return find_name<TaskStatus>(status_names, text);
}
bool is_terminal(TaskStatus status) {
  return status >= TaskStatus::completed;
}

Duration lease_length(const Task& task) {
  return std::max<Duration>(
      limits::lease_min,
      std::chrono::seconds(task.execution_timeout_seconds) + limits::lease_margin);
}

bool is_deliverable(const Task& task, bool effect_once, bool agent_idle, Instant now) {
  if (task.status == TaskStatus::pending) return true;
  if (task.status != TaskStatus::assigned || task.started_at) return false;
  const bool repeatable = effect_once || task.redeliver || task.type != TaskType::execute_command;
  return repeatable && (agent_idle || !task.lease_until || now >= *task.lease_until);
}

std::optional<Instant> next_due(const Task& task, Instant heard_at) {
  if (is_terminal(task.status)) return std::nullopt;
  if (task.status == TaskStatus::pending_approval) return task.approve_by;
  if (!task.started_at) {
    return task.status == TaskStatus::pending ? std::min(task.deliver_by, task.valid_until)
                                              : task.valid_until;
  }
  return std::min(overdue_at(task), std::max(heard_at, *task.started_at) + limits::silent_agent);
}

std::optional<Task> retry_of(const Task& given_up, TaskId id, Instant now) {
  const bool left = given_up.status == TaskStatus::failed &&
                    (given_up.error == error_timeout || given_up.error == error_offline);
  if (!left || given_up.retry_count >= given_up.max_retries) return std::nullopt;
  if (now > given_up.deliver_by || now > given_up.valid_until) return std::nullopt;
  Task retry = given_up;
  retry.id = id;
  retry.status = TaskStatus::pending;
  retry.created_at = now;
  retry.attempt = 0;
  retry.assigned_at = retry.lease_until = retry.started_at = retry.finished_at = std::nullopt;
  retry.retry_count += 1;
  retry.original = given_up.original.value_or(given_up.id);
  retry.error.clear();
  retry.due_at = next_due(retry, now);
  return retry;
}

Result<Task> advance(Task task, const TaskEvent& event, Instant now) {
  task = TRY(move(std::move(task), event, now));
  task.due_at = next_due(task, event.heard_at.value_or(now));
  return task;
}

}  // namespace muster::model
