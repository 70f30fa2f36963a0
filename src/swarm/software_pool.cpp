// SPDX-License-Identifier: Apache-2.0
#include "swarm/software_pool.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "base/limits.h"
#include "base/seeded_rng.h"
#include "base/text.h"

namespace muster::swarm {

namespace {

constexpr const char* distro = "debian:12";
/// A catalogue that is made up has so many times the packages of a set.
constexpr std::size_t catalogue_sets = 3;
/// Every so many revisions a package goes instead of being updated.
constexpr std::uint32_t removal_every = 8;

std::vector<model::Package> made_up_catalogue(std::size_t size) {
  std::vector<model::Package> catalogue;
  catalogue.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    model::Package package;
    package.name = "swarm-package-" + std::to_string(i);
    package.version =
        std::to_string(1 + i % 9) + "." + std::to_string(i % 40) + "-" + std::to_string(1 + i % 4);
    package.ecosystem = model::Ecosystem::deb;
    package.distro = distro;
    package.source_name = package.name;
    package.source_version = package.version;
    package.arch = "amd64";
    catalogue.push_back(std::move(package));
  }
  return catalogue;
}

Result<model::Package> parse_line(std::string_view line, std::size_t number) {
  std::array<std::string_view, 5> cells;
  for (std::string_view& cell : cells) {
    const auto end = line.find('\t');
    cell = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    const bool usable = !cell.empty() && cell.size() <= limits::name_bytes && is_plain_text(cell);
    if (!usable) {
      return invalid_field("packages", "line " + std::to_string(number) +
                                           " is not name, version, source name, source version "
                                           "and arch between tabs");
    }
  }
  model::Package package;
  package.name = cells[0];
  package.version = cells[1];
  package.source_name = cells[2];
  package.source_version = cells[3];
  package.arch = cells[4];
  package.ecosystem = model::Ecosystem::deb;
  package.distro = distro;
  return package;
}

}  // namespace

SoftwarePool::SoftwarePool(const Scenario& scenario, std::vector<model::Package> catalogue)
    : catalogue_(std::move(catalogue)),
      seed_(static_cast<std::uint64_t>(scenario.fleet_seed)),
      set_size_(static_cast<std::size_t>(scenario.fleet_packages)) {
  if (catalogue_.empty()) catalogue_ = made_up_catalogue(set_size_ * catalogue_sets);
  set_size_ = std::min(set_size_, catalogue_.size());
}

std::vector<model::Package> SoftwarePool::packages(std::uint32_t variant,
                                                   std::uint32_t revision) const {
  SeededRng rng(seed_ ^ (std::uint64_t{variant} << 32));
  std::vector<std::uint32_t> order(catalogue_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::vector<model::Package> out;
  out.reserve(set_size_);
  for (std::size_t i = 0; i < set_size_; ++i) {
    std::swap(order[i], order[i + rng.below(order.size() - i)]);
    out.push_back(catalogue_[order[i]]);
  }
  std::vector<bool> removed(out.size());
  for (std::uint32_t step = 1; step <= revision; ++step) {
    const std::size_t which = rng.below(out.size());
    if (step % removal_every == 0) {
      removed[which] = true;
      continue;
    }
    removed[which] = false;  // one that was removed comes back, newer
    model::Package& package = out[which];
    const model::Package& original = catalogue_[order[which]];
    const std::string update = "+deb12u" + std::to_string(step);
    package.version = original.version + update;
    package.source_version = original.source_version + update;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (removed[i]) continue;
    if (kept != i) out[kept] = std::move(out[i]);
    ++kept;
  }
  out.resize(kept);
  return out;
}

Result<std::vector<model::Package>> parse_package_list(std::string_view text) {
  std::vector<model::Package> packages;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    if (packages.size() == limits::software_items) {
      return invalid_field("packages", "are more than " + std::to_string(limits::software_items));
    }
    packages.push_back(TRY(parse_line(line, number)));
  }
  if (packages.empty()) return invalid_field("packages", "are none");
  return packages;
}

}  // namespace muster::swarm
