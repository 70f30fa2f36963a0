// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/scan_input.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "feeds/image_report.h"

namespace muster::ctl {

namespace {

using model::Ecosystem;
using model::Package;

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

Ecosystem ecosystem_of_distro(std::string_view distro) {
  const std::string_view name = distro.substr(0, distro.find(':'));
  if (name == "debian" || name == "ubuntu") return Ecosystem::deb;
  if (name == "alpine" || name == "wolfi" || name == "chainguard") return Ecosystem::apk;
  if (name == "arch") return Ecosystem::pacman;
  for (const std::string_view each : {"rhel", "centos", "almalinux", "rocky", "oracle", "amazon",
                                      "fedora", "sles", "opensuse-leap", "opensuse-tumbleweed"}) {
    if (name == each) return Ecosystem::rpm;
  }
  return Ecosystem::unknown;
}

/// Names come from files of others: too long or with controls is no name.
bool is_sound(const Package& package) {
  return !package.name.empty() && package.name.size() <= limits::name_bytes &&
         package.version.size() <= limits::version_bytes && is_plain_text(package.name) &&
         is_plain_text(package.version);
}

void add(ScanInput& input, Package package) {
  if (is_sound(package)) input.packages.push_back(std::move(package));
}

/// "debian 12.5": the system's name up to its release.
void set_system(ScanInput& input, const std::string& os) {
  const auto space = os.rfind(' ');
  input.os_name = os.substr(0, space);
  if (space != std::string::npos) input.os_version = os.substr(space + 1);
}

/// A report that lists no packages has those that it finds vulnerable.
void add_vulnerable(ScanInput& input, const model::ImageScan& scan) {
  const std::string distro = model::distro_of_os(scan.os, "");
  for (const model::ImageVulnerability& one : scan.vulnerabilities) {
    for (const auto& place : one.places) {
      Package package;
      package.ecosystem = model::ecosystem_of_scanner_type(one.type);
      package.name = one.package;
      package.version = place.version;
      if (model::is_of_distribution(package.ecosystem)) package.distro = distro;
      if (is_sound(package)) input.packages.push_back(std::move(package));
    }
  }
}

Result<ScanInput> read_scanned(std::string_view text) {
  ScanInput input;
  for (model::ImageScan& scan : TRY(feeds::read_image_report(text))) {
    if (!scan.os.empty()) set_system(input, scan.os);
    input.judged = input.judged || scan.judged;
    if (scan.packages) {
      for (Package& package : *scan.packages) {
        if (is_sound(package)) input.packages.push_back(std::move(package));
      }
    } else {
      add_vulnerable(input, scan);
    }
    input.images.push_back(std::move(scan));
  }
  std::sort(input.packages.begin(), input.packages.end());
  const auto last = std::unique(input.packages.begin(), input.packages.end());
  input.packages.erase(last, input.packages.end());
  return input;
}

Result<void> read_list(ScanInput& input, const Json& list, std::string_view name,
                       std::string_view distro) {
  if (!list.is_array()) return invalid_field(std::string(name), "must be an array");
  Result<void> outcome;
  std::size_t index = 0;
  list.for_each([&](const Json& item) {
    if (!outcome.ok()) return;
    auto package = read_scan_package(item);
    if (!package.ok()) {
      outcome = invalid_field(std::string(name) + "[" + std::to_string(index) + "]",
                              package.error().message);
      return;
    }
    ++index;
    if (package->distro.empty() && model::is_of_distribution(package->ecosystem)) {
      package->distro = distro;
    }
    add(input, std::move(*package));
  });
  return outcome;
}

Result<ScanInput> read_report(const Json& root) {
  ScanInput input;
  const auto os = root.find("os");
  input.os_name = os && os->is_object() ? text_of(*os, "name") : text_of(root, "os");
  if (os && os->is_object()) input.os_version = text_of(*os, "version");
  const std::string distro = model::distro_of_os(input.os_name, input.os_version);
  bool found = false;
  for (const std::string_view name : {"software", "products"}) {
    const auto list = root.find(name);
    if (!list) continue;
    found = true;
    TRY(read_list(input, *list, name, distro));
  }
  if (!found) {
    return invalid_field("file", "is no inventory report (software), no CycloneDX and no SPDX");
  }
  return input;
}

}  // namespace

Result<Package> read_scan_package(const Json& object) {
  if (!object.is_object()) return Error{Errc::invalid_field, "a package must be an object"};
  Fields fields(object);
  const auto text = [&](std::string_view name, std::size_t bytes_max) {
    return std::string(trim(fields.optional_text(name, bytes_max).value_or("")));
  };
  Package package;
  package.name = text(fields.has("name") ? "name" : "product", limits::name_bytes);
  package.version = text("distro_package_version", limits::version_bytes);
  if (package.version.empty()) package.version = text("version", limits::version_bytes);
  package.vendor = text("vendor", limits::vendor_bytes);
  package.distro = text("distro", limits::name_bytes);
  package.source_name = text("source_name", limits::name_bytes);
  package.source_version = text("source_version", limits::version_bytes);
  package.arch = text("arch", limits::name_bytes);
  package.cpe = text("cpe", limits::cpe_bytes);
  const std::string ecosystem = text("ecosystem", limits::name_bytes);
  TRY(fields.finish());
  if (package.name.empty()) return Error{Errc::missing_field, "name: is required", "name"};
  if (!package.distro.empty()) package.distro = model::canonical_distro(package.distro);
  package.ecosystem =
      ecosystem.empty() ? ecosystem_of_distro(package.distro) : model::parse_ecosystem(ecosystem);
  return package;
}

Result<ScanInput> read_scan_input(std::string_view text) {
  JsonDocument document;
  const Json root = TRY(document.parse(text));
  if (root.is_object() && (root.find("software") || root.find("products"))) {
    return read_report(root);
  }
  auto input = read_scanned(text);
  if (input.ok()) return input;
  if (text_of(root, "hostname").empty()) {
    return invalid_field("file", "is no inventory report (software), no CycloneDX, no SPDX and " +
                                     std::string("no report of Trivy: ") + input.error().message);
  }
  return read_report(root);
}

}  // namespace muster::ctl
