// SPDX-License-Identifier: Apache-2.0
#include "agent/journal.h"

#include <algorithm>
#include <array>
#include <limits>

#include "agent/bounds.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"

namespace muster::agent {

namespace {

constexpr std::array<std::string_view, 4> phase_names = {"accepted", "started", "finished",
                                                         "failed"};

constexpr std::array<std::string_view, 3> removal_names = {"none", "program", "all"};

constexpr std::string_view archive_prefix = "journal/archive-";

Result<Phase> parse_phase(std::string_view name) {
  const auto found = std::find(phase_names.begin(), phase_names.end(), name);
  if (found == phase_names.end()) return invalid_field("phase", "is unknown");
  return static_cast<Phase>(found - phase_names.begin());
}

bool is_over(Phase phase) {
  return phase == Phase::finished || phase == Phase::failed;
}

Result<Instant> read_time(Fields& fields, std::string_view name) {
  const auto text = fields.optional_text(name, limits::name_bytes);
  if (!text) return Instant{};
  return parse_rfc3339(*text);
}

/// Text with any control characters: what a command wrote, or was asked to run.
Result<std::string> read_bytes(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  if (!value || !value->string()) return invalid_field(std::string(name), "must be a string");
  return std::string(*value->string());
}

void write_members(JsonWriter& json, TaskId task, const Entry& entry) {
  json.member("task_id", task)
      .member("phase", phase_names[static_cast<std::size_t>(entry.phase)])
      .member("delivered", entry.delivered)
      .member("exit_code", entry.exit_code)
      .member("completed_at", entry.completed_at);
  if (entry.order) json.member("order_id", *entry.order);
}

/// Nothing for a record without one. A damaged id is none: the task's own still counts.
std::optional<model::OrderId> read_order_id(Fields& fields) {
  const auto id = parse_uuid(fields.optional_text("order_id", limits::name_bytes).value_or(""));
  return id.ok() ? std::optional(model::OrderId{*id}) : std::nullopt;
}

/// As a string of JSON.
std::size_t bytes_of(std::string_view text) {
  std::size_t bytes = 0;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    bytes += control ? 6 : (c == '"' || c == '\\') ? 2 : 1;
  }
  return bytes;
}

Entry entry_of(const Record& record) {
  const Outcome& outcome = record.outcome;
  Entry entry{record.phase,      record.delivered,     false,          record.never_ran,
              outcome.exit_code, outcome.completed_at, record.order_id};
  entry.output_bytes =
      bytes_of(outcome.stdout_text) + bytes_of(outcome.stderr_text) + bytes_of(outcome.bundle);
  return entry;
}

}  // namespace

Removal removal_for(const Record& record, AgentId agent) {
  const bool ours = record.removal_of ? *record.removal_of == agent : !record.delivered;
  return ours ? record.removal : Removal::none;
}

Record record_without_output(TaskId task, const Entry& entry) {
  Record record;
  record.task = task;
  record.phase = entry.phase;
  record.delivered = entry.delivered;
  record.order_id = entry.order;
  record.never_ran = entry.never_ran;
  record.outcome.exit_code = static_cast<int>(entry.exit_code);
  record.outcome.started_at = record.outcome.completed_at = entry.completed_at;
  record.outcome.stdout_truncated = record.outcome.stderr_truncated = true;
  record.outcome.error = "reported before; the output is no longer kept";
  return record;
}

std::string encode_record(const Record& record) {
  JsonWriter json;
  json.begin_object();
  write_members(json, record.task, entry_of(record));
  if (record.phase == Phase::accepted) {
    json.member("line", record.line).member("timeout_ms", record.timeout.count());
    if (!record.order.empty()) {
      json.member("order", record.order).member("order_signature", record.order_signature);
    }
  } else {
    const Outcome& outcome = record.outcome;
    json.member("stdout", outcome.stdout_text)
        .member("stderr", outcome.stderr_text)
        .member("stdout_truncated", outcome.stdout_truncated)
        .member("stderr_truncated", outcome.stderr_truncated)
        .member("error", outcome.error)
        .member("test_uuid", record.test_uuid)
        .member("binary_sha256", record.binary_sha256)
        .member("bundle", outcome.bundle)
        .member("started_at", outcome.started_at)
        .member("took_ms", outcome.took.count());
    if (record.never_ran) json.member("never_ran", true);
    if (record.removal != Removal::none) {
      json.member("removal", removal_names[static_cast<std::size_t>(record.removal)]);
      if (record.removal_of) json.member("removal_of", *record.removal_of);
    }
  }
  json.end_object();
  return json.take() + "\n";
}

Result<Record> decode_record(std::string_view text) {
  // Its own: what a record with much output takes to parse, the thread's would keep for good.
  JsonDocument document;
  const Json root = TRY(document.parse(text));
  Fields fields(root);
  Record record;
  const std::string_view task = fields.text("task_id", limits::name_bytes);
  const std::string_view phase = fields.text("phase", limits::name_bytes);
  record.delivered = fields.optional_boolean("delivered").value_or(false);
  record.never_ran = fields.optional_boolean("never_ran").value_or(false);
  Outcome& outcome = record.outcome;
  constexpr std::int64_t int_max = std::numeric_limits<int>::max();
  outcome.exit_code = static_cast<int>(fields.integer("exit_code", -int_max, int_max));
  outcome.stdout_truncated = fields.optional_boolean("stdout_truncated").value_or(false);
  outcome.stderr_truncated = fields.optional_boolean("stderr_truncated").value_or(false);
  outcome.took = Duration(fields.optional_integer("took_ms", 0, number_id_max).value_or(0));
  record.timeout = Duration(fields.optional_integer("timeout_ms", 0, number_id_max).value_or(0));
  outcome.started_at = TRY(read_time(fields, "started_at"));
  outcome.completed_at = TRY(read_time(fields, "completed_at"));
  const auto removal = fields.optional_text("removal", limits::name_bytes).value_or("");
  if (removal == removal_names[1]) record.removal = Removal::program;
  if (removal == removal_names[2]) record.removal = Removal::all;
  const auto removal_of =
      parse_uuid(fields.optional_text("removal_of", limits::name_bytes).value_or(""));
  if (removal_of.ok()) record.removal_of = AgentId{*removal_of};
  record.order_id = read_order_id(fields);
  record.order = fields.optional_text("order", limits::order_bytes).value_or("");
  record.order_signature = fields.optional_text("order_signature", limits::key_bytes).value_or("");
  TRY(fields.finish());
  record.task = TaskId{TRY(parse_uuid(task))};
  record.phase = TRY(parse_phase(phase));
  if (record.phase == Phase::accepted) {
    record.line = TRY(read_bytes(root, "line"));
  } else {
    outcome.stdout_text = TRY(read_bytes(root, "stdout"));
    outcome.stderr_text = TRY(read_bytes(root, "stderr"));
    outcome.error = TRY(read_bytes(root, "error"));
    // Records of older agents have none of these.
    if (root.find("bundle")) outcome.bundle = TRY(read_bytes(root, "bundle"));
    record.test_uuid = fields.optional_text("test_uuid", limits::name_bytes).value_or("");
    record.binary_sha256 = fields.optional_text("binary_sha256", limits::name_bytes).value_or("");
  }
  return record;
}

std::string Journal::file_of(TaskId task) {
  return "journal/" + task.text() + ".json";
}

bool Journal::is_archive(std::string_view file) {
  return file.starts_with(archive_prefix);
}

std::optional<Entry> Journal::find(TaskId task) const {
  if (const auto found = entries_.find(task); found != entries_.end()) return found->second;
  const auto found = archived_.find(task);
  if (found == archived_.end()) return std::nullopt;
  const Archived& archived = found->second;
  return Entry{archived.phase,        true,        true, false, archived.exit_code,
               archived.completed_at, std::nullopt};
}

void Journal::archive(TaskId task, const Entry& entry) {
  archived_.try_emplace(
      task, Archived{entry.completed_at, static_cast<std::int32_t>(entry.exit_code), entry.phase});
  if (entry.order) orders_.try_emplace(*entry.order, task);
}

std::optional<TaskId> Journal::find_order(model::OrderId order) const {
  const auto found = orders_.find(order);
  return found == orders_.end() ? std::nullopt : std::optional(found->second);
}

void Journal::put(const Record& record) {
  Entry& entry = entries_[record.task];
  const auto order = record.order_id ? record.order_id : entry.order;
  entry = entry_of(record);
  entry.order = order;
  if (order) orders_.try_emplace(*order, record.task);
  std::erase(outbox_, record.task);
  if (is_over(record.phase) && !record.delivered) {
    const auto later = [&](TaskId queued) {
      return record.outcome.completed_at < entries_[queued].completed_at;
    };
    outbox_.insert(std::find_if(outbox_.begin(), outbox_.end(), later), record.task);
  }
}

void Journal::erase(TaskId task) {
  const auto found = entries_.find(task);
  if (found == entries_.end()) return;
  if (const auto order = found->second.order) {
    const auto owned = orders_.find(*order);
    if (owned != orders_.end() && owned->second == task) orders_.erase(owned);
  }
  entries_.erase(found);
  std::erase(outbox_, task);
}

std::size_t Journal::load_archive(const std::string& file, std::string_view content) {
  const std::string_view name = std::string_view(file).substr(archive_prefix.size());
  segments_ = std::max(segments_, parse_int(name.substr(0, name.find('.'))).value_or(0));
  std::size_t damaged = 0;
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    const auto root = thread_json().parse(line);
    if (!root) {
      ++damaged;
      continue;
    }
    Fields fields(*root);
    Entry entry{Phase::finished, true, true, false, 0, {}, read_order_id(fields)};
    const auto task = parse_uuid(fields.text("task_id", limits::name_bytes));
    const auto phase = parse_phase(fields.text("phase", limits::name_bytes));
    constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
    entry.exit_code = fields.optional_integer("exit_code", -int_max, int_max).value_or(0);
    const auto completed_at = read_time(fields, "completed_at");
    if (!task.ok()) {
      ++damaged;
      continue;
    }
    // An id that can be read counts as executed, whatever else is damaged.
    if (phase.ok()) entry.phase = phase.value();
    if (completed_at.ok()) entry.completed_at = completed_at.value();
    archive(TaskId{task.value()}, entry);
  }
  return damaged;
}

std::optional<TaskId> Journal::next_undelivered() const {
  if (outbox_.empty()) return std::nullopt;
  return outbox_.front();
}

void Journal::deliver_again(TaskId task) {
  if (std::find(outbox_.begin(), outbox_.end(), task) == outbox_.end()) outbox_.push_back(task);
}

void Journal::postpone(TaskId task) {
  if (std::erase(outbox_, task) != 0) outbox_.push_back(task);
}

std::vector<std::pair<Instant, TaskId>> Journal::settled() const {
  std::vector<std::pair<Instant, TaskId>> delivered;
  for (const auto& [task, entry] : entries_) {
    const bool queued = std::find(outbox_.begin(), outbox_.end(), task) != outbox_.end();
    if (entry.delivered && !queued) {
      delivered.emplace_back(entry.completed_at, task);
    }
  }
  std::sort(delivered.begin(), delivered.end());
  return delivered;
}

std::vector<Record> Journal::shed() const {
  const auto delivered = settled();
  std::size_t bytes = 0;
  for (const auto& [at, task] : delivered) bytes += entries_.at(task).output_bytes;
  std::vector<Record> without;
  for (const auto& [at, task] : delivered) {
    if (bytes <= bounds::journal_output_bytes) break;
    const Entry& entry = entries_.at(task);
    if (entry.output_bytes == 0) continue;
    bytes -= entry.output_bytes;
    without.push_back(record_without_output(task, entry));
  }
  return without;
}

std::optional<Journal::Fold> Journal::fold() {
  auto delivered = settled();
  if (delivered.size() < bounds::journal_outputs + bounds::journal_segment) return std::nullopt;
  delivered.resize(bounds::journal_segment);
  Fold fold;
  for (const auto& [at, task] : delivered) {
    fold.folded.push_back(file_of(task));
    const Entry entry = entries_[task];
    if (entry.never_ran) {
      erase(task);
      continue;
    }
    JsonWriter line;
    line.begin_object();
    write_members(line, task, entry);
    line.end_object();
    fold.content += line.take() + "\n";
    archive(task, entry);
    entries_.erase(task);
  }
  // A number of its own: to write over a segment would lose what only it holds.
  if (!fold.content.empty()) {
    fold.file = std::string(archive_prefix) + std::to_string(++segments_) + ".jsonl";
  }
  return fold;
}

}  // namespace muster::agent
