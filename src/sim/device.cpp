// SPDX-License-Identifier: Apache-2.0
#include "sim/device.h"

#include <algorithm>

#include "base/json_write.h"

namespace muster::sim {

namespace {

constexpr std::size_t names = 40;
constexpr std::size_t versions = 6;

std::string name_of(std::size_t number) {
  return "package-" + std::to_string(number);
}
std::string version_of(std::size_t number) {
  return "1." + std::to_string(number) + "-1";
}
std::string cve_of(std::size_t number) {
  return "CVE-2099-" + std::to_string(1000 + number);
}

}  // namespace

model::Package Software::package(std::size_t number, std::size_t version, const char* arch) {
  model::Package package;
  package.name = name_of(number);
  package.version = version_of(version);
  package.ecosystem = model::Ecosystem::deb;
  package.distro = "debian:12";
  package.source_name = package.name;
  package.source_version = package.version;
  package.arch = arch;
  return package;
}

Software::Software(SeededRng& rng) {
  const std::size_t count = 3 + rng.below(20);
  for (std::size_t i = 0; i < count; ++i) mutate(rng);
}

void Software::mutate(SeededRng& rng) {
  const std::size_t what = rng.below(packages_.size() < 4 ? 1 : 3);
  if (what == 0) {
    // Sometimes of a second architecture: a delta names packages without it.
    const char* arch = chance(rng, 150) ? "i386" : "amd64";
    const model::Package added = package(rng.below(names), rng.below(versions), arch);
    if (std::find(packages_.begin(), packages_.end(), added) == packages_.end()) {
      packages_.push_back(added);
    }
    return;
  }
  const auto chosen = packages_.begin() + static_cast<std::ptrdiff_t>(rng.below(packages_.size()));
  if (what == 1) {
    packages_.erase(chosen);
    return;
  }
  model::Package upgraded = *chosen;
  upgraded.version = upgraded.source_version = version_of(rng.below(versions));
  packages_.erase(chosen);
  if (std::find(packages_.begin(), packages_.end(), upgraded) == packages_.end()) {
    packages_.push_back(upgraded);
  }
}

std::vector<std::string> Software::lines() const {
  std::vector<std::string> lines;
  for (const model::Package& each : packages_) {
    lines.push_back(each.name + " " + each.version + " " + each.arch);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string debian_feed(SeededRng& rng) {
  JsonWriter json;
  json.begin_object();
  for (std::size_t number = 0; number < names; ++number) {
    if (!chance(rng, 400)) continue;
    json.key(name_of(number)).begin_object();
    const std::size_t advisories = 1 + rng.below(2);
    for (std::size_t i = 0; i < advisories; ++i) {
      const bool open = chance(rng, 200);
      json.key(cve_of(number * 10 + i))
          .begin_object()
          .member("description", "found by nobody")
          .member("scope", "remote")
          .key("releases")
          .begin_object()
          .key("bookworm")
          .begin_object()
          .member("status", open ? "open" : "resolved");
      if (!open) json.member("fixed_version", version_of(rng.below(versions)));
      json.key("repositories")
          .begin_object()
          .member("bookworm", "1")
          .end_object()
          .member("urgency", chance(rng, 300) ? "high" : "medium")
          .end_object()
          .end_object()
          .end_object();
    }
    json.end_object();
  }
  json.end_object();
  return json.take();
}

std::string kev_feed(SeededRng& rng) {
  JsonWriter json;
  json.begin_object()
      .member("title", "t")
      .member("catalogVersion", "2026.03." + std::to_string(10 + rng.below(15)))
      .member("dateReleased", "2026-03-21T00:00:00Z")
      .member("count", 1)
      .key("vulnerabilities")
      .begin_array()
      .begin_object()
      .member("cveID", cve_of(10 * rng.below(names)))
      .member("vendorProject", "v")
      .member("product", "p")
      .member("vulnerabilityName", "n")
      .member("dateAdded", "2026-03-20")
      .member("shortDescription", "s")
      .member("requiredAction", "a")
      .member("dueDate", "2026-04-01")
      .member("knownRansomwareCampaignUse", "Known")
      .member("notes", "")
      .end_object()
      .end_array()
      .end_object();
  return json.take();
}

}  // namespace muster::sim
