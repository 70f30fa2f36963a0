// SPDX-License-Identifier: Apache-2.0
#include "version/scheme.h"

#include <benchmark/benchmark.h>

namespace muster::version {
namespace {

void compare_security_fixes(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(compare_valid(Scheme::deb, "1.1.1n-0+deb11u3", "1.1.1n-0+deb11u5"));
  }
}
BENCHMARK(compare_security_fixes);

void compare_validated_at_once(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(compare(Scheme::deb, "1:9.2p1-2+deb12u3", "1:9.2p1-2+deb12u7").ok());
  }
}
BENCHMARK(compare_validated_at_once);

}  // namespace
}  // namespace muster::version
