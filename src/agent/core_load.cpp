// SPDX-License-Identifier: Apache-2.0
#include "agent/bounds.h"
#include "agent/core_parts.h"
#include "agent/order_check.h"
#include "agent/phase.h"

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
    ++state.progress.outcomes_lost;
    state.found.push_back({*named, true, {}, {}});
    return;
  }
  const Record record = std::move(decoded).value();
  state.journal.put(record);
  if (const Removal removal = removal_for(record, state.identity.agent); removal != Removal::none) {
    state.uninstalling = true;
    if (record.delivered) state.removal = removal;
  }
  if (record.phase == Phase::started) state.found.push_back({record.task, true, {}, {}});
  if (record.phase != Phase::accepted) return;
  // Two cannot be accepted at once; should it be, the second is safe to give up. So is one without
  // a line, a test or a command with variables: what it was to run, with what secrets, is on no
  // disk.
  const bool given_up = state.active.has_value() || record.line.empty();
  state.found.push_back({record.task, given_up, record.order, record.order_signature});
  if (!given_up) state.active = Command{record.task, record.line, record.timeout};
}

void load_journal(State& state, const Files& files) {
  const std::vector<std::string> names = files.list("journal");
  for (const std::string& name : names) {
    if (!Journal::is_archive(name)) continue;
    state.journal.load_archive(name, files.read(name).value_or(""));
  }
  // Records overrule archive lines: they have the output.
  for (const std::string& name : names) {
    if (Journal::is_archive(name)) continue;
    load_record(state, name, read_unless_damaged(files, name).value_or(""));
  }
}

Result<void> load_builds(State& state, const Files& files) {
  auto keys = update_keys(state.settings.update_trusted_keys, state.identity.update_public_key);
  // A key of the owner's that is none is the owner's to mend; of the server's, there are no
  // updates.
  if (!keys && !state.settings.update_trusted_keys.empty()) return keys.error();
  if (keys.ok()) state.update_keys = std::move(keys).value();
  if (const auto record = read_unless_damaged(files, UpdateRecord::file)) {
    auto decoded = decode_update(*record);
    // Damaged, it costs what it said: the installed program runs, as if there had been no update.
    if (decoded.ok()) state.update = std::move(decoded).value();
  }
  state.on_trial = state.update.trial && state.update.trial->build.version == state.version;
  const std::vector<std::string> used = state.update.files_in_use();
  for (std::string& name : files.list(Build::folder)) {
    const bool in_use = std::find(used.begin(), used.end(), name) != used.end();
    if (name.ends_with(".part")) {
      state.parts.push_back(std::move(name));
    } else if (!in_use) {
      state.leftovers.push_back(std::move(name));
    }
  }
  for (std::string& name : files.list(TestOrder::folder))
    state.leftovers.push_back(std::move(name));
  return {};
}

std::string reconnect_reason(const State& state) {
  if (state.progress.boot_id.empty()) return {};  // its first heartbeat ever
  if (state.progress.boot_id != state.facts.boot_id) return "machine_reboot";
  if (state.progress.version != state.version) return "update_restart";
  return "service_restart";
}

}  // namespace

Result<State> load_state(const Files& files, Settings settings, HostFacts facts, Moment now,
                         std::uint64_t jitter, std::string_view version) {
  const auto identity = files.read(Identity::file);
  if (!identity) {
    return Error{Errc::not_found, "this host is not enrolled: run muster-agent enroll first"};
  }
  State state;
  state.version = version;
  auto decoded = decode_identity(*identity);
  if (!decoded) {
    return Error{Errc::invalid_json,
                 std::string(Identity::file) + " is damaged: " + decoded.error().message};
  }
  state.identity = std::move(decoded).value();
  state.own = state.settings = std::move(settings);
  state.facts = std::move(facts);
  state.process_started = now.steady;
  state.phase = phase_of(state.identity.agent.text());
  state.jitter = jitter;
  if (const auto progress = read_unless_damaged(files, Progress::file)) {
    state.progress = decode_progress(*progress).value_or(Progress{});
  }
  if (const auto images = read_unless_damaged(files, ImageRecord::file)) {
    state.images = decode_images(*images).value_or(ImageRecord{});
  }
  if (const auto config = read_unless_damaged(files, PushedConfig::file)) {
    core::load_config(state, *config);
  }
  state.task_keys = TRY(task_keys(state.settings.policy_trusted_task_keys));
  load_journal(state, files);
  TRY(load_builds(state, files));
  state.reconnect_reason = reconnect_reason(state);
  return state;
}

}  // namespace muster::agent
