// SPDX-License-Identifier: Apache-2.0
// What a commit costs on each engine. PostgreSQL is one of the bench's own, without fsync; SQLite
// lies in memory: both figures are the engine's work, not the disk's.
#include <atomic>

#include <benchmark/benchmark.h>

#include "base/testing.h"
#include "model/vitals.h"
#include "store/sql/agents.h"
#include "store/sql/audit.h"
#include "store/sql/orgs.h"
#include "store/store.h"
#include "store/testing/databases.h"

namespace muster::store {
namespace {

Engine engine_of(benchmark::State& state) {
  return state.range(0) == 0 ? Engine::sqlite : Engine::postgres;
}

std::vector<AgentPresenceRow> presence_rows(std::size_t count) {
  SeededRng rng;
  std::vector<AgentPresenceRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({OrgId{1}, AgentId{make_uuid7(rng, test_epoch)}, test_epoch, "1.0.0", "idle",
                    std::nullopt, make_uuid7(rng, test_epoch),
                    model::pack_vitals({86'400, 3.5, 812, 2048, 14'000, 0.1, 12})});
  }
  return rows;
}

/// Events of one row, 4,000 in flight at a time, in group commits.
void group_commit(benchmark::State& state) {
  const testing::TestDatabase database(engine_of(state));
  Store store(database.open());
  std::int64_t next = 1;
  constexpr int in_flight = 4000;
  for (auto _ : state) {
    std::atomic<int> done_count = 0;
    store.start_writer();
    for (int i = 0; i < in_flight; ++i) {
      Work work = [id = next++](Tx& tx) {
        insert_event(tx, {OrgId{1}, {id}, test_epoch, "online", {}, HostId{1}, "{}"});
        return true;
      };
      Done done = [&](std::exception_ptr failure) { done_count += failure ? 0 : 1; };
      if (!store.submit(work, done)) state.SkipWithError("refused");
    }
    store.stop_writer();
    if (done_count != in_flight) state.SkipWithError("a write failed");
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
}
BENCHMARK(group_commit)->ArgName("postgres")->Arg(0)->Arg(1)->UseRealTime();

/// Audit rows, some of them in one write, each linked to the one before: to compare with events.
void audit_rows(benchmark::State& state) {
  const testing::TestDatabase database(engine_of(state));
  const auto together = static_cast<std::size_t>(state.range(1));
  Store store(database.open());
  std::int64_t next = 1;
  constexpr std::size_t in_flight = 4000;
  for (auto _ : state) {
    std::atomic<std::size_t> done_count = 0;
    store.start_writer();
    for (std::size_t i = 0; i < in_flight; i += together) {
      std::vector<AuditRow> rows;
      while (rows.size() < together) {
        rows.push_back({OrgId{1}, {next++}, test_epoch, "operator:1", "tasks.create", "t", "{}"});
      }
      Work work = [rows = std::move(rows)](Tx& tx) {
        insert_audit(tx, rows);
        return true;
      };
      Done done = [&](std::exception_ptr failure) { done_count += failure ? 0 : together; };
      if (!store.submit(work, done)) state.SkipWithError("refused");
    }
    store.stop_writer();
    if (done_count != in_flight) state.SkipWithError("a write failed");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(in_flight));
}
BENCHMARK(audit_rows)
    ->ArgNames({"postgres", "together"})
    ->ArgsProduct({{0, 1}, {1, 1000}})
    ->UseRealTime();

/// All of 10,000 agents beat since the last flush.
void presence_flush(benchmark::State& state) {
  const testing::TestDatabase database(engine_of(state));
  Store store(database.open());
  std::vector<AgentPresenceRow> rows = presence_rows(10'000);
  store.write([&](Tx& tx) { set_agent_presence(tx, rows); });
  for (auto _ : state) {
    for (AgentPresenceRow& row : rows) row.last_seen = row.last_seen + Duration(60'000);
    store.write([&](Tx& tx) { set_agent_presence(tx, rows); });
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(presence_flush)
    ->ArgName("postgres")
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// The same, one statement each: waiting for every one (0), or sent one after the other (1).
void presence_one_by_one_on_postgres(benchmark::State& state) {
  const testing::TestDatabase database(Engine::postgres);
  Store store(database.open());
  std::vector<AgentPresenceRow> rows = presence_rows(10'000);
  store.write([&](Tx& tx) { set_agent_presence(tx, rows); });
  constexpr Sql update(
      "UPDATE agent_presence SET last_seen = $3, vitals = $4 WHERE org_id = $1 AND agent_id = $2");
  for (auto _ : state) {
    store.write([&](Tx& tx) {
      for (AgentPresenceRow& row : rows) {
        row.last_seen = row.last_seen + Duration(60'000);
        if (state.range(0) == 0) {
          tx.execute(update, row.org, row.agent, row.last_seen, Blob{row.vitals});
        } else {
          tx.post(update, row.org, row.agent, row.last_seen, Blob{row.vitals});
        }
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(presence_one_by_one_on_postgres)
    ->ArgName("pipelined")
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::store
