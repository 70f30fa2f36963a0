// SPDX-License-Identifier: Apache-2.0
#include "fleet/results.h"

#include "base/limits.h"
#include "fleet/cursor.h"
#include "fleet/task_board.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

/// The cursor is "received.task": many results come in one millisecond.
Result<store::ResultPlace> parse_result_place(std::string_view cursor) {
  store::ResultPlace place{{number_id_max}, {}};
  place.task.uuid.bytes.fill(0xFF);
  if (cursor.empty()) return place;
  const CursorParts parts = TRY(split_cursor(cursor, '.'));
  place.received_at = {TRY(parse_cursor_number(parts.first))};
  place.task = {TRY(parse_cursor_uuid(parts.rest))};
  return place;
}

/// The cursor is "position.control".
Result<store::ControlPlace> parse_control_place(std::string_view cursor) {
  if (cursor.empty()) return store::ControlPlace{};
  const CursorParts parts = TRY(split_cursor(cursor, '.'));
  const std::int64_t position = TRY(parse_cursor_number(parts.first));
  if (parts.rest.empty()) return not_a_cursor();
  return store::ControlPlace{position, std::string(parts.rest)};
}

ControlView whole_result_as_control(const model::TaskResult& result) {
  ControlView view{{}, result.outcome};
  model::Control& row = view.control;
  row.position = 1;
  row.exit_code = result.exit_code;
  row.techniques = row.tactics = "[]";
  row.error_message = result.error;
  return view;
}

}  // namespace

Result<ResultPage> list_result_page(store::Store& store, const store::ResultFilter& filter,
                                    std::string_view cursor, int count) {
  const store::ResultPlace before = TRY(parse_result_place(cursor));
  return store.read([&](store::Reader& reader) {
    ResultPage page;
    page.total = store::count_results(reader, filter);
    page.results = store::list_results(reader, filter, before, count + 1);
    if (page.results.size() > static_cast<std::size_t>(count)) {
      page.results.pop_back();
      const model::TaskResult& last = page.results.back().result;
      page.next_cursor = std::to_string(last.received_at.unix_ms) + "." + last.task.text();
    }
    return page;
  });
}

Result<ResultView> show_result(store::Store& store, TaskId id) {
  return store.read([&](store::Reader& reader) -> Result<ResultView> {
    const auto task = store::find_task_anywhere(reader, id);
    auto result = task ? store::find_result(reader, task->org, id) : std::nullopt;
    if (!result) return Error{Errc::not_found, "There is no such result."};
    result->controls = store::list_controls(reader, task->org, id, {}, limits::controls);
    return ResultView{task->org, std::move(*result)};
  });
}

Result<ControlPage> list_control_page(store::Store& store, TaskId id, std::string_view cursor,
                                      int count) {
  const store::ControlPlace after = TRY(parse_control_place(cursor));
  return store.read([&](store::Reader& reader) -> Result<ControlPage> {
    const auto task = store::find_task_anywhere(reader, id);
    if (!task) return unknown_task();
    ControlPage page;
    page.total = store::count_controls(reader, task->org, id);
    if (page.total == 0) {
      if (const auto result = store::find_result(reader, task->org, id)) {
        page.controls = {whole_result_as_control(*result)};
        page.total = 1;
      }
      return page;
    }
    auto controls = store::list_controls(reader, task->org, id, after, count + 1);
    if (controls.size() > static_cast<std::size_t>(count)) {
      controls.pop_back();
      const model::Control& last = controls.back();
      page.next_cursor = std::to_string(last.position) + "." + last.control_id;
    }
    page.controls.reserve(controls.size());
    for (model::Control& control : controls) {
      const model::Outcome outcome = model::outcome_of(control);
      page.controls.push_back({std::move(control), outcome});
    }
    return page;
  });
}

store::OutcomeCounts summarise_test(store::Store& store, std::optional<OrgId> org,
                                    std::string_view test) {
  return store.read(
      [&](store::Reader& reader) { return store::count_latest_results(reader, org, test); });
}

std::int64_t prune_results(store::Store& store, Duration keep, Instant now) {
  const std::int64_t before = (now - keep).unix_ms / day_ms;
  std::int64_t deleted = 0;
  bool results_left = true;
  for (int round = 0; round < limits::prune_rounds; ++round) {
    const std::int64_t rows = store.write([&](store::Tx& tx) {
      if (results_left) {
        return store::delete_old_results(tx, {before * day_ms}, limits::prune_rows);
      }
      return store::delete_old_outputs(tx, before, limits::prune_rows, limits::prune_output_bytes);
    });
    deleted += rows;
    if (rows == 0 && !results_left) break;
    results_left = results_left && rows > 0;
  }
  return deleted;
}

}  // namespace muster::fleet
