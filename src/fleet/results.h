// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "store/sql/results.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

struct ResultPage {
  std::vector<store::ResultRow> results;
  std::string next_cursor;
  store::Total total;
};
/// The history of runs, those received last first. Fails with invalid_field for a cursor that is
/// none.
Result<ResultPage> list_result_page(store::Store& store, const store::ResultFilter& filter,
                                    std::string_view cursor, int count);

/// One result as operators see it.
struct ResultView {
  OrgId org;
  model::TaskResult result;  // with its controls
};
/// Fails with not_found: no result, or no such task.
Result<ResultView> show_result(store::Store& store, TaskId task);

struct ControlView {
  model::Control control;
  std::optional<model::Outcome> outcome;  // of a test
};
struct ControlPage {
  std::vector<ControlView> controls;
  std::string next_cursor;
  std::int64_t total = 0;
};
/// A result's rows in the order of its bundle: a result without a bundle is one row of its own, and
/// a task without a result has none. Fails with unknown_task, and with invalid_field for a cursor
/// that is none.
Result<ControlPage> list_control_page(store::Store& store, TaskId task, std::string_view cursor,
                                      int count);

/// Hosts by the outcome of their latest run of a test: that of the task created last. An
/// organisation that never ran it has none.
store::OutcomeCounts summarise_test(store::Store& store, std::optional<OrgId> org,
                                    std::string_view test);

/// Deletes results received longer than `keep` ago, with their controls, and what programs wrote
/// once no result names it, in transactions of limits::prune_rows, at most limits::prune_rounds of
/// them; the next call goes on. Returns the rows. Throws store::StoreError.
std::int64_t prune_results(store::Store& store, Duration keep, Instant now);

}  // namespace muster::fleet
