// SPDX-License-Identifier: Apache-2.0
// What it costs to look for silent agents. The store lies in memory: figures are of the walk and
// the engine, not of a disk.
#include <benchmark/benchmark.h>

#include "fleet/outages.h"
#include "fleet/testing.h"
#include "store/sql/agents.h"

namespace muster::fleet {
namespace {

/// A fleet whose agents have called and beat each minute.
class Beating {
 public:
  explicit Beating(std::int64_t count) {
    fleet->store.write([&](store::Tx& tx) {
      for (std::int64_t i = 0; i < count; ++i) add(tx, i);
    });
    fleet->presence.flush(fleet->store);
  }

  void beat_all() {
    fleet->presence.for_each_agent([&](AgentId, AgentPresence& state) {
      state.last_seen = fleet.now;
      state.dirty = true;
    });
  }

  TestFleet fleet{1, store::Engine::sqlite};
  OutageWatch watch{fleet->store, fleet->ids, fleet->presence, fleet->directory, fleet.config};

 private:
  void add(store::Tx& tx, std::int64_t number) {
    model::Host host;
    host.org = TestFleet::org;
    host.id = fleet->ids.next<HostId>(fleet.now);
    host.hostname = "host-" + std::to_string(number);
    host.first_seen = host.last_seen = fleet.now;
    store::insert_host(tx, host);
    model::Agent agent;
    agent.org = host.org;
    agent.id = {make_uuid7(fleet.rng, fleet.now)};
    agent.host = host.id;
    agent.os = "linux";
    agent.arch = "amd64";
    agent.key_hash = fleet->credentials.hash(host.hostname);
    agent.enrolled_at = fleet.now;
    agent.key_since = fleet.now;
    agent.keys.used = true;
    store::insert_agent(tx, agent);
    store::set_agent_keys(tx, agent);
    tx.on_commit([this, agent, host] {
      fleet->directory.set(host);
      AgentPresence state;
      state.org = agent.org;
      state.host = agent.host;
      state.called = state.dirty = true;
      state.last_seen = fleet.now;
      state.agent_version = "1.0.0";
      state.status = "idle";
      state.vitals.cpu_percent = 3;
      state.vitals.memory_mb = 812;
      state.vitals.disk_free_mb = 9000;
      fleet->presence.add_agent(agent.id, std::move(state));
    });
  }
};

/// Nobody is silent: what each look costs, [presence] check_seconds apart. Every [history]
/// sample_seconds it takes a sample of each agent as well, as here in one of 20.
void look_at_a_quiet_fleet(benchmark::State& state) {
  Beating at(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    at.fleet.now = at.fleet.now + std::chrono::seconds(15);
    at.beat_all();
    state.ResumeTiming();
    if (!at.watch.look(at.fleet.now).empty()) state.SkipWithError("somebody is silent");
  }
}
BENCHMARK(look_at_a_quiet_fleet)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// All fall silent together and come back: one event each, a row for every agent.
void look_at_an_outage_of_all(benchmark::State& state) {
  Beating at(state.range(0));
  const Duration silence = at.fleet.config.offline_after() + std::chrono::seconds(90);
  (void)at.watch.look(at.fleet.now);
  for (auto _ : state) {
    const Instant until = at.fleet.now + silence;
    std::size_t groups = 0;
    while (at.fleet.now < until) {
      at.fleet.now = at.fleet.now + std::chrono::seconds(15);
      groups += at.watch.look(at.fleet.now).groups;
    }
    if (groups != 1) state.SkipWithError("it is not one event");
    for (int looks = 0; looks < 4; ++looks) {
      at.fleet.now = at.fleet.now + std::chrono::seconds(15);
      at.beat_all();
      (void)at.watch.look(at.fleet.now);
    }
  }
}
BENCHMARK(look_at_an_outage_of_all)
    ->Arg(100'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

/// What a flush writes when every agent has beaten since the last: all of it, or (0) the time
/// alone.
void flush_presence(benchmark::State& state) {
  Beating at(state.range(0));
  (void)at.fleet->presence.flush_often(at.fleet->store, at.fleet.now);
  const bool whole = state.range(1) != 0;
  for (auto _ : state) {
    state.PauseTiming();
    at.fleet.now = at.fleet.now + std::chrono::seconds(60);
    at.beat_all();
    state.ResumeTiming();
    benchmark::DoNotOptimize(whole ? at.fleet->presence.flush(at.fleet->store)
                                   : at.fleet->presence.flush_often(at.fleet->store, at.fleet.now));
  }
}
BENCHMARK(flush_presence)
    ->ArgNames({"agents", "whole"})
    ->Args({100'000, 0})
    ->Args({100'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace muster::fleet
