// SPDX-License-Identifier: Apache-2.0
// What a change of the feeds costs a fleet of 100,000 hosts with 500 packages each, on one core and
// on SQLite in memory.
#include "fleet/rematch.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/random.h"
#include "base/testing.h"
#include "fleet/host_matching.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "store/testing/databases.h"
#include "vuln/index.h"

namespace muster::fleet {
namespace {

constexpr OrgId org{1};
constexpr int hosts = 100'000;
constexpr int packages_per_host = 500;
constexpr int names = 2'500;
constexpr int versions_of_name = 20;

model::Advisory advisory_about(int name, const std::string& fixed) {
  model::Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "CVE-2099-" + std::to_string(10'000 + name);
  advisory.ecosystem = model::Ecosystem::deb;
  advisory.distro = "debian:12";
  advisory.package = "package-" + std::to_string(name);
  advisory.ranges = {{"", fixed, ""}};
  advisory.severity = model::Severity::high;
  advisory.summary = std::string(200, 'x');
  return advisory;
}

/// One host in `hosts_per_set` has a set of its own, and the others of its group share it.
class LargeFleet {
 public:
  explicit LargeFleet(int hosts_per_set) : store_(database_.open()) {
    add_packages();
    for (int first = 0; first < hosts; first += 1000) {
      store_.write([&](store::Tx& tx) {
        for (int host = first; host < first + 1000; ++host) add_host(tx, host, hosts_per_set);
      });
    }
  }

  /// Fleets are made once: that takes longer than what is measured.
  static LargeFleet& with(int hosts_per_set) {
    static std::map<int, std::unique_ptr<LargeFleet>> fleets;
    auto& fleet = fleets[hosts_per_set];
    if (!fleet) fleet = std::make_unique<LargeFleet>(hosts_per_set);
    return *fleet;
  }

  store::Store& store() { return store_; }
  NumberIds& ids() { return ids_; }

 private:
  void add_packages() {
    store_.write([&](store::Tx& tx) {
      for (int number = 0; number < names * versions_of_name; ++number) {
        model::Package package;
        package.name = "package-" + std::to_string(number / versions_of_name);
        package.version = "1." + std::to_string(number % versions_of_name) + "-1";
        package.ecosystem = model::Ecosystem::deb;
        package.distro = "debian:12";
        store::insert_package(tx, org, {static_cast<std::uint64_t>(number), 1}, package);
      }
    });
  }

  void add_host(store::Tx& tx, int number, int hosts_per_set) {
    if (number % hosts_per_set == 0) {
      // Every fifth name, each in one of its versions.
      set_.clear();
      for (int i = 0; i < packages_per_host; ++i) {
        const auto name = static_cast<int>(rng_.below(names / packages_per_host)) +
                          i * (names / packages_per_host);
        const auto version = static_cast<int>(rng_.below(versions_of_name));
        set_.push_back({1 + name * versions_of_name + version});
      }
    }
    model::Host host;
    host.org = org;
    host.id = {number + 1};
    host.hostname = "host-" + std::to_string(number);
    host.os_name = "Debian GNU/Linux 12 (bookworm)";
    host.distro = "debian:12";
    host.package_set = store::insert_package_set(tx, org, set_);
    host.package_count = packages_per_host;
    store::insert_host(tx, host);
  }

  store::testing::TestDatabase database_{store::Engine::sqlite};
  store::Store store_;
  SeededRng rng_;
  NumberIds ids_{rng_};
  std::vector<PackageId> set_;
};

std::shared_ptr<Knowledge> knowledge_of(const std::vector<model::Advisory>& advisories) {
  auto knowledge = std::make_shared<Knowledge>();
  knowledge->index = vuln::Index::build(advisories);
  return knowledge;
}

/// One advisory in ten packages' names.
std::vector<model::Advisory> standing_advisories() {
  std::vector<model::Advisory> advisories;
  for (int name = 0; name < names; name += 10) {
    advisories.push_back(advisory_about(name, "1.10-1"));
  }
  return advisories;
}

/// From two snapshots that one advisory tells apart to the hosts that it concerns.
void find_hosts_of_a_new_advisory(benchmark::State& state) {
  LargeFleet& fleet = LargeFleet::with(static_cast<int>(state.range(0)));
  std::vector<model::Advisory> advisories = standing_advisories();
  const auto before = knowledge_of(advisories);
  advisories.push_back(advisory_about(1, "1.10-1"));
  const auto after = knowledge_of(advisories);
  std::size_t found = 0;
  for (auto _ : state) {
    found = fleet.store().read([&](store::Reader& reader) {
      PackageMarks changed;
      find_changed_packages(reader, *before, *after, changed);
      return find_hosts_with(reader, changed).size();
    });
  }
  state.counters["hosts"] = static_cast<double>(found);
}
BENCHMARK(find_hosts_of_a_new_advisory)
    ->ArgName("hosts_per_set")
    ->Arg(50)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

/// Every host against one snapshot: first with no findings yet, then with all that there are.
void match_every_host(benchmark::State& state) {
  LargeFleet& fleet = LargeFleet::with(static_cast<int>(state.range(0)));
  Catalogue catalogue;
  catalogue.publish(knowledge_of(standing_advisories()));
  const crypto::KeyedHash keyed_hash({});
  KnownPackages packages(keyed_hash);
  RematchCount count;
  for (auto _ : state) {
    count = rematch_all_hosts(fleet.store(), fleet.ids(), catalogue, packages, test_epoch);
  }
  state.counters["opened"] = static_cast<double>(count.opened);
}
BENCHMARK(match_every_host)
    ->ArgName("hosts_per_set")
    ->Arg(50)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Repetitions(2);

}  // namespace
}  // namespace muster::fleet
