// SPDX-License-Identifier: Apache-2.0
#include "feeds/sbom/spdx.h"

#include "base/limits.h"
#include "base/text.h"
#include "feeds/image_builder.h"
#include "model/purl.h"

namespace muster::feeds {

namespace {

using model::ImageScan;
using model::Package;

/// "Organization: Debian" without the word; nothing for one who is not named.
std::string_view supplier_of(const Json& element) {
  std::string_view supplier = text_of(element, "supplier");
  constexpr std::string_view organization = "Organization: ";
  if (supplier.starts_with(organization)) supplier.remove_prefix(organization.size());
  return supplier == "NOASSERTION" ? std::string_view{} : supplier;
}

/// Calls `each(name, value)` for the remarks of Trivy's about a package: "ImageID: sha256:…".
template <typename F>
void for_each_remark(const Json& element, F&& each) {
  const auto take = [&](std::string_view text) {
    const auto colon = text.find(": ");
    if (colon == std::string_view::npos) return;
    each(text.substr(0, colon), std::string(trim(text.substr(colon + 2))));
  };
  for_each_object(element, "annotations",
                  [&](const Json& remark) { take(text_of(remark, "comment")); });
  // Before SPDX 2.3 was written with annotations.
  if (const auto texts = element.find("attributionTexts"); texts && texts->is_array()) {
    texts->for_each([&](const Json& text) { take(text.string().value_or("")); });
  }
}

void take_subject(const Json& element, ImageScan& scan) {
  scan.kind = "container_image";
  scan.name = line_of(element, "name", limits::path_bytes);
  for_each_remark(element, [&](std::string_view name, const std::string& value) {
    if (value.size() > limits::image_reference_bytes || !is_plain_text(value)) return;
    if (name == "ImageID" && model::is_image_digest(value)) scan.digest = value;
    if (name == "RepoTag" && scan.tags.size() < limits::image_tags) scan.tags.push_back(value);
    if (name == "RepoDigest" && scan.repo_digests.size() < limits::image_tags) {
      scan.repo_digests.push_back(value);
    }
  });
}

void take_references(const Json& element, Package& package) {
  std::string cpe;
  for_each_object(element, "externalRefs", [&](const Json& each) {
    const std::string_view type = text_of(each, "referenceType");
    const std::string_view locator = text_of(each, "referenceLocator");
    if (type == "purl") package = model::package_of_purl(locator).value_or(package);
    const bool is_cpe = type.ends_with("cpe23Type") || type.ends_with("cpe22Type");
    if (is_cpe && cpe.empty()) cpe = locator;
  });
  package.cpe = cpe;
}

/// "built package from: openssl 1.1.1n-0+deb11u5".
void take_source(std::string_view text, Package& package) {
  constexpr std::string_view built_from = "built package from: ";
  if (!text.starts_with(built_from) || !model::is_of_distribution(package.ecosystem)) return;
  text.remove_prefix(built_from.size());
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return;
  package.source_name = text.substr(0, space);
  package.source_version = trim(text.substr(space + 1));
}

void take_package(const Json& element, ImageBuilder& image) {
  const std::string_view purpose = text_of(element, "primaryPackagePurpose");
  if (purpose == "CONTAINER") return take_subject(element, image.scan);
  if (purpose == "OPERATING-SYSTEM") {
    image.scan.os = line_of(element, "name", limits::os_bytes);
    const std::string release = line_of(element, "versionInfo", limits::os_bytes);
    if (!release.empty()) image.scan.os += " " + release;
    return;
  }
  Package package;
  take_references(element, package);
  if (package.name.empty()) package.name = text_of(element, "name");
  if (package.version.empty()) package.version = text_of(element, "versionInfo");
  package.vendor = supplier_of(element);
  take_source(text_of(element, "sourceInfo"), package);
  // The folder or repository that was looked at, and files that list packages.
  const bool is_place = purpose == "SOURCE" || purpose == "APPLICATION";
  if (is_place && package.version.empty() && package.cpe.empty()) {
    if (purpose == "SOURCE") image.scan.name = line_of(element, "name", limits::path_bytes);
    return;
  }
  image.add(std::move(package));
}

}  // namespace

Result<ImageScan> read_spdx(const OpenObject& bill) {
  JsonDocument document;
  ImageBuilder image;
  const Json head = TRY(bill.without({"packages", "files", "relationships"}, document));
  image.scan.judged = false;
  image.scan.name = line_of(head, "name", limits::path_bytes);
  if (const auto creation = object_of(head, "creationInfo")) {
    const auto at = parse_rfc3339(text_of(*creation, "created"));
    if (at.ok()) image.scan.scanned_at = *at;
  }
  image.list_packages();
  for (const JsonPiece& piece : TRY(elements_of(bill.member("packages")))) {
    const Json element = TRY(document.parse(piece.value));
    if (element.is_object()) take_package(element, image);
  }
  const std::string distro = distro_of_system(image.scan.os);
  for (Package& package : *image.scan.packages) {
    if (package.distro.empty() && model::is_of_distribution(package.ecosystem)) {
      package.distro = distro;
    }
  }
  return image.finish();
}

}  // namespace muster::feeds
