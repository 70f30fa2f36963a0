// SPDX-License-Identifier: Apache-2.0
#include "vuln/match.h"

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "base/test_directory.h"
#include "base/testing.h"
#include "vuln/index_diff.h"
#include "vuln/index_file.h"

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

/// The shape of NVD: 170,000 records with 1.8 million criteria, a median of two in a record and
/// some with thousands, over 107,000 products of which a few have thousands and most one; four
/// criteria in five name one version. One record in seven asks for something beside the product.
class NvdShape {
 public:
  std::vector<Advisory> records(std::size_t count) {
    std::vector<Advisory> all;
    all.reserve(count);
    for (std::size_t number = 0; number < count; ++number) all.push_back(record(number));
    return all;
  }

  static Package installed(std::size_t product, std::size_t version) {
    Package package;
    package.name = "product " + std::to_string(product);
    package.version = version_text(version);
    package.cpe = cpe_of(product, package.version);
    return package;
  }

  static constexpr std::size_t products = 107'000;
  static constexpr std::size_t versions = 400;

 private:
  static std::string version_text(std::size_t number) {
    return std::to_string(1 + number / 40) + "." + std::to_string(number / 4 % 10) + "." +
           std::to_string(number % 4);
  }
  static std::string cpe_of(std::size_t product, const std::string& version) {
    return "cpe:2.3:" + std::string(product % 50 == 7 ? "o" : "a") + ":vendor" +
           std::to_string(product / 3) + ":product" + std::to_string(product) + ":" + version +
           ":*:*:*:*:*:*:*";
  }

  std::size_t draw(std::size_t bound) { return rng_.below(bound); }

  /// By rank: a few products have hundreds of versions and most two, 350,000 together.
  static std::size_t versions_of(std::size_t product) {
    return std::min<std::size_t>(versions, 2 + 20'000 / (product + 1));
  }

  /// The first few are the kernel, the browser, the router; who lists many versions is of the
  /// first.
  std::size_t draw_product(std::size_t criteria) {
    if (draw(25) == 0) return draw(5);
    return draw(criteria > 500 ? 50 : criteria > 20 ? 2000 : products);
  }

  std::size_t draw_criteria() {
    const std::size_t place = draw(1000);
    if (place < 550) return 1 + draw(3);
    if (place < 950) return 3 + draw(18);
    if (place < 990) return 20 + draw(80);
    return 100 + draw(place == 999 ? 3000 : 200);
  }

  model::CpeCriterion criterion(std::size_t product, std::size_t version, bool vulnerable) {
    model::CpeCriterion each;
    each.vulnerable = vulnerable;
    if (!vulnerable) {
      each.cpe = "cpe:2.3:h:vendor:device" + std::to_string(product) + ":-:*:*:*:*:*:*:*";
    } else if (draw(5) > 0) {
      each.cpe = cpe_of(product, version_text(version));
    } else {
      each.cpe = cpe_of(product, "*");
      if (draw(2) == 0) each.range.introduced = version_text(version / 2);
      (draw(2) == 0 ? each.range.fixed : each.range.last_affected) = version_text(version);
    }
    return each;
  }

  Advisory record(std::size_t number) {
    Advisory advisory;
    advisory.feed = "nvd";
    advisory.id =
        "CVE-20" + std::to_string(10 + number % 16) + "-" + std::to_string(10000 + number);
    advisory.summary = std::string(220, 'x') + std::to_string(number);
    advisory.severity = model::Severity::high;
    const std::size_t count = draw_criteria();
    const std::size_t product = draw_product(count);
    const std::size_t first = draw(versions_of(product));
    model::CpeConfiguration configuration;
    configuration.nodes.emplace_back();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t version = (first + i) % versions_of(product);
      configuration.nodes.front().criteria.push_back(criterion(product, version, true));
    }
    if (draw(7) == 0) {
      configuration.all = true;
      configuration.nodes.push_back({false, false, {criterion(product, 0, false)}});
    }
    advisory.configurations.push_back(std::move(configuration));
    return advisory;
  }

  SeededRng rng_;
};

constexpr std::size_t nvd_records = 170'000;

const std::vector<Advisory>& nvd_shape() {
  static const std::vector<Advisory> records = NvdShape().records(nvd_records);
  return records;
}
const Index& nvd_index() {
  static const std::shared_ptr<const Index> index = Index::build(nvd_shape());
  return *index;
}

void build_nvd_index(benchmark::State& state) {
  const std::vector<Advisory>& records = nvd_shape();
  std::size_t bytes = 0;
  for (auto _ : state) bytes = Index::build(records)->bytes();
  std::size_t criteria = 0;
  for (const Advisory& each : records) criteria += model::criteria_count(each.configurations);
  state.counters["criteria"] = static_cast<double>(criteria);
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(build_nvd_index)->Unit(benchmark::kMillisecond)->Iterations(3);

/// What a start costs, once the index is in a file: from the page cache, as after a restart.
void read_nvd_index(benchmark::State& state) {
  const TestDirectory directory;
  const std::filesystem::path file = std::filesystem::path(directory.path()) / "index";
  CHECK(write_index(nvd_index(), "", file));
  for (auto _ : state) benchmark::DoNotOptimize(read_index("", file));
  state.counters["bytes"] = static_cast<double>(std::filesystem::file_size(file));
}
BENCHMARK(read_nvd_index)->Unit(benchmark::kMillisecond);

void match_all(benchmark::State& state, const std::vector<Package>& packages) {
  const Index& index = nvd_index();
  std::size_t found = 0;
  for (auto _ : state) {
    found = 0;
    for (const Package& package : packages) found += match(index, package).matches.size();
  }
  state.counters["matches"] = static_cast<double>(found);
}

/// A thousand packages of a thousand products.
void match_typical_products(benchmark::State& state) {
  std::vector<Package> packages;
  for (std::size_t i = 0; i < 1000; ++i) {
    packages.push_back(NvdShape::installed(5 + i * 97, i % NvdShape::versions));
  }
  match_all(state, packages);
}
BENCHMARK(match_typical_products)->Unit(benchmark::kMillisecond);

/// A thousand packages of the five products that have the most criteria, of versions `behind` to
/// `behind` + 9 before the last.
void match_worst_products(benchmark::State& state) {
  std::vector<Package> packages;
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto behind = static_cast<std::size_t>(state.range(0));
    packages.push_back(NvdShape::installed(i % 5, NvdShape::versions - 1 - behind - i % 10));
  }
  match_all(state, packages);
}
BENCHMARK(match_worst_products)->ArgName("behind")->Arg(0)->Arg(200)->Unit(benchmark::kMillisecond);

/// What differs when one record of the 170,000 changed.
void compare_nvd_indexes(benchmark::State& state) {
  std::vector<Advisory> records = nvd_shape();
  records[1000].summary = "other words";
  const auto after = Index::build(records);
  for (auto _ : state) benchmark::DoNotOptimize(IndexDiff(nvd_index(), *after).empty());
}
BENCHMARK(compare_nvd_indexes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::vuln
