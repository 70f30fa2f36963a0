// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "agent/bounds.h"
#include "agent/testing/fakes.h"
#include "agent/testing/server.h"

/// A made-up world for tests of the core.
namespace muster::agent::testing {

/// Asked for at a time of files: small, so that there are many pieces.
inline constexpr std::int64_t piece_bytes = 1000;

/// Everything together, with a host that has enrolled.
struct FakeWorld {
  FakeRest rest;
  FakeFiles files;
  FakeServer server{rest};
  FakeHost host;
  std::unique_ptr<FakeSurveys> surveys;  // of the process that runs
  std::unique_ptr<FakeCalls> calls;      // likewise
  std::function<bool(const Call&)> holds_answer;
  FakeExecutor executor;
  SystemClock clock;
  std::string logged;
  Log log{clock, [this](std::string_view line) { logged += line; }};
  Settings settings;
  std::string version{agent_version};
  std::uint64_t seed = 7;
  std::size_t journal_tasks = bounds::journal_tasks;

  FakeWorld() {
    settings.policy_allow = {"execute_command"};
    host.facts.hostname = "box";
    host.facts.arch = "amd64";
    host.facts.os = {"debian", "Debian GNU/Linux", "12", "bookworm"};
    host.facts.boot_id = "boot-1";
    Identity identity;
    identity.server_url = "https://muster.example";
    identity.agent = AgentId{parse_uuid(server.agent_id).value()};
    identity.key = server.key;
    files.content[Identity::file] = encode_identity(identity);
    rest.command_ended = [this] { return executor.ended(); };
  }
  FakeWorld(const FakeWorld&) = delete;
  FakeWorld& operator=(const FakeWorld&) = delete;

  std::unique_ptr<Runner> make_runner(bool once) {
    surveys = std::make_unique<FakeSurveys>(host);
    calls = std::make_unique<FakeCalls>(server);
    calls->holds = holds_answer;
    State state = load_state(files, settings, host.facts, rest.now(), seed++, version).value();
    state.once = once;
    state.piece_bytes = piece_bytes;
    state.journal_tasks = journal_tasks;
    return std::make_unique<Runner>(World{files, *calls, host, *surveys, executor, rest, log},
                                    std::move(state));
  }
  /// A new process that does what is due.
  Result<void> run_once() { return make_runner(true)->run(); }
  /// A new process that lives for `length`.
  Result<void> run_for(Duration length) {
    rest.stop_at = rest.steady + length;
    auto outcome = make_runner(false)->run();
    rest.stop_at = std::chrono::hours(1'000'000);
    return outcome;
  }
  /// As run_once(), in a process that may be killed: true if it was.
  bool crashes_once() {
    try {
      const auto outcome = run_once();
      return false;
    } catch (const Crash&) {
      lose_power();
      return true;
    }
  }
  /// What no disk holds is gone.
  void lose_power() { executor = FakeExecutor(executor_memory()); }
  Identity identity() const { return decode_identity(*files.read(Identity::file)).value(); }

  /// What the host's software looks like to the server.
  std::set<std::string> expected_software() const {
    std::set<std::string> set;
    for (const model::Package& p : host.software) {
      set.insert(p.name + " " + p.version + " " + p.arch);
    }
    return set;
  }

 private:
  /// The counts of runs outlive a killed process; its running command does not.
  FakeExecutor executor_memory() const {
    FakeExecutor fresh;
    fresh.runs = executor.runs;
    fresh.lines = executor.lines;
    fresh.next = executor.next;
    return fresh;
  }
};

}  // namespace muster::agent::testing
