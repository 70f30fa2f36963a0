// SPDX-License-Identifier: Apache-2.0
#include "agent/progress.h"

#include "base/ids.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"

namespace muster::agent {

namespace {

Instant read_time(Fields& fields, std::string_view name) {
  const auto at = parse_rfc3339(fields.text(name, limits::name_bytes));
  return at.ok() ? at.value() : Instant{};
}

}  // namespace

std::string encode_progress(const Progress& progress) {
  JsonWriter json;
  json.begin_object()
      .member("boot_id", progress.boot_id)
      .member("version", progress.version)
      .member("set_hash", progress.set_hash)
      .member("report_open", progress.report_open)
      .member("runtime_hash", progress.runtime_hash)
      .member("last_full_at", progress.last_full_at)
      .member("last_report_at", progress.last_report_at)
      .member("last_task", progress.last_task)
      .member("tasks_executed", progress.tasks_executed)
      .member("tasks_refused", progress.tasks_refused)
      .member("outcomes_lost", progress.outcomes_lost)
      .member("reports_acknowledged", progress.reports_acknowledged)
      .end_object();
  return json.take() + "\n";
}

std::optional<Progress> decode_progress(std::string_view text) {
  const auto root = thread_json().parse(text);
  if (!root) return std::nullopt;
  Fields fields(*root);
  Progress progress;
  progress.boot_id = fields.optional_text("boot_id", limits::hostname_bytes).value_or("");
  progress.version = fields.optional_text("version", limits::agent_version_bytes).value_or("");
  progress.set_hash = fields.optional_text("set_hash", limits::key_bytes).value_or("");
  progress.report_open = fields.optional_boolean("report_open").value_or(true);
  if (const auto hash = fields.optional_text("runtime_hash", limits::key_bytes)) {
    progress.runtime_hash = *hash;
  }
  progress.last_full_at = read_time(fields, "last_full_at");
  progress.last_report_at = read_time(fields, "last_report_at");
  progress.last_task = fields.optional_text("last_task", limits::name_bytes).value_or("");
  progress.tasks_executed = fields.integer("tasks_executed", 0, number_id_max);
  progress.tasks_refused = fields.integer("tasks_refused", 0, number_id_max);
  // Older agents counted none.
  progress.outcomes_lost = fields.optional_integer("outcomes_lost", 0, number_id_max).value_or(0);
  progress.reports_acknowledged = fields.integer("reports_acknowledged", 0, number_id_max);
  if (!fields.finish().ok()) return std::nullopt;
  return progress;
}

}  // namespace muster::agent
