// SPDX-License-Identifier: Apache-2.0
#include "store/sql/results.h"

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "store/store.h"

namespace muster::store {

using model::Control;
using model::Output;
using model::TaskResult;

namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

std::optional<std::int64_t> number_of(const std::optional<model::Outcome>& outcome) {
  if (!outcome) return std::nullopt;
  return static_cast<std::int64_t>(*outcome);
}

std::optional<model::Outcome> read_outcome(const Rows& rows, int column) {
  if (rows.is_null(column)) return std::nullopt;
  return static_cast<model::Outcome>(rows.integer(column));
}

std::optional<Blob> digest_of(const Output& output) {
  const auto octets = output.digest();
  return octets ? std::optional(Blob{*octets}) : std::nullopt;
}

/// An output, and the day of a result that names it.
struct OutputOfDay {
  const Output* output;
  std::int64_t day;
};

Output read_output(const Rows& rows, int text, int truncated, int sha256) {
  const bool cut = rows.boolean(truncated);
  if (rows.is_null(sha256)) return {"", cut, crypto::Sha256{}};
  return {std::string(rows.blob(text)), cut, rows.sha256(sha256)};
}

}  // namespace

#define RESULT_COLUMNS                                                            \
  "task_id, received_at, exit_code, outcome, flags, host_id, stdout_sha256,"      \
  " stdout_truncated, stderr_sha256, stderr_truncated, started_at, completed_at," \
  " duration_ms, test_uuid, binary_sha256, hostname, os, arch, error, bundle"

std::vector<TaskId> insert_results(Tx& tx, OrgId org,
                                   const std::vector<const TaskResult*>& results) {
  std::vector<TaskId> inserted;
  // Which of them are first is what the key itself says: to look before is one more statement, and
  // PostgreSQL plans it while the table is empty.
  tx.query_batch(
      "INSERT INTO results (org_id, " RESULT_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
      " $19, $20, $21) ON CONFLICT (org_id, task_id) DO NOTHING RETURNING task_id",
      "INSERT INTO results (org_id, " RESULT_COLUMNS
      ") SELECT $1, given.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
      " $15, $16, $17, $18, $19, $20, $21) AS given (" RESULT_COLUMNS
      ") ON CONFLICT (org_id, task_id) DO NOTHING RETURNING task_id",
      org, results,
      [](const TaskResult* result) {
        return std::array<Param, 20>{result->task,
                                     result->received_at,
                                     result->exit_code,
                                     number_of(result->outcome),
                                     result->flags.bits,
                                     result->host,
                                     digest_of(result->standard_output),
                                     result->standard_output.truncated(),
                                     digest_of(result->standard_error),
                                     result->standard_error.truncated(),
                                     result->started_at,
                                     result->completed_at,
                                     result->duration_ms,
                                     result->test_uuid,
                                     result->binary_sha256,
                                     result->hostname,
                                     result->os,
                                     result->arch,
                                     result->error,
                                     result->bundle};
      },
      [&](const Rows& rows) { inserted.push_back(rows.uuid_id<TaskId>(0)); });
  return inserted;
}

#undef RESULT_COLUMNS

/// The row of an output that many results name is touched once a day, so that they do not wait for
/// one another.
void insert_outputs(Tx& tx, OrgId org, const std::vector<const TaskResult*>& results) {
  std::map<std::string_view, OutputOfDay> distinct;  // by digest, the latest day
  for (const TaskResult* result : results) {
    const std::int64_t day = result->received_at.unix_ms / day_ms;
    for (const Output* output : {&result->standard_output, &result->standard_error}) {
      const auto digest = output->digest();
      if (!digest) continue;
      OutputOfDay& kept = distinct.try_emplace(*digest, OutputOfDay{output, day}).first->second;
      kept.day = std::max(kept.day, day);
    }
  }
  std::vector<OutputOfDay> outputs;
  for (const auto& [digest, output] : distinct) outputs.push_back(output);
  tx.post_batch(
      "INSERT INTO outputs (org_id, sha256, body, last_day) SELECT $1, $2, $3, $4 WHERE NOT EXISTS"
      " (SELECT 1 FROM outputs WHERE org_id = $1 AND sha256 = $2 AND last_day >= $4)"
      " ON CONFLICT (org_id, sha256) DO UPDATE SET last_day = excluded.last_day",
      "INSERT INTO outputs (org_id, sha256, body, last_day) SELECT $1, sha256, body, last_day"
      " FROM unnest($2, $3, $4) AS given (sha256, body, last_day) WHERE NOT EXISTS"
      " (SELECT 1 FROM outputs o WHERE o.org_id = $1 AND o.sha256 = given.sha256"
      " AND o.last_day >= given.last_day OFFSET 0)"
      " ON CONFLICT (org_id, sha256) DO UPDATE SET last_day = excluded.last_day",
      org, outputs, [](const OutputOfDay& each) {
        return std::array<Param, 3>{digest_of(*each.output), Blob{each.output->text()}, each.day};
      });
}

void set_latest_results(Tx& tx, OrgId org, const std::vector<const TaskResult*>& results) {
  tx.post_batch(
      "INSERT INTO latest_results (org_id, test_uuid, host_id, task_id, outcome)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, test_uuid, host_id) DO UPDATE SET"
      " task_id = excluded.task_id, outcome = excluded.outcome"
      " WHERE latest_results.task_id < excluded.task_id",
      "INSERT INTO latest_results (org_id, test_uuid, host_id, task_id, outcome)"
      " SELECT DISTINCT ON (test_uuid, host_id) $1, test_uuid, host_id, task_id, outcome"
      " FROM unnest($2, $3, $4, $5) AS given (test_uuid, host_id, task_id, outcome)"
      " ORDER BY test_uuid, host_id, task_id DESC"
      " ON CONFLICT (org_id, test_uuid, host_id) DO UPDATE SET"
      " task_id = excluded.task_id, outcome = excluded.outcome"
      " WHERE latest_results.task_id < excluded.task_id",
      org, results, [](const TaskResult* result) {
        return std::array<Param, 4>{result->test_uuid, result->host, result->task,
                                    number_of(result->outcome)};
      });
}

#define CONTROL_COLUMNS                                                               \
  "task_id, control_id, position, name, validator, exit_code, compliant, skipped,"    \
  " severity, category, subcategory, techniques, tactics, expected, actual, details," \
  " error_message, flag"
#define CONTROL_REPEATED                                                                     \
  " ON CONFLICT (org_id, task_id, control_id) DO UPDATE SET"                                 \
  " position = excluded.position, name = excluded.name, validator = excluded.validator,"     \
  " exit_code = excluded.exit_code, compliant = excluded.compliant,"                         \
  " skipped = excluded.skipped, severity = excluded.severity, category = excluded.category," \
  " subcategory = excluded.subcategory, techniques = excluded.techniques,"                   \
  " tactics = excluded.tactics, expected = excluded.expected, actual = excluded.actual,"     \
  " details = excluded.details, error_message = excluded.error_message, flag = excluded.flag"

void set_controls(Tx& tx, OrgId org, const std::vector<ControlOfTask>& controls) {
  tx.post_batch(
      "INSERT INTO controls (org_id, " CONTROL_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
      " $19)" CONTROL_REPEATED,
      "INSERT INTO controls (org_id, " CONTROL_COLUMNS
      ") SELECT DISTINCT ON (task_id, control_id) $1, " CONTROL_COLUMNS
      " FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
      " $19) WITH ORDINALITY AS given (" CONTROL_COLUMNS
      ", place) ORDER BY task_id, control_id, place DESC" CONTROL_REPEATED,
      org, controls, [](const ControlOfTask& each) {
        const Control& control = *each.control;
        return std::array<Param, 18>{each.task,         control.control_id,    control.position,
                                     control.name,      control.validator,     control.exit_code,
                                     control.compliant, control.skipped,       control.severity,
                                     control.category,  control.subcategory,   control.techniques,
                                     control.tactics,   control.expected,      control.actual,
                                     control.details,   control.error_message, control.flag};
      });
}

#undef CONTROL_COLUMNS
#undef CONTROL_REPEATED

std::optional<TaskResult> find_result(Reader& reader, OrgId org, TaskId task) {
  Rows rows = reader.query(
      "SELECT r.received_at, r.exit_code, r.outcome, r.flags, r.host_id, o.body,"
      " r.stdout_truncated, r.stdout_sha256, e.body, r.stderr_truncated, r.stderr_sha256,"
      " r.started_at, r.completed_at, r.duration_ms, r.test_uuid, r.binary_sha256, r.hostname,"
      " r.os, r.arch, r.error, r.bundle FROM results r"
      " LEFT JOIN outputs o ON o.org_id = r.org_id AND o.sha256 = r.stdout_sha256"
      " LEFT JOIN outputs e ON e.org_id = r.org_id AND e.sha256 = r.stderr_sha256"
      " WHERE r.org_id = $1 AND r.task_id = $2",
      org, task);
  if (!rows.next()) return std::nullopt;
  TaskResult result;
  result.task = task;
  result.received_at = rows.instant(0);
  result.exit_code = rows.integer(1);
  result.outcome = read_outcome(rows, 2);
  result.flags.bits = rows.integer(3);
  result.host = rows.number_id<HostId>(4);
  result.standard_output = read_output(rows, 5, 6, 7);
  result.standard_error = read_output(rows, 8, 9, 10);
  result.started_at = rows.string(11);
  result.completed_at = rows.string(12);
  result.duration_ms = rows.integer(13);
  result.test_uuid = rows.string(14);
  result.binary_sha256 = rows.string(15);
  result.hostname = rows.string(16);
  result.os = rows.string(17);
  result.arch = rows.string(18);
  result.error = rows.string(19);
  result.bundle = rows.string(20);
  return result;
}

std::vector<Control> list_controls(Reader& reader, OrgId org, TaskId task,
                                   const ControlPlace& after, int count) {
  std::vector<Control> controls;
  Rows rows = reader.query(
      "SELECT control_id, position, name, validator, exit_code, compliant, skipped, severity,"
      " category, subcategory, techniques, tactics, expected, actual, details, error_message, flag"
      " FROM controls WHERE org_id = $1 AND task_id = $2 AND (position, control_id) > ($3, $4)"
      " ORDER BY position, control_id LIMIT $5",
      org, task, after.position, after.control_id, count);
  while (rows.next()) {
    Control& control = controls.emplace_back();
    control.control_id = rows.string(0);
    control.position = rows.integer(1);
    control.name = rows.string(2);
    control.validator = rows.string(3);
    control.exit_code = rows.integer(4);
    control.compliant = rows.boolean(5);
    control.skipped = rows.boolean(6);
    control.severity = rows.string(7);
    control.category = rows.string(8);
    control.subcategory = rows.string(9);
    control.techniques = rows.string(10);
    control.tactics = rows.string(11);
    control.expected = rows.string(12);
    control.actual = rows.string(13);
    control.details = rows.string(14);
    control.error_message = rows.string(15);
    control.flag = rows.string(16);
  }
  return controls;
}

std::int64_t count_controls(Reader& reader, OrgId org, TaskId task) {
  Rows rows =
      reader.query("SELECT count(*) FROM controls WHERE org_id = $1 AND task_id = $2", org, task);
  rows.next();
  return rows.integer(0);
}

/// A ResultFilter as $1 to $5.
#define RESULT_FILTER                                                        \
  "($1 IS NULL OR r.org_id = $1) AND ($2 IS NULL OR r.host_id = $2)"         \
  " AND ($3 IS NULL OR r.test_uuid = $3) AND ($4 IS NULL OR r.outcome = $4)" \
  " AND ($5 IS NULL OR r.received_at >= $5)"
// Histories of a host, of a host and test, and of a test go by indexes of theirs.
#define OF_HOST "r.org_id = $1 AND r.host_id = $2 AND " RESULT_FILTER
#define OF_HOST_AND_TEST "r.org_id = $1 AND r.host_id = $2 AND r.test_uuid = $3 AND " RESULT_FILTER
#define OF_TEST "r.test_uuid = $3 AND r.test_uuid <> '' AND " RESULT_FILTER
#define RESULT_PAGE(where)                                                                 \
  "SELECT r.org_id, r.task_id, t.agent_id, t.type, t.label, r.host_id, r.hostname,"        \
  " r.test_uuid, r.exit_code, r.outcome, r.flags, r.error, r.started_at, r.completed_at,"  \
  " r.duration_ms, r.received_at FROM results r"                                           \
  " JOIN tasks t ON t.org_id = r.org_id AND t.task_id = r.task_id WHERE " where            \
  " AND (r.received_at, r.task_id) < ($6, $7) ORDER BY r.received_at DESC, r.task_id DESC" \
  " LIMIT $8"
#define RESULT_COUNT(where) \
  "SELECT count(*) FROM (SELECT 1 FROM results r WHERE " where " LIMIT $6) AS counted"

namespace {

Sql page_sql(const ResultFilter& filter) {
  if (filter.host && filter.test) return RESULT_PAGE(OF_HOST_AND_TEST);
  if (filter.host) return RESULT_PAGE(OF_HOST);
  if (filter.test) return RESULT_PAGE(OF_TEST);
  return RESULT_PAGE(RESULT_FILTER);
}

Sql count_sql(const ResultFilter& filter) {
  if (filter.host && filter.test) return RESULT_COUNT(OF_HOST_AND_TEST);
  if (filter.host) return RESULT_COUNT(OF_HOST);
  if (filter.test) return RESULT_COUNT(OF_TEST);
  return RESULT_COUNT(RESULT_FILTER);
}

ResultRow read_row(const Rows& rows) {
  ResultRow row;
  row.org = rows.number_id<OrgId>(0);
  row.result.task = rows.uuid_id<TaskId>(1);
  row.agent = rows.uuid_id<AgentId>(2);
  row.type = model::parse_task_type(rows.text(3)).value_or(row.type);
  row.label = rows.string(4);
  row.result.host = rows.number_id<HostId>(5);
  row.result.hostname = rows.string(6);
  row.result.test_uuid = rows.string(7);
  row.result.exit_code = rows.integer(8);
  row.result.outcome = read_outcome(rows, 9);
  row.result.flags.bits = rows.integer(10);
  row.result.error = rows.string(11);
  row.result.started_at = rows.string(12);
  row.result.completed_at = rows.string(13);
  row.result.duration_ms = rows.integer(14);
  row.result.received_at = rows.instant(15);
  return row;
}

}  // namespace

std::vector<ResultRow> list_results(Reader& reader, const ResultFilter& filter,
                                    const ResultPlace& before, int count) {
  CHECK(!filter.host || filter.org);
  std::vector<ResultRow> results;
  Rows rows =
      reader.query(page_sql(filter), filter.org, filter.host, filter.test,
                   number_of(filter.outcome), filter.since, before.received_at, before.task, count);
  while (rows.next()) results.push_back(read_row(rows));
  return results;
}

Total count_results(Reader& reader, const ResultFilter& filter) {
  CHECK(!filter.host || filter.org);
  return read_total(reader.query(count_sql(filter), filter.org, filter.host, filter.test,
                                 number_of(filter.outcome), filter.since,
                                 limits::counted_rows + 1));
}

#undef RESULT_FILTER
#undef OF_HOST
#undef OF_HOST_AND_TEST
#undef OF_TEST
#undef RESULT_PAGE
#undef RESULT_COUNT

OutcomeCounts count_latest_results(Reader& reader, std::optional<OrgId> org,
                                   std::string_view test) {
  OutcomeCounts counts{};
  Rows rows = reader.query(
      "SELECT outcome, count(*) FROM latest_results WHERE org_id IN (SELECT org_id FROM orgs)"
      " AND test_uuid = $2 AND ($1 IS NULL OR org_id = $1) GROUP BY outcome",
      org, test);
  while (rows.next()) counts.at(static_cast<std::size_t>(rows.integer(0))) = rows.integer(1);
  return counts;
}

#define OLDEST_RESULTS                                                              \
  "(SELECT org_id, task_id, test_uuid, host_id FROM results WHERE received_at < $1" \
  " ORDER BY received_at, task_id LIMIT $2) old"
#define CONTROLS_OF_OLD \
  "SELECT 1 FROM controls c WHERE c.org_id = old.org_id AND c.task_id = old.task_id"

std::int64_t delete_old_results(Tx& tx, Instant before, int most) {
  // A result goes after its controls: whatever another server deletes meanwhile, none is left over.
  const std::int64_t controls = tx.execute(
      "DELETE FROM controls WHERE (org_id, task_id, control_id) IN (SELECT c.org_id, c.task_id,"
      " c.control_id FROM " OLDEST_RESULTS
      " JOIN controls c ON c.org_id = old.org_id AND c.task_id = old.task_id LIMIT $2)",
      before, most);
  tx.post(
      "DELETE FROM latest_results WHERE (org_id, test_uuid, host_id) IN"
      " (SELECT l.org_id, l.test_uuid, l.host_id FROM " OLDEST_RESULTS
      " JOIN latest_results l ON l.org_id = old.org_id AND l.test_uuid = old.test_uuid"
      " AND l.host_id = old.host_id AND l.task_id = old.task_id"
      " WHERE NOT EXISTS (" CONTROLS_OF_OLD "))",
      before, most);
  return controls + tx.execute(
                        "DELETE FROM results WHERE (org_id, task_id) IN (SELECT old.org_id,"
                        " old.task_id FROM " OLDEST_RESULTS " WHERE NOT EXISTS (" CONTROLS_OF_OLD
                        "))",
                        before, most);
}

#undef OLDEST_RESULTS
#undef CONTROLS_OF_OLD

std::int64_t delete_old_outputs(Tx& tx, std::int64_t before, int most, std::int64_t octets) {
  return tx.execute(
      "DELETE FROM outputs WHERE last_day < $1 AND (org_id, sha256) IN (SELECT org_id, sha256 FROM"
      " (SELECT org_id, sha256, size, sum(size) OVER (ORDER BY org_id, sha256) AS so_far FROM"
      " (SELECT org_id, sha256, length(body) AS size FROM outputs WHERE last_day < $1"
      " ORDER BY last_day LIMIT $2) old) sized WHERE so_far - size < $3)",
      before, most, octets);
}

}  // namespace muster::store
