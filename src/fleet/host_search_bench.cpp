// SPDX-License-Identifier: Apache-2.0
// What a query over a large fleet costs. The store lies in memory: figures are of the search and
// the engine, not of a disk.
#include <benchmark/benchmark.h>

#include "fleet/host_search.h"
#include "fleet/hosts.h"
#include "fleet/testing.h"
#include "model/finding.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"

namespace muster::fleet {
namespace {

constexpr std::int64_t hosts = 100'000;
constexpr std::int64_t packages = 20'000;
constexpr std::int64_t packages_each = 500;
constexpr std::int64_t findings_each = 20;
/// Every so many hosts have the same software.
constexpr std::int64_t hosts_a_set = 10;

/// 100,000 hosts with 500 packages and 20 open findings each, in 10,000 distinct sets.
class LargeFleet {
 public:
  LargeFleet() {
    fleet->store.write([&](store::Tx& tx) {
      for (std::int64_t i = 0; i < packages; ++i) {
        const model::Package package =
            debian_package(i % 100 == 0 ? "openssl" : "package-" + std::to_string(i % 2000),
                           "3.0." + std::to_string(i / 1000) + "-1");
        store::insert_package(tx, TestFleet::org, {static_cast<std::uint64_t>(i), 0}, package);
      }
    });
    for (std::int64_t i = 0; i < hosts; i += 1000) {
      fleet->store.write([&](store::Tx& tx) {
        for (std::int64_t j = i; j < i + 1000; ++j) insert(tx, j);
      });
    }
  }

  TestFleet fleet{1, store::Engine::sqlite};

 private:
  void insert(store::Tx& tx, std::int64_t number) {
    model::Host host;
    host.org = TestFleet::org;
    host.id = fleet->ids.next<HostId>(fleet.now);
    host.hostname = (number % 3 == 0 ? "web-" : "db-") + std::to_string(number);
    host.os_name = "Debian GNU/Linux 12 (bookworm)";
    host.distro = "debian:12";
    host.tags = {number % 50 == 0 ? "canary" : "prod"};
    host.first_seen = host.last_seen = fleet.now;
    std::vector<PackageId> members;
    const std::int64_t first = number / hosts_a_set % (packages - packages_each * 30) + 1;
    for (std::int64_t i = 0; i < packages_each; ++i) members.push_back({first + i * 30});
    host.package_count = packages_each;
    host.package_set = store::insert_package_set(tx, host.org, members);
    store::insert_host(tx, host);
    for (std::int64_t i = 0; i < findings_each; ++i) insert_finding(tx, host, members, number, i);
    insert_agent(tx, host);
  }

  void insert_finding(store::Tx& tx, const model::Host& host, const std::vector<PackageId>& members,
                      std::int64_t number, std::int64_t index) {
    model::Finding finding;
    finding.org = host.org;
    finding.id = fleet->ids.next<FindingId>(fleet.now);
    finding.host = host.id;
    finding.package = members[static_cast<std::size_t>(index)];
    finding.feed = "debian";
    finding.cve = "CVE-2024-" + std::to_string(index * 100 + number % 100);
    finding.advisory_id = *finding.cve;
    // One host of a thousand has a critical one.
    finding.severity =
        index == 0 && number % 1000 == 0 ? model::Severity::critical : model::Severity::medium;
    finding.known_exploited = index == 1 && number % 500 == 0;
    finding.opened_at = fleet.now;
    finding.evidence = R"({"summary": "something of the usual length, that nobody reads here"})";
    store::open_finding(tx, finding);
  }

  void insert_agent(store::Tx& tx, const model::Host& host) {
    model::Agent agent;
    agent.org = host.org;
    agent.id = {make_uuid7(fleet.rng, fleet.now)};
    agent.host = host.id;
    agent.os = "linux";
    agent.key_hash = fleet->credentials.hash(host.hostname);
    agent.enrolled_at = fleet.now;
    store::insert_agent(tx, agent);
    AgentPresence state;
    state.org = agent.org;
    state.host = agent.host;
    state.called = true;
    state.last_seen = fleet.now;
    state.agent_version = "1.0.0";
    fleet->presence.add_agent(agent.id, std::move(state));
  }
};

/// The first page of a list, with its total.
void find_hosts(benchmark::State& state, const char* text) {
  static LargeFleet large;
  const model::HostQuery query = model::parse_host_query(text).value();
  store::Total total;
  for (auto _ : state) {
    total = list_matching_hosts(large.fleet->store, large.fleet->presence, large.fleet.config,
                                query, TestFleet::org, "", 100, large.fleet.now)
                ->total;
  }
  state.SetLabel((total.exact ? "" : "more than ") + std::to_string(total.value) + " of 100,000");
}
BENCHMARK_CAPTURE(find_hosts, half_of_all, "os:linux tag:prod")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, a_name, "hostname:web-99999")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, a_tag, "tag:canary")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, offline, "status:offline")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, old_package, "package:openssl<3.0.2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, no_such_version, "package:open*<2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, a_cve, "cve:CVE-2024-101")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, critical, "severity:critical")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, exploited, "kev:true")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_hosts, everything_at_once,
                  "os:linux -tag:canary status:online package:openssl severity>=high "
                  "(kev:true OR agent.version<2)")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::fleet
