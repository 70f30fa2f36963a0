// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/task.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

void insert_task(Tx& tx, const model::Task& task);
/// Rewrites what advance() may change.
void set_task(Tx& tx, const model::Task& task);
std::optional<model::Task> find_task(Reader& reader, OrgId org, TaskId id);
/// In whatever organisation it is: for operators of the whole server.
std::optional<model::Task> find_task_anywhere(Reader& reader, TaskId id);
/// The agent's tasks that are pending or assigned, at most `count` of each: highest priority first,
/// then oldest.
std::vector<model::Task> list_deliverable_tasks(Reader& reader, OrgId org, AgentId agent,
                                                int count);
/// What the agent was given and has not finished.
std::vector<model::Task> list_tasks_in_hand(Reader& reader, OrgId org, AgentId agent);
std::int64_t count_pending_tasks(Reader& reader, OrgId org, AgentId agent);
/// Newest first, `before` excluded; of one agent if given.
std::vector<model::Task> list_tasks(Reader& reader, std::optional<AgentId> agent, TaskId before,
                                    int count);
Total count_tasks(Reader& reader, std::optional<AgentId> agent);

/// Agents with work that a poll may find.
struct Outstanding {
  OrgId org;
  AgentId agent;
  std::int64_t pending = 0;
  std::int64_t assigned = 0;  // not started
};
std::vector<Outstanding> list_outstanding(Reader& reader);

/// Stores the result of a task that has none; false, and nothing changes, when it has one.
bool insert_result(Tx& tx, OrgId org, const model::TaskResult& result);
/// A repeat of (task, control) overwrites itself, also within `controls`.
void set_controls(Tx& tx, OrgId org, TaskId task, const std::vector<model::Control>& controls);
std::optional<model::TaskResult> find_result(Reader& reader, OrgId org, TaskId task);

}  // namespace muster::store
