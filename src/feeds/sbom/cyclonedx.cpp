// SPDX-License-Identifier: Apache-2.0
#include "feeds/sbom/cyclonedx.h"

#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "base/scan_limits.h"
#include "base/text.h"
#include "feeds/image_builder.h"
#include "model/purl.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using model::ImageVulnerability;
using model::Package;
using model::Severity;

/// Members of Trivy's own stand in a list of names and values, all beginning like this.
constexpr std::string_view trivy_prefix = "aquasecurity:trivy:";

template <typename F>
void for_each_property(const Json& component, F&& each) {
  for_each_object(component, "properties", [&](const Json& property) {
    std::string_view name = text_of(property, "name");
    if (!name.starts_with(trivy_prefix)) return;
    name.remove_prefix(trivy_prefix.size());
    each(name, line_of(property, "value", limits::image_reference_bytes));
  });
}

/// What a vulnerability's `affects` refers to.
struct Component {
  std::string name;
  std::string version;
  std::string type;
  std::string path;
};

class BillReader {
 public:
  Result<ImageScan> read(const OpenObject& bill) {
    TRY(take_subject(bill.member("metadata")));
    image_.list_packages();
    refers_ = bill.member("vulnerabilities").size() > std::string_view("[]").size();
    for (const JsonPiece& piece : TRY(elements_of(bill.member("components")))) {
      const Json component = TRY(document_.parse(piece.value));
      if (component.is_object()) take_component(component);
    }
    TRY(take_vulnerabilities(bill.member("vulnerabilities")));
    const std::string distro = distro_of_system(image_.scan.os);
    for (Package& package : *image_.scan.packages) {
      if (package.distro.empty() && model::is_of_distribution(package.ecosystem)) {
        package.distro = distro;
      }
    }
    return image_.finish();
  }

 private:
  Result<void> take_subject(std::string_view text) {
    if (!text.starts_with('{')) return {};
    const Json metadata = TRY(document_.parse(text));
    const auto at = parse_rfc3339(text_of(metadata, "timestamp"));
    if (at.ok()) image_.scan.scanned_at = *at;
    const auto subject = object_of(metadata, "component");
    if (!subject) return {};
    ImageScan& scan = image_.scan;
    scan.name = line_of(*subject, "name", limits::path_bytes);
    scan.kind = text_of(*subject, "type") == "container"
                    ? "container_image"
                    : line_of(*subject, "type", limits::name_bytes);
    for_each_property(*subject, [&](std::string_view name, std::string value) {
      if (name == "ImageID" && model::is_image_digest(value)) scan.digest = value;
      if (name == "RepoTag" && scan.tags.size() < limits::image_tags) scan.tags.push_back(value);
      if (name == "RepoDigest" && scan.repo_digests.size() < limits::image_tags) {
        scan.repo_digests.push_back(value);
      }
    });
    return {};
  }

  void take_component(const Json& component) {
    const std::string_view type = text_of(component, "type");
    if (type == "operating-system") {
      image_.scan.os = line_of(component, "name", limits::os_bytes);
      const std::string release = line_of(component, "version", limits::os_bytes);
      if (!release.empty()) image_.scan.os += (image_.scan.os.empty() ? "" : " ") + release;
    } else if (type != "file") {
      take_package(component, type);
    }
    for_each_object(component, "components", [&](const Json& each) { take_component(each); });
  }

  void take_package(const Json& component, std::string_view type) {
    Package package = model::package_of_purl(text_of(component, "purl")).value_or(Package{});
    if (package.name.empty()) package.name = text_of(component, "name");
    if (package.version.empty()) package.version = text_of(component, "version");
    package.vendor = text_of(component, "publisher");
    package.cpe = text_of(component, "cpe");
    // Trivy's component for a lock file.
    if (type == "application" && package.version.empty() && package.cpe.empty()) return;
    Component referred;
    std::string source_version;
    std::string source_release;
    std::string source_epoch;
    for_each_property(component, [&](std::string_view name, std::string value) {
      if (name == "PkgType" || name == "Type") referred.type = value;
      if (name == "FilePath") referred.path = value;
      if (name == "SrcName") package.source_name = value;
      if (name == "SrcVersion") source_version = value;
      if (name == "SrcRelease") source_release = value;
      if (name == "SrcEpoch") source_epoch = value;
    });
    if (package.ecosystem == model::Ecosystem::unknown && !referred.type.empty()) {
      package.ecosystem = model::ecosystem_of_scanner_type(referred.type);
    }
    if (!source_version.empty()) {
      if (!source_release.empty()) source_version += "-" + source_release;
      const bool epoch = !source_epoch.empty() && source_epoch != "0";
      if (epoch && source_version.find(':') == std::string::npos) {
        source_version = source_epoch + ":" + source_version;
      }
      package.source_version = source_version;
    }
    if (refers_) {
      if (referred.type.empty()) referred.type = model::ecosystem_name(package.ecosystem);
      referred.name = package.name;
      referred.version = package.version;
      components_.emplace(text_of(component, "bom-ref"), std::move(referred));
    }
    image_.add(std::move(package));
  }

  Result<void> take_vulnerabilities(std::string_view list) {
    const std::vector<JsonPiece> pieces = TRY(elements_of(list));
    // Trivy writes an empty list also when it did not look.
    image_.scan.judged = !pieces.empty();
    for (const JsonPiece& piece : pieces) {
      const Json entry = TRY(document_.parse(piece.value));
      entry.is_object() ? take_vulnerability(entry) : image_.skip();
    }
    return {};
  }

  void take_vulnerability(const Json& entry) {
    ImageVulnerability said;
    said.id = line_of(entry, "id", limits::name_bytes);
    said.title = line_of(entry, "description", limits::title_bytes);
    if (const auto source = object_of(entry, "source")) {
      said.source = line_of(*source, "name", limits::name_bytes);
    }
    said.severity = severity_of(entry, said.source);
    for_each_object(entry, "advisories", [&](const Json& advisory) {
      if (said.url.empty()) said.url = line_of(advisory, "url", limits::url_bytes);
    });
    said.status = status_of(entry);
    const std::string_view advice = text_of(entry, "recommendation");
    bool named = false;
    for_each_object(entry, "affects", [&](const Json& affected) {
      const auto found = components_.find(std::string(text_of(affected, "ref")));
      if (found == components_.end()) return;
      const Component& component = found->second;
      ImageVulnerability one = said;
      one.type = component.type;
      one.package = component.name;
      one.places.push_back({"", component.path, component.version, fix_of(advice, component.name)});
      if (one.status == model::FixStatus::affected && !one.places[0].fixed_version.empty()) {
        one.status = model::FixStatus::fixed;
      }
      image_.add(std::move(one));
      named = true;
    });
    if (!named) image_.skip();
  }

  /// By the source that the vulnerability is from, else the gravest.
  static Severity severity_of(const Json& entry, std::string_view source) {
    Severity gravest = Severity::unknown;
    std::optional<Severity> own;
    for_each_object(entry, "ratings", [&](const Json& rating) {
      const auto severity = model::parse_severity(text_of(rating, "severity"));
      if (!severity) return;
      gravest = std::max(gravest, *severity);
      const auto by = object_of(rating, "source");
      if (!own && by && text_of(*by, "name") == source) own = severity;
    });
    return own.value_or(gravest);
  }

  static model::FixStatus status_of(const Json& entry) {
    const auto analysis = object_of(entry, "analysis");
    const std::string_view state = analysis ? text_of(*analysis, "state") : std::string_view();
    const bool harmless =
        state == "not_affected" || state == "false_positive" || state == "resolved";
    return harmless ? model::FixStatus::not_affected : model::FixStatus::affected;
  }

  /// Trivy's advice is "Upgrade NAME to version VERSION", several with semicolons between them.
  static std::string fix_of(std::string_view advice, std::string_view package) {
    const std::string wanted = "Upgrade " + std::string(package) + " to version ";
    const auto at = advice.find(wanted);
    if (at == std::string_view::npos) return {};
    const std::string_view version = advice.substr(at + wanted.size());
    return std::string(trim(version.substr(0, version.find(';'))));
  }

  JsonDocument document_;
  ImageBuilder image_;
  bool refers_ = false;  // something refers to components
  std::unordered_map<std::string, Component> components_;
};

}  // namespace

Result<ImageScan> read_cyclonedx(const OpenObject& bill) {
  // What is not read apart must be JSON too.
  JsonDocument document;
  TRY(bill.without({"metadata", "components", "vulnerabilities"}, document));
  return BillReader().read(bill);
}

}  // namespace muster::feeds
