// SPDX-License-Identifier: Apache-2.0
#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent {

namespace {

/// The task that a record's file is named after.
std::optional<TaskId> task_of_file(std::string_view file) {
  const std::string_view name = file.substr(file.rfind('/') + 1);
  const auto id = parse_uuid(name.substr(0, name.rfind('.')));
  if (!id.ok()) return std::nullopt;
  return TaskId{id.value()};
}

void load_record(State& state, const std::string& file, const std::string& content) {
  auto decoded = decode_record(content);
  const auto named = task_of_file(file);
  if (!named) return;
  if (!decoded.ok() || decoded->task != *named) {
    // What it said is lost, so the task may have run.
    Record record;
    record.task = *named;
    record.phase = Phase::started;
    state.journal.put(record);
    state.found.emplace_back(*named, true);
    return;
  }
  const Record record = std::move(decoded).value();
  state.journal.put(record);
  if (record.phase == Phase::started) state.found.emplace_back(record.task, true);
  if (record.phase != Phase::accepted) return;
  // Two cannot be accepted at once; should it be, the second is safe to give up.
  state.found.emplace_back(record.task, state.active.has_value());
  if (!state.active) state.active = Command{record.task, record.line, record.timeout};
}

void load_journal(State& state, const Files& files) {
  const std::vector<std::string> names = files.list("journal");
  for (const std::string& name : names) {
    if (!Journal::is_archive(name)) continue;
    state.journal.load_archive(name, files.read(name).value_or(""));
  }
  // Records overrule archive lines: they have the output.
  for (const std::string& name : names) {
    if (!Journal::is_archive(name)) load_record(state, name, files.read(name).value_or(""));
  }
}

std::string reconnect_reason(const State& state) {
  if (state.progress.boot_id.empty()) return {};  // its first heartbeat ever
  if (state.progress.boot_id != state.facts.boot_id) return "machine_reboot";
  if (state.progress.version != agent_version) return "update_restart";
  return "service_restart";
}

}  // namespace

Result<State> load_state(const Files& files, Settings settings, HostFacts facts, Moment now,
                         std::uint64_t jitter) {
  const auto identity = files.read(Identity::file);
  if (!identity) {
    return Error{Errc::not_found, "this host is not enrolled: run muster-agent enroll first"};
  }
  State state;
  auto decoded = decode_identity(*identity);
  if (!decoded) {
    return Error{Errc::invalid_json,
                 std::string(Identity::file) + " is damaged: " + decoded.error().message};
  }
  state.identity = std::move(decoded).value();
  state.settings = std::move(settings);
  state.facts = std::move(facts);
  state.process_started_at = now.wall;
  state.jitter = jitter;
  if (const auto progress = files.read(Progress::file)) {
    state.progress = decode_progress(*progress).value_or(Progress{});
  }
  load_journal(state, files);
  state.reconnect_reason = reconnect_reason(state);
  for (Lane& lane : state.lanes) lane.due = now.steady;
  return state;
}

}  // namespace muster::agent
