// SPDX-License-Identifier: Apache-2.0
#include "version/scheme.h"

#include <benchmark/benchmark.h>

#include "base/check.h"

namespace muster::version {
namespace {

/// An installed version and the fix it is compared with, as feeds have them: alike up to the end.
struct Sample {
  Scheme scheme;
  const char* installed;
  const char* fixed;
};

constexpr Sample samples[]{
    {Scheme::deb, "1.1.1n-0+deb11u3", "1.1.1n-0+deb11u5"},
    {Scheme::rpm, "1:3.0.7-18.el9_2", "1:3.0.7-25.el9_3"},
    {Scheme::apk, "3.1.4_p1-r5", "3.1.4_p1-r6"},
    {Scheme::semver, "4.17.20-beta.2", "4.17.20-beta.11"},
    {Scheme::generic, "23.01 (x64)", "v24.08"},
};

/// What a match costs: both texts were validated when the feed and the report were read.
void compare_with_fix(benchmark::State& state, const Sample& sample) {
  CHECK(*compare(sample.scheme, sample.installed, sample.fixed) < 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(compare_valid(sample.scheme, sample.installed, sample.fixed));
  }
}

void validate_installed(benchmark::State& state, const Sample& sample) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(validate(sample.scheme, sample.installed).ok());
  }
}

const bool registered = [] {
  for (const Sample& sample : samples) {
    const std::string name(scheme_name(sample.scheme));
    benchmark::RegisterBenchmark(("compare/" + name).c_str(), compare_with_fix, sample);
    benchmark::RegisterBenchmark(("validate/" + name).c_str(), validate_installed, sample);
  }
  return true;
}();

}  // namespace
}  // namespace muster::version
