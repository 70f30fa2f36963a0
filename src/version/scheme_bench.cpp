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
    {Scheme::pacman, "1:3.0.7-4", "1:3.0.8-1"},
    {Scheme::pep440, "2.28.1rc2.post1", "2.28.1rc3"},
    {Scheme::maven, "2.14.0-beta-9", "2.14.0-beta-10"},
    {Scheme::nuget, "13.0.1-BETA.2", "13.0.1-beta.11"},
    {Scheme::rubygems, "7.0.0.rc4", "7.0.0.rc10"},
    {Scheme::packagist, "v5.4.3-beta2", "v5.4.3-RC1"},
    {Scheme::golang, "v0.0.0-20230716120725-531d2d74bc12", "v0.0.0-20230922105210-14b16010c2ee"},
    {Scheme::windows, "10.0.19045.4046", "10.0.19045.4170"},
    {Scheme::jvm, "1.8.0_351-b10", "8.0.361"},
    {Scheme::openssl, "1.0.2k-fips", "1.0.2zh"},
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
