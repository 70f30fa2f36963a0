// SPDX-License-Identifier: Apache-2.0
#include "vuln/match.h"

#include <benchmark/benchmark.h>

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;

/// The shape of Debian's tracker: 3,500 source packages, of which a few have thousands of rows and
/// most a dozen, in six releases.
std::vector<Advisory> tracker(std::size_t flaws) {
  std::vector<Advisory> rows;
  for (std::size_t flaw = 0; flaw < flaws; ++flaw) {
    const std::size_t package = flaw % 10 == 0 ? 0 : flaw % 3500;
    for (const char* release : {"10", "11", "12", "13", "14", "sid"}) {
      Advisory row;
      row.feed = "debian";
      row.id = "CVE-20" + std::to_string(10 + flaw % 16) + "-" + std::to_string(10000 + flaw);
      row.ecosystem = Ecosystem::deb;
      row.distro = std::string("debian:") + release;
      row.package = "package-" + std::to_string(package);
      row.ranges = {{"", flaw % 8 == 0 ? "" : "1." + std::to_string(flaw % 30) + "-1+deb12u1", ""}};
      row.urgency = "not yet assigned";
      row.summary = "A description of flaw " + std::to_string(flaw);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Package> host(std::size_t count) {
  std::vector<Package> packages;
  for (std::size_t i = 0; i < count; ++i) {
    Package package;
    package.name = "binary-" + std::to_string(i);
    package.source_name = "package-" + std::to_string((i * 7 + 1) % 5000);
    package.version = "1.28-1+b" + std::to_string(i % 3 + 1);
    package.source_version = "1.28-1";
    package.ecosystem = Ecosystem::deb;
    package.distro = "debian:12";
    packages.push_back(std::move(package));
  }
  return packages;
}

void match_thousand_packages(benchmark::State& state) {
  const auto index = Index::build(tracker(60'000));
  const auto packages = host(1000);
  std::size_t found = 0;
  for (auto _ : state) {
    found = 0;
    for (const Package& package : packages) found += match(*index, package).matches.size();
  }
  state.counters["matches"] = static_cast<double>(found);
  state.counters["advisories"] = static_cast<double>(index->size());
  state.counters["bytes_per_advisory"] =
      static_cast<double>(index->bytes()) / static_cast<double>(index->size());
}
BENCHMARK(match_thousand_packages)->Unit(benchmark::kMillisecond);

void build_index(benchmark::State& state) {
  const auto rows = tracker(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Index::build(rows));
  state.counters["advisories"] = static_cast<double>(rows.size());
}
BENCHMARK(build_index)->Arg(6'000)->Arg(60'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::vuln
