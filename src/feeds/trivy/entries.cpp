// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/entries.h"

#include "base/limits.h"
#include "base/scan_limits.h"
#include "base/text.h"
#include "feeds/json_members.h"
#include "feeds/plain.h"
#include "model/purl.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using model::ImageVulnerability;
using model::Package;

std::vector<std::string> lines_of(const Json& object, std::string_view member) {
  std::vector<std::string> lines;
  const auto list = object.find(member);
  if (!list || !list->is_array()) return lines;
  list->for_each([&](const Json& element) {
    std::string line =
        plain_line(trim(element.string().value_or("")), limits::image_reference_bytes);
    if (!line.empty() && lines.size() < limits::image_tags) lines.push_back(std::move(line));
  });
  return lines;
}

/// "1:1.1.1n-0+deb11u5" of an epoch, a version and a release, of which Trivy has each apart.
std::string whole_version(const Json& entry, std::string_view epoch, std::string_view version,
                          std::string_view release) {
  std::string whole = line_of(entry, version, limits::version_bytes);
  if (whole.empty()) return whole;
  const auto number = entry.find(epoch);
  const std::int64_t before = number ? number->integer().value_or(0) : 0;
  if (before > 0) whole = std::to_string(before) + ":" + whole;
  const std::string after = line_of(entry, release, limits::version_bytes);
  if (!after.empty()) whole += "-" + after;
  return whole;
}

}  // namespace

ImageVulnerability read_trivy_vulnerability(const Json& entry, std::string_view type,
                                            std::string_view target) {
  ImageVulnerability taken;
  taken.type = type;
  taken.id = line_of(entry, "VulnerabilityID", limits::name_bytes);
  taken.package = line_of(entry, "PkgName", limits::name_bytes);
  const std::string severity = line_of(entry, "Severity", limits::name_bytes);
  taken.severity = model::parse_severity(severity).value_or(model::Severity::unknown);
  taken.title = line_of(entry, "Title", limits::title_bytes);
  taken.url = line_of(entry, "PrimaryURL", limits::url_bytes);
  if (const auto source = object_of(entry, "DataSource")) {
    taken.source = line_of(*source, "ID", limits::name_bytes);
    if (taken.source.empty()) taken.source = line_of(*source, "Name", limits::name_bytes);
  }
  ImageVulnerability::Place place;
  place.target = target;
  place.path = line_of(entry, "PkgPath", limits::path_bytes);
  place.version = line_of(entry, "InstalledVersion", limits::version_bytes);
  place.fixed_version = line_of(entry, "FixedVersion", limits::version_bytes);
  taken.status = model::parse_fix_status(text_of(entry, "Status"));
  // Reports from before Trivy 0.41 have no status, and say as much by the version alone.
  if (!entry.find("Status")) {
    taken.status =
        place.fixed_version.empty() ? model::FixStatus::affected : model::FixStatus::fixed;
  }
  taken.places.push_back(std::move(place));
  return taken;
}

Package read_trivy_package(const Json& entry, std::string_view type, std::string_view distro) {
  Package package;
  package.ecosystem = model::ecosystem_of_scanner_type(type);
  if (package.ecosystem == model::Ecosystem::unknown) {
    const auto identifier = object_of(entry, "Identifier");
    const auto named =
        model::package_of_purl(identifier ? text_of(*identifier, "PURL") : std::string_view());
    if (named) package = *named;
  }
  package.name = line_of(entry, "Name", limits::name_bytes);
  package.version = whole_version(entry, "Epoch", "Version", "Release");
  if (!model::is_of_distribution(package.ecosystem)) return package;
  package.distro = distro;
  package.source_name = line_of(entry, "SrcName", limits::name_bytes);
  package.source_version = whole_version(entry, "SrcEpoch", "SrcVersion", "SrcRelease");
  package.arch = line_of(entry, "Arch", limits::name_bytes);
  return package;
}

void read_trivy_metadata(const Json& metadata, ImageScan& scan) {
  const std::string digest = line_of(metadata, "ImageID", limits::image_reference_bytes);
  if (model::is_image_digest(digest)) scan.digest = digest;
  scan.tags = lines_of(metadata, "RepoTags");
  scan.repo_digests = lines_of(metadata, "RepoDigests");
  if (const auto os = object_of(metadata, "OS")) {
    scan.os = line_of(*os, "Family", limits::os_bytes);
    const std::string release = line_of(*os, "Name", limits::os_bytes);
    if (!release.empty()) scan.os += (scan.os.empty() ? "" : " ") + release;
  }
  if (const auto config = object_of(metadata, "ImageConfig")) {
    scan.arch = line_of(*config, "architecture", limits::name_bytes);
  }
}

}  // namespace muster::feeds
