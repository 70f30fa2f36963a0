// SPDX-License-Identifier: Apache-2.0
#include "feeds/trivy/trivy.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/limits.h"
#include "base/text.h"
#include "feeds/image_builder.h"
#include "feeds/json_members.h"
#include "feeds/trivy/custom_resource.h"
#include "feeds/trivy/entries.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using Scans = std::vector<ImageScan>;

/// What a result says of itself.
struct ResultHead {
  std::string target;
  std::string type;
  std::string kind;  // "os-pkgs", "lang-pkgs"; empty in reports from before schema 2
};

/// One element of `Results`, with what it says of itself read.
class ResultReader {
 public:
  static Result<ResultReader> open(std::string_view text, JsonDocument& document) {
    OpenObject object = TRY(OpenObject::open(text));
    ResultReader result(std::move(object), document);
    const Json head =
        TRY(result.object_.without({"Vulnerabilities", "Packages", "Misconfigurations", "Secrets",
                                    "Licenses", "CustomResources", "ExperimentalModifiedFindings"},
                                   document));
    result.head.target = line_of(head, "Target", limits::path_bytes);
    result.head.type = line_of(head, "Type", limits::name_bytes);
    result.head.kind = line_of(head, "Class", limits::name_bytes);
    return result;
  }

  Result<void> read(ImageBuilder& image, std::string_view distro) const {
    for (const JsonPiece& piece : TRY(elements_of(object_.member("Vulnerabilities")))) {
      const Json entry = TRY(document_->parse(piece.value));
      if (entry.is_object()) {
        image.add(read_trivy_vulnerability(entry, head.type, head.target));
      } else {
        image.skip();
      }
    }
    if (!is_list(object_.member("Packages"))) return {};
    image.list_packages();
    for (const JsonPiece& piece : TRY(elements_of(object_.member("Packages")))) {
      const Json entry = TRY(document_->parse(piece.value));
      if (entry.is_object()) image.add(read_trivy_package(entry, head.type, distro));
    }
    return {};
  }

  ResultHead head;

 private:
  ResultReader(OpenObject object, JsonDocument& document)
      : object_(std::move(object)), document_(&document) {}

  OpenObject object_;
  JsonDocument* document_;
};

/// Calls `each(const ResultReader&) -> Result<void>` for the results of a member, up to a failure.
template <typename F>
Result<void> for_each_result(std::string_view list, JsonDocument& document, F&& each) {
  for (const JsonPiece& piece : TRY(elements_of(list))) {
    if (piece.value.starts_with('{')) {
      const ResultReader result = TRY(ResultReader::open(piece.value, document));
      TRY(each(result));
    } else {
      TRY(document.parse(piece.value));  // also what is no object must be JSON
    }
  }
  return {};
}

Result<void> read_schema_2(const OpenObject& report, Scans& scans) {
  JsonDocument document;
  ImageBuilder image;
  const Json head = TRY(report.without({"Results"}, document));
  image.scan.kind = line_of(head, "ArtifactType", limits::name_bytes);
  image.scan.name = line_of(head, "ArtifactName", limits::path_bytes);
  const auto created = parse_rfc3339(text_of(head, "CreatedAt"));
  if (created.ok()) image.scan.scanned_at = *created;
  if (const auto metadata = object_of(head, "Metadata")) {
    read_trivy_metadata(*metadata, image.scan);
  }
  const std::string distro = distro_of_system(image.scan.os);
  TRY(for_each_result(report.member("Results"), document, [&](const ResultReader& result) {
    // The system of a report on a bill of materials or a cluster is in a target's name only.
    const SystemTarget target = split_target(result.head.target);
    const bool named = distro.empty() && result.head.kind == "os-pkgs";
    return result.read(image, named ? distro_of_system(target.os) : distro);
  }));
  scans.push_back(image.finish());
  return {};
}

/// The bare list of results: schema 1.
Result<void> read_list(std::string_view list, Scans& scans) {
  JsonDocument document;
  ImageBuilder image;
  TRY(for_each_result(list, document, [&](const ResultReader& result) {
    const SystemTarget target = split_target(result.head.target);
    // Of the system's packages; the targets of other results are files in the image.
    if (image.scan.name.empty() && !target.os.empty()) {
      image.scan.name = target.image;
      image.scan.os = target.os;
    }
    return result.read(image, distro_of_system(target.os));
  }));
  scans.push_back(image.finish());
  return {};
}

/// The images of one resource of a cluster. The result about an image's system names it, and what
/// follows up to the next such result is in the same image; images without a system are known by
/// the metadata alone.
class ResourceReader {
 public:
  explicit ResourceReader(Scans& scans) : scans_(scans) {}

  Result<void> read(std::string_view text) {
    const OpenObject resource = TRY(OpenObject::open(text));
    const Json head = TRY(resource.without({"Results", "Metadata"}, document_));
    take_head(head);
    TRY(take_metadata(resource.member("Metadata")));
    if (described_.size() == 1) image_.scan = described_.front();
    TRY(for_each_result(resource.member("Results"), document_,
                        [&](const ResultReader& result) { return take(result); }));
    finish();
    // Those in which nothing was found have no result.
    for (ImageScan& scan : described_) {
      if (!finished_.contains(scan.name)) scans_.push_back(std::move(scan));
    }
    return {};
  }

 private:
  void take_head(const Json& head) {
    for (const std::string_view member : {"Namespace", "Kind", "Name"}) {
      const std::string part = line_of(head, member, limits::name_bytes);
      if (!part.empty()) own_.name += (own_.name.empty() ? "" : "/") + part;
    }
    own_.kind = "kubernetes";
    image_.scan = own_;
  }

  /// An object for one image, a list of them for several.
  Result<void> take_metadata(std::string_view text) {
    if (text.empty()) return {};
    const Json metadata = TRY(document_.parse(text));
    const auto describe = [&](const Json& one) {
      ImageScan scan;
      scan.kind = "container_image";
      read_trivy_metadata(one, scan);
      if (scan.tags.empty() && scan.repo_digests.empty()) return;
      scan.name = scan.tags.empty() ? scan.repo_digests.front() : scan.tags.front();
      described_.push_back(std::move(scan));
    };
    if (metadata.is_object()) describe(metadata);
    if (!metadata.is_array()) return {};
    metadata.for_each([&](const Json& one) {
      if (one.is_object()) describe(one);
    });
    return {};
  }

  Result<void> take(const ResultReader& result) {
    if (result.head.kind == "os-pkgs") begin(split_target(result.head.target));
    return result.read(image_, distro_of_system(image_.scan.os));
  }

  void begin(const SystemTarget& target) {
    const ImageScan* known = described(target.image);
    // The only image's result is about it, whatever its target is called.
    if (known == nullptr && described_.size() == 1 && !begun_) known = &described_.front();
    begun_ = true;
    if (known != nullptr && image_.scan.name == known->name) return;
    finish();
    if (known != nullptr) {
      image_.scan = *known;
      return;
    }
    image_.scan.kind = "container_image";
    image_.scan.name = target.image;
    image_.scan.os = target.os;
  }

  const ImageScan* described(std::string_view name) const {
    for (const ImageScan& scan : described_) {
      const auto named = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      if (named(scan.tags) || named(scan.repo_digests)) return &scan;
    }
    return nullptr;
  }

  /// What a resource has that is of no image is kept under the resource's name, if it is anything.
  void finish() {
    if (image_.scan.kind == own_.kind && image_.empty()) return;
    finished_.insert(image_.scan.name);
    scans_.push_back(image_.finish());
    image_.scan = own_;
  }

  Scans& scans_;
  JsonDocument document_;
  ImageScan own_;
  std::vector<ImageScan> described_;  // by the metadata
  std::set<std::string> finished_;
  bool begun_ = false;  // an image's system was seen
  ImageBuilder image_;
};

Result<void> read_cluster(const OpenObject& report, Scans& scans) {
  for (const std::string_view part : {"Resources", "Findings", "Vulnerabilities"}) {
    for (const JsonPiece& piece : TRY(elements_of(report.member(part)))) {
      if (piece.value.starts_with('{')) TRY(ResourceReader(scans).read(piece.value));
    }
  }
  return {};
}

Error no_report(std::string_view instead) {
  return {Errc::invalid_field,
          "This is no report of Trivy on what is vulnerable" +
              (instead.empty() ? std::string(".") : ": it is " + std::string(instead) + ".")};
}

/// Other things that are taken for a report.
Error refuse(const OpenObject& object, const ResourceKinds& kinds) {
  if (!kinds.other.empty()) return no_report("a resource of kind " + kinds.other);
  if (object.has("matches") && object.has("descriptor")) return no_report("one of Grype");
  if (is_list(object.member("results"))) return no_report("one of OSV-Scanner");
  const bool wazuh = object.member("data").find("\"affected_items\"") != std::string_view::npos;
  if (wazuh || (object.has("hits") && object.has("took"))) return no_report("one of Wazuh");
  if (object.has("artifacts") && object.has("descriptor")) {
    return no_report("Syft's own format; its CycloneDX and SPDX are read");
  }
  return no_report("");
}

/// A list of resources, or lists of them by kind, as `kubectl get` is made to write them.
Result<void> read_resources(std::string_view list, Scans& scans, ResourceKinds& kinds) {
  for (const JsonPiece& piece : TRY(elements_of(list))) {
    if (!piece.value.starts_with('{')) continue;
    const OpenObject object = TRY(OpenObject::open(piece.value));
    if (is_custom_resource(object)) TRY(read_custom_resource(object, scans, kinds));
  }
  return {};
}

Result<void> read_any_list(std::string_view list, Scans& scans) {
  bool resources = false;
  for (const JsonPiece& piece : TRY(elements_of(list))) {
    if (resources || !piece.value.starts_with('{')) continue;
    const OpenObject object = TRY(OpenObject::open(piece.value));
    resources = is_custom_resource(object);
  }
  if (!resources) return read_list(list, scans);
  ResourceKinds kinds;
  TRY(read_resources(list, scans, kinds));
  if (!kinds.known) return no_report("resources of kind " + kinds.other);
  return {};
}

Result<void> read_object(const OpenObject& report, Scans& scans) {
  ResourceKinds kinds;
  if (is_custom_resource(report)) {
    TRY(read_custom_resource(report, scans, kinds));
    return kinds.known ? Result<void>() : refuse(report, kinds);
  }
  const auto listed = [&](std::string_view member) {
    return is_list(report.member(member)) || report.member(member) == "null";
  };
  if (report.has("ClusterName") || listed("Resources") || listed("Findings")) {
    JsonDocument document;
    TRY(report.without({"Resources", "Findings", "Vulnerabilities", "Misconfigurations"},
                       document));
    return read_cluster(report, scans);
  }
  if (listed("Results") || (!report.has("Results") && report.has("SchemaVersion"))) {
    return read_schema_2(report, scans);
  }
  for (const JsonPiece& piece : report.pieces()) {
    if (piece.key.ends_with(".aquasecurity.github.io")) {
      TRY(read_resources(piece.value, scans, kinds));
    }
  }
  return kinds.known ? Result<void>() : refuse(report, kinds);
}

}  // namespace

Result<Scans> read_trivy(std::string_view text) {
  text = trim(text);
  Scans scans;
  if (text.starts_with('{')) {
    const OpenObject report = TRY(OpenObject::open(text));
    TRY(read_object(report, scans));
  } else if (text.starts_with('[')) {
    TRY(read_any_list(text, scans));
  } else {
    JsonDocument document;
    const Json value = TRY(document.parse(text));
    if (!value.is_null()) return no_report("");
    TRY(read_list("[]", scans));
  }
  return scans;
}

}  // namespace muster::feeds
