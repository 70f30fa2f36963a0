// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/task.h"
#include "model/task_result.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// Stores the first result of each task, without what the program wrote and without controls.
/// Returns the tasks that had none, in no order; for the others nothing changes.
std::vector<TaskId> insert_results(Tx& tx, OrgId org,
                                   const std::vector<const model::TaskResult*>& results);
/// What the programs wrote. Output that the organisation has already is named and not stored again.
void insert_outputs(Tx& tx, OrgId org, const std::vector<const model::TaskResult*>& results);
struct ControlOfTask {
  TaskId task;
  const model::Control* control = nullptr;
};
/// A repeat of (task, control) overwrites itself, also within `controls`.
void set_controls(Tx& tx, OrgId org, const std::vector<ControlOfTask>& controls);
/// Of tests: each its host's latest unless that of a task created later is there.
void set_latest_results(Tx& tx, OrgId org, const std::vector<const model::TaskResult*>& results);

/// With what the program wrote, without controls.
std::optional<model::TaskResult> find_result(Reader& reader, OrgId org, TaskId task);

/// Where a page of controls ends.
struct ControlPlace {
  std::int64_t position = -1;
  std::string control_id;
};
/// In the order of the bundle, from after `after`.
std::vector<model::Control> list_controls(Reader& reader, OrgId org, TaskId task,
                                          const ControlPlace& after, int count);
std::int64_t count_controls(Reader& reader, OrgId org, TaskId task);

/// What a list of results is narrowed to; members that are absent do not narrow it. A host comes
/// with its organisation.
struct ResultFilter {
  std::optional<OrgId> org = {};
  std::optional<HostId> host = {};
  std::optional<std::string> test = {};  // not empty
  std::optional<model::Outcome> outcome = {};
  std::optional<Instant> since = {};  // received at or after
};
/// A result in a list: neither what the program wrote, nor its bundle, nor its controls.
struct ResultRow {
  OrgId org;
  AgentId agent;
  model::TaskType type = model::TaskType::execute_command;
  std::string label;  // the command or the name of the test
  model::TaskResult result;
};
/// Where a page of results ends.
struct ResultPlace {
  Instant received_at;
  TaskId task;
};
/// Those received last first, from after `before`.
std::vector<ResultRow> list_results(Reader& reader, const ResultFilter& filter,
                                    const ResultPlace& before, int count);
Total count_results(Reader& reader, const ResultFilter& filter);

/// Hosts by the outcome of their latest run of a test, in the order of model::Outcome.
using OutcomeCounts = std::array<std::int64_t, 5>;
OutcomeCounts count_latest_results(Reader& reader, std::optional<OrgId> org, std::string_view test);

/// Deletes what the oldest results that were received before `before` have: at most `most` of their
/// controls, and of those `most` results the ones without controls. Returns the rows; once it is 0,
/// no such result is left.
std::int64_t delete_old_results(Tx& tx, Instant before, int most);
/// Deletes output that no result named on the day `before` (days since the epoch) or later: at most
/// `most`, and no more once `octets` are gone. For when all results of earlier days are deleted.
std::int64_t delete_old_outputs(Tx& tx, std::int64_t before, int most, std::int64_t octets);

}  // namespace muster::store
