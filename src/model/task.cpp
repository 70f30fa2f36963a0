// SPDX-License-Identifier: Apache-2.0
#include "model/task.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace muster::model {

namespace {

constexpr std::array<std::string_view, 4> type_names = {
#define TASK_TYPE(name) #name,
#include "model/task_types.def"
#undef TASK_TYPE
};

constexpr std::array<std::string_view, 8> status_names = {"pending",   "assigned",  "downloading",
                                                          "executing", "completed", "failed",
                                                          "expired",   "cancelled"};

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

Result<Task> report_status(Task task, const TaskEvent& event, Instant now) {
  const bool begins = event.reported == TaskStatus::assigned ||
                      event.reported == TaskStatus::downloading ||
                      event.reported == TaskStatus::executing;
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
  task.status = event.reported;
  task.finished_at = now;
  task.error = event.error;
  return task;
}

Task let_time_pass(Task task, Instant now) {
  const bool undelivered = task.status == TaskStatus::pending && now > task.deliver_by;
  const bool unstarted = !is_terminal(task.status) && !task.started_at && now > task.valid_until;
  if (undelivered || unstarted) {
    task.status = TaskStatus::expired;
    task.finished_at = now;
    task.error = undelivered ? "not delivered in time" : "not started in time";
  }
  return task;
}

}  // namespace

std::string_view task_type_name(TaskType type) {
  return type_names[static_cast<std::size_t>(type)];
}
std::optional<TaskType> parse_task_type(std::string_view text) {
  return find_name<TaskType>(type_names, text);
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

Result<Task> advance(Task task, const TaskEvent& event, Instant now) {
  switch (event.kind) {
    case TaskEvent::Kind::delivered:
      if (task.status != TaskStatus::pending && task.status != TaskStatus::assigned) {
        return over(task);
      }
      task.status = TaskStatus::assigned;
      task.attempt += 1;
      task.assigned_at = now;
      task.lease_until = now + lease_length(task);
      return task;
    case TaskEvent::Kind::seen_by_agent:
      if (!is_terminal(task.status) && task.status != TaskStatus::pending && !task.started_at) {
        task.started_at = now;
      }
      return task;
    case TaskEvent::Kind::status_reported:
      return report_status(std::move(task), event, now);
    case TaskEvent::Kind::result_reported:
      // A result is the truth about what happened, even after the server gave the task up.
      task.status = TaskStatus::completed;
      task.finished_at = now;
      task.error.clear();
      if (!task.started_at) task.started_at = now;
      return task;
    case TaskEvent::Kind::cancelled:
      if (is_terminal(task.status)) return over(task);
      task.status = TaskStatus::cancelled;
      task.finished_at = now;
      return task;
    case TaskEvent::Kind::time_passed:
      return let_time_pass(std::move(task), now);
  }
  check_failed("known TaskEvent", __FILE__, __LINE__);
}

}  // namespace muster::model
