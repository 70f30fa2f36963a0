// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/custom_resource.h"

#include "base/limits.h"
#include "base/scan_limits.h"
#include "base/text.h"
#include "feeds/image_builder.h"
#include "feeds/plain.h"
#include "feeds/sbom/sbom.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using model::ImageVulnerability;

/// The operator's words for what a report in a file calls VulnerabilityID, PkgName and so on.
ImageVulnerability read_vulnerability(const Json& entry, const std::string& system) {
  ImageVulnerability taken;
  taken.id = line_of(entry, "vulnerabilityID", limits::name_bytes);
  taken.package = line_of(entry, "resource", limits::name_bytes);
  taken.type = line_of(entry, "packageType", limits::name_bytes);
  if (taken.type.empty() && text_of(entry, "class") == "os-pkgs") taken.type = system;
  const std::string severity = line_of(entry, "severity", limits::name_bytes);
  taken.severity = model::parse_severity(severity).value_or(model::Severity::unknown);
  taken.title = line_of(entry, "title", limits::title_bytes);
  taken.url = line_of(entry, "primaryLink", limits::url_bytes);
  ImageVulnerability::Place place;
  place.target = line_of(entry, "target", limits::path_bytes);
  place.path = line_of(entry, "pkgPath", limits::path_bytes);
  place.version = line_of(entry, "installedVersion", limits::version_bytes);
  place.fixed_version = line_of(entry, "fixedVersion", limits::version_bytes);
  taken.status = place.fixed_version.empty() ? model::FixStatus::affected : model::FixStatus::fixed;
  taken.places.push_back(std::move(place));
  return taken;
}

/// The image that a report is about. Its `digest` is that of the reference, or where the reference
/// has a tag instead, that of the image's configuration.
void take_artifact(const Json& report, ImageScan& scan) {
  scan.kind = "container_image";
  const auto at = parse_rfc3339(text_of(report, "updateTimestamp"));
  if (at.ok()) scan.scanned_at = *at;
  if (const auto os = object_of(report, "os")) {
    scan.os = line_of(*os, "family", limits::os_bytes);
    const std::string release = line_of(*os, "name", limits::os_bytes);
    if (!release.empty()) scan.os += (scan.os.empty() ? "" : " ") + release;
  }
  const auto artifact = object_of(report, "artifact");
  if (!artifact) return;
  const auto registry = object_of(report, "registry");
  const std::string server = registry ? line_of(*registry, "server", limits::name_bytes) : "";
  std::string name = line_of(*artifact, "repository", limits::image_reference_bytes);
  if (!server.empty()) name = server + "/" + name;
  const std::string tag = line_of(*artifact, "tag", limits::name_bytes);
  const std::string digest = line_of(*artifact, "digest", limits::name_bytes);
  const bool digested = model::is_image_digest(digest);
  if (!tag.empty()) {
    name += ":" + tag;
    scan.tags.push_back(name);
    if (digested) scan.digest = digest;
  } else if (digested) {
    name += "@" + digest;
    scan.repo_digests.push_back(name);
  }
  scan.name = name;
}

Result<ImageScan> read_vulnerability_report(const OpenObject& report, JsonDocument& document) {
  ImageBuilder image;
  const Json head = TRY(report.without({"vulnerabilities"}, document));
  take_artifact(head, image.scan);
  const std::string system = image.scan.os.substr(0, image.scan.os.find(' '));
  for (const JsonPiece& element : TRY(elements_of(report.member("vulnerabilities")))) {
    const Json entry = TRY(document.parse(element.value));
    entry.is_object() ? image.add(read_vulnerability(entry, system)) : image.skip();
  }
  return image.finish();
}

Result<ImageScan> read_sbom_report(const OpenObject& report, JsonDocument& document) {
  ImageScan scan = TRY(read_sbom(report.member("components")));
  ImageScan told;
  const Json head = TRY(report.without({"components"}, document));
  take_artifact(head, told);
  scan.name = told.name;
  scan.kind = told.kind;
  if (!told.digest.empty()) scan.digest = told.digest;
  if (scan.tags.empty()) scan.tags = told.tags;
  if (scan.repo_digests.empty()) scan.repo_digests = told.repo_digests;
  if (told.scanned_at) scan.scanned_at = told.scanned_at;
  return scan;
}

}  // namespace

bool is_custom_resource(const OpenObject& object) {
  return object.member("kind").starts_with('"') && object.member("apiVersion").starts_with('"');
}

Result<void> read_custom_resource(const OpenObject& object, std::vector<ImageScan>& scans,
                                  ResourceKinds& kinds) {
  if (object.has("items")) {
    for (const JsonPiece& item : TRY(elements_of(object.member("items")))) {
      if (!item.value.starts_with('{')) continue;
      const OpenObject inner = TRY(OpenObject::open(item.value));
      // A list of lists is none of Kubernetes', and would be as deep as its writer likes.
      if (is_custom_resource(inner) && !inner.has("items")) {
        TRY(read_custom_resource(inner, scans, kinds));
      }
    }
    return {};
  }
  JsonDocument document;
  const Json named = TRY(document.parse(object.member("kind")));
  const std::string kind(named.string().value_or(""));
  const bool flaws = kind == "VulnerabilityReport" || kind == "ClusterVulnerabilityReport";
  const bool bill = kind == "SbomReport" || kind == "ClusterSbomReport";
  if (!(flaws || bill) || !object.member("report").starts_with('{')) {
    if (kinds.other.empty()) kinds.other = plain_line(kind, limits::name_bytes);
    return {};
  }
  const OpenObject report = TRY(OpenObject::open(object.member("report")));
  kinds.known = true;
  auto scan =
      flaws ? read_vulnerability_report(report, document) : read_sbom_report(report, document);
  if (!scan.ok()) return scan.error();
  scans.push_back(std::move(*scan));
  return {};
}

}  // namespace muster::feeds
