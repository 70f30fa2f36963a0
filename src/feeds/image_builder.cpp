// SPDX-License-Identifier: Apache-2.0
#include "feeds/image_builder.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

using model::ImageScan;
using model::ImageVulnerability;
using model::Package;

void ImageBuilder::add(ImageVulnerability taken) {
  if (taken.id.empty() || taken.package.empty()) return skip();
  const auto [known, fresh] = found_.try_emplace(Key{taken.type, taken.package, taken.id});
  ImageVulnerability& kept = known->second;
  if (fresh) {
    kept = std::move(taken);
    return;
  }
  kept.severity = std::max(kept.severity, taken.severity);
  // Where it does not affect in one place only, it does in another.
  if (kept.status == model::FixStatus::not_affected) kept.status = taken.status;
  auto& place = taken.places.front();
  const bool repeated =
      std::find(kept.places.begin(), kept.places.end(), place) != kept.places.end();
  if (!repeated && kept.places.size() < limits::image_places) {
    kept.places.push_back(std::move(place));
  }
}

void ImageBuilder::list_packages() {
  if (!scan.packages) scan.packages.emplace();
}

void ImageBuilder::add(Package package) {
  list_packages();
  // Package URLs come from anywhere, and percent signs hide anything.
  const auto clean = [](std::string& text, std::size_t bytes_max) {
    if (text.size() > bytes_max || !is_plain_text(text)) text = plain_line(text, bytes_max);
  };
  clean(package.name, limits::name_bytes);
  clean(package.version, limits::version_bytes);
  clean(package.vendor, limits::vendor_bytes);
  clean(package.distro, limits::name_bytes);
  clean(package.source_name, limits::name_bytes);
  clean(package.source_version, limits::version_bytes);
  clean(package.arch, limits::name_bytes);
  clean(package.cpe, limits::cpe_bytes);
  if (!package.name.empty()) scan.packages->push_back(std::move(package));
}

ImageScan ImageBuilder::finish() {
  ImageScan whole = std::move(scan);
  whole.skipped = skipped_;
  whole.vulnerabilities.reserve(found_.size());
  for (auto& [key, vulnerability] : found_) {
    whole.vulnerabilities.push_back(std::move(vulnerability));
  }
  if (whole.packages) {
    std::vector<Package>& packages = *whole.packages;
    std::sort(packages.begin(), packages.end());
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
  }
  *this = {};
  return whole;
}

SystemTarget split_target(std::string_view target) {
  const auto bracket = target.ends_with(')') ? target.rfind(" (") : std::string_view::npos;
  if (bracket == std::string_view::npos) return {target, {}};
  return {target.substr(0, bracket), target.substr(bracket + 2, target.size() - bracket - 3)};
}

std::string distro_of_system(std::string_view os) {
  return model::distro_of_os(os, "");
}

}  // namespace muster::feeds
