// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/trivy.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using model::ImageVulnerability;

constexpr std::size_t title_bytes = 300;
constexpr std::size_t url_bytes = 500;

std::string text_of(const Json& object, std::string_view member, std::size_t bytes_max) {
  const auto value = object.find(member);
  return plain_line(trim(value ? value->string().value_or("") : ""), bytes_max);
}

std::vector<std::string> texts_of(const Json& object, std::string_view member) {
  std::vector<std::string> texts;
  const auto list = object.find(member);
  if (!list || !list->is_array()) return texts;
  list->for_each([&](const Json& element) {
    const std::string text =
        plain_line(trim(element.string().value_or("")), limits::image_reference_bytes);
    if (!text.empty() && texts.size() < limits::image_tags) texts.push_back(text);
  });
  return texts;
}

/// A member that is an object, if it is one.
std::optional<Json> object_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value && value->is_object() ? value : std::nullopt;
}

template <typename F>
void for_each_object(const Json& object, std::string_view member, F&& each) {
  const auto list = object.find(member);
  if (!list || !list->is_array()) return;
  list->for_each([&](const Json& element) {
    if (element.is_object()) each(element);
  });
}

/// "redis:6.0.5 (debian 10.4)" without what Trivy adds to the name of an image.
std::string_view without_system(std::string_view target) {
  const auto bracket = target.ends_with(')') ? target.rfind(" (") : std::string_view::npos;
  return target.substr(0, bracket);
}

/// Collects the vulnerabilities of one image, each once.
class Collector {
 public:
  void take_result(const Json& result) {
    const std::string type = text_of(result, "Type", limits::name_bytes);
    const std::string target = text_of(result, "Target", limits::path_bytes);
    const auto list = result.find("Vulnerabilities");
    if (!list || !list->is_array()) return;
    list->for_each([&](const Json& entry) { take_entry(entry, type, target); });
  }

  void finish(ImageScan& scan) {
    scan.skipped = skipped_;
    scan.vulnerabilities.reserve(found_.size());
    for (auto& [key, vulnerability] : found_) {
      scan.vulnerabilities.push_back(std::move(vulnerability));
    }
  }

 private:
  using Key = std::tuple<std::string, std::string, std::string>;

  void take_entry(const Json& entry, const std::string& type, const std::string& target) {
    ImageVulnerability taken;
    taken.type = type;
    taken.id = text_of(entry, "VulnerabilityID", limits::name_bytes);
    taken.package = text_of(entry, "PkgName", limits::name_bytes);
    if (taken.id.empty() || taken.package.empty()) {
      ++skipped_;
      return;
    }
    const std::string severity = text_of(entry, "Severity", limits::name_bytes);
    taken.severity = model::parse_severity(severity).value_or(model::Severity::unknown);
    taken.title = text_of(entry, "Title", title_bytes);
    taken.url = text_of(entry, "PrimaryURL", url_bytes);
    if (const auto source = object_of(entry, "DataSource")) {
      taken.source = text_of(*source, "ID", limits::name_bytes);
      if (taken.source.empty()) taken.source = text_of(*source, "Name", limits::name_bytes);
    }
    ImageVulnerability::Place place;
    place.target = target;
    place.path = text_of(entry, "PkgPath", limits::path_bytes);
    place.version = text_of(entry, "InstalledVersion", limits::version_bytes);
    place.fixed_version = text_of(entry, "FixedVersion", limits::version_bytes);
    taken.status = model::parse_fix_status(text_of(entry, "Status", limits::name_bytes));
    // Reports from before Trivy 0.41 have no status, and say as much by the version alone.
    if (!entry.find("Status")) {
      taken.status =
          place.fixed_version.empty() ? model::FixStatus::affected : model::FixStatus::fixed;
    }
    taken.places.push_back(std::move(place));
    add(std::move(taken));
  }

  void add(ImageVulnerability&& taken) {
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

  std::map<Key, ImageVulnerability> found_;
  std::int64_t skipped_ = 0;
};

/// What Trivy found out about an image besides its vulnerabilities.
void take_metadata(const Json& report, ImageScan& scan) {
  const auto metadata = object_of(report, "Metadata");
  if (!metadata) return;
  const std::string digest = text_of(*metadata, "ImageID", limits::image_reference_bytes);
  if (model::is_image_digest(digest)) scan.digest = digest;
  scan.tags = texts_of(*metadata, "RepoTags");
  scan.repo_digests = texts_of(*metadata, "RepoDigests");
  if (const auto os = object_of(*metadata, "OS")) {
    scan.os = text_of(*os, "Family", limits::os_bytes);
    const std::string release = text_of(*os, "Name", limits::os_bytes);
    if (!release.empty()) scan.os += (scan.os.empty() ? "" : " ") + release;
  }
  if (const auto config = object_of(*metadata, "ImageConfig")) {
    scan.arch = text_of(*config, "architecture", limits::name_bytes);
  }
}

std::optional<Instant> creation_of(const Json& report) {
  const auto text = report.find("CreatedAt");
  const auto at = parse_rfc3339(text ? text->string().value_or("") : "");
  if (!at.ok()) return std::nullopt;
  return *at;
}

ImageScan read_schema_2(const Json& report) {
  ImageScan scan;
  scan.kind = text_of(report, "ArtifactType", limits::name_bytes);
  scan.name = text_of(report, "ArtifactName", limits::path_bytes);
  scan.scanned_at = creation_of(report);
  take_metadata(report, scan);
  Collector collector;
  for_each_object(report, "Results", [&](const Json& result) { collector.take_result(result); });
  collector.finish(scan);
  return scan;
}

ImageScan read_list(const Json& report) {
  ImageScan scan;
  Collector collector;
  if (report.is_array()) {
    report.for_each([&](const Json& result) {
      if (!result.is_object()) return;
      const std::string target = text_of(result, "Target", limits::path_bytes);
      const std::string_view name = without_system(target);
      // Of the system's packages; the targets of other results are files in the image.
      if (scan.name.empty() && name.size() < target.size()) {
        scan.name = name;
        scan.os = target.substr(name.size() + 2, target.size() - name.size() - 3);
      }
      collector.take_result(result);
    });
  }
  collector.finish(scan);
  return scan;
}

/// The images of one workload. One that was scanned by itself has its metadata here; older
/// versions list the results of several, each beginning with that of its system's packages.
void read_resource(const Json& resource, std::vector<ImageScan>& scans) {
  ImageScan whole;
  whole.kind = "container_image";
  take_metadata(resource, whole);
  if (!whole.tags.empty() || !whole.repo_digests.empty()) {
    whole.name = whole.tags.empty() ? whole.repo_digests.front() : whole.tags.front();
    Collector collector;
    for_each_object(resource, "Results", [&](const Json& one) { collector.take_result(one); });
    collector.finish(whole);
    scans.push_back(std::move(whole));
    return;
  }
  std::optional<ImageScan> scan;
  Collector collector;
  const auto finish = [&] {
    if (!scan) return;
    collector.finish(*scan);
    scans.push_back(std::move(*scan));
    scan.reset();
    collector = {};
  };
  for_each_object(resource, "Results", [&](const Json& result) {
    const std::string target = text_of(result, "Target", limits::path_bytes);
    if (text_of(result, "Class", limits::name_bytes) == "os-pkgs") {
      finish();
      const std::string_view name = without_system(target);
      scan.emplace();
      scan->kind = "container_image";
      scan->name = name;
      if (name.size() < target.size()) {
        scan->os = target.substr(name.size() + 2, target.size() - name.size() - 3);
      }
    }
    if (scan) collector.take_result(result);
  });
  finish();
}

bool is_list(const std::optional<Json>& value) {
  return value && (value->is_array() || value->is_null());
}

}  // namespace

Result<std::vector<ImageScan>> read_trivy(const Json& report) {
  std::vector<ImageScan> scans;
  if (report.is_null() || report.is_array()) {
    scans.push_back(read_list(report));
    return scans;
  }
  const auto results = report.find("Results");
  if (report.find("ClusterName") || is_list(report.find("Resources"))) {
    for (const std::string_view part : {"Resources", "Vulnerabilities"}) {
      for_each_object(report, part, [&](const Json& resource) { read_resource(resource, scans); });
    }
    return scans;
  }
  const bool known = is_list(results) || (!results && report.find("SchemaVersion"));
  if (!known) return Error{Errc::invalid_field, "This is no report of Trivy."};
  scans.push_back(read_schema_2(report));
  return scans;
}

}  // namespace muster::feeds
