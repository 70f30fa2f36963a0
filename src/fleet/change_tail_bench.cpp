// SPDX-License-Identifier: Apache-2.0
// What a look for those who watch costs, once a second or every five. The store lies in memory:
// figures are of the walk and the engine, not of a disk.
#include <benchmark/benchmark.h>

#include "fleet/change_tail.h"
#include "fleet/presence.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

/// Every five seconds: who is online of so many.
void look_at_presence(benchmark::State& state) {
  TestFleet fleet(1, store::Engine::sqlite);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    AgentPresence presence;
    presence.org = TestFleet::org;
    presence.called = true;
    presence.last_seen = fleet.now;
    fleet->presence.add_agent({make_uuid7(fleet.rng, fleet.now)}, std::move(presence));
  }
  ChangeTail tail;
  Changes changes;
  for (auto _ : state) {
    fleet.now = fleet.now + ChangeTail::presence_every;
    tail.look_at_presence(fleet->presence, fleet.config, changes, fleet.now);
  }
}
BENCHMARK(look_at_presence)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// Every second: the ends of histories with so many rows in the last half minute.
void look(benchmark::State& state) {
  TestFleet fleet(1, store::Engine::sqlite);
  const auto write = [&](std::int64_t rows) {
    fleet->store.write([&](store::Tx& tx) {
      for (std::int64_t i = 0; i < rows; ++i) {
        record_event(
            tx, fleet->ids, TestFleet::org, model::EventType::came_online, std::nullopt,
            std::nullopt, [](JsonWriter&) {}, fleet.now);
      }
    });
  };
  write(state.range(0));
  ChangeTail tail;
  Changes changes;
  for (auto _ : state) {
    state.PauseTiming();
    write(1);  // else there is nothing to look at
    state.ResumeTiming();
    tail.look(fleet->store, fleet->nodes, changes, fleet.now);
  }
}
BENCHMARK(look)->Arg(0)->Arg(2'000)->Unit(benchmark::kMicrosecond)->Iterations(200);

}  // namespace
}  // namespace muster::fleet
