// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/scan_input.h"

#include "base/limits.h"
#include "base/text.h"

namespace muster::ctl {

namespace {

using model::Ecosystem;
using model::Package;

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Takes what follows the last `separator` off `text`; empty if it has none.
std::string_view take_after(std::string_view& text, char separator) {
  const auto at = text.rfind(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view after = text.substr(at + 1);
  text = text.substr(0, at);
  return after;
}

Ecosystem ecosystem_of_distro(std::string_view distro) {
  const std::string_view name = distro.substr(0, distro.find(':'));
  if (name == "debian" || name == "ubuntu") return Ecosystem::deb;
  if (name == "alpine") return Ecosystem::apk;
  if (name == "arch") return Ecosystem::pacman;
  for (const std::string_view each : {"rhel", "centos", "almalinux", "rocky", "oracle", "amazon",
                                      "fedora", "sles", "opensuse-leap"}) {
    if (name == each) return Ecosystem::rpm;
  }
  return Ecosystem::unknown;
}

/// "debian-12", "debian:bookworm" and "bookworm" of a Debian package -> "debian:12".
std::string distro_of_qualifier(std::string_view distro, std::string_view vendor) {
  std::string text(distro);
  if (const auto dash = text.rfind('-');
      dash != std::string::npos && text.find(':') == std::string::npos) {
    text[dash] = ':';
  }
  if (text.find(':') == std::string::npos && !vendor.empty()) {
    text = std::string(vendor) + ":" + text;
  }
  return model::canonical_distro(text);
}

/// A full name in the words of the ecosystem: "group:artifact", "@scope/name", "vendor/name".
std::string name_of_purl(Ecosystem ecosystem, const std::string& space, const std::string& name) {
  if (space.empty() || model::is_of_distribution(ecosystem)) return name;
  return space + (ecosystem == Ecosystem::maven ? ":" : "/") + name;
}

void set_qualifiers(Package& package, std::string_view qualifiers, std::string_view space) {
  while (!qualifiers.empty()) {
    const std::string_view pair = qualifiers.substr(0, qualifiers.find('&'));
    qualifiers.remove_prefix(std::min(pair.size() + 1, qualifiers.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string value = decode_percent(pair.substr(std::min(equals + 1, pair.size())));
    const std::string_view key = pair.substr(0, equals);
    if (key == "arch") {
      package.arch = value;
    } else if (key == "distro") {
      package.distro = distro_of_qualifier(value, space);
    } else if (key == "upstream") {
      std::string_view name = value;
      package.source_version = take_after(name, '@');
      package.source_name = name;
    } else if (key == "epoch" && package.ecosystem == Ecosystem::rpm) {
      package.version = value + ":" + package.version;
    }
  }
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

void read_component(ScanInput& input, const Json& component) {
  const std::string_view type = text_of(component, "type");
  if (type == "operating-system") {
    input.os_name = text_of(component, "name");
    input.os_version = text_of(component, "version");
  } else if (type != "file") {
    Package package = package_of_purl(text_of(component, "purl")).value_or(Package{});
    if (package.name.empty()) package.name = text_of(component, "name");
    if (package.version.empty()) package.version = text_of(component, "version");
    package.vendor = text_of(component, "publisher");
    package.cpe = text_of(component, "cpe");
    add(input, std::move(package));
  }
  if (const auto inner = component.find("components"); inner && inner->is_array()) {
    inner->for_each([&](const Json& each) { read_component(input, each); });
  }
}

ScanInput read_cyclonedx(const Json& root) {
  ScanInput input;
  if (const auto components = root.find("components"); components && components->is_array()) {
    components->for_each([&](const Json& each) { read_component(input, each); });
  }
  return input;
}

ScanInput read_spdx(const Json& root) {
  ScanInput input;
  const auto packages = root.find("packages");
  if (!packages || !packages->is_array()) return input;
  packages->for_each([&](const Json& element) {
    Package package;
    std::string cpe;
    if (const auto references = element.find("externalRefs");
        references && references->is_array()) {
      references->for_each([&](const Json& each) {
        const std::string_view type = text_of(each, "referenceType");
        const std::string_view locator = text_of(each, "referenceLocator");
        if (type == "purl") package = package_of_purl(locator).value_or(package);
        if (type.ends_with("cpe23Type") || type.ends_with("cpe22Type")) {
          if (cpe.empty()) cpe = locator;
        }
      });
    }
    if (package.name.empty()) package.name = text_of(element, "name");
    if (package.version.empty()) package.version = text_of(element, "versionInfo");
    std::string_view supplier = text_of(element, "supplier");
    constexpr std::string_view organization = "Organization: ";
    if (supplier.starts_with(organization)) supplier.remove_prefix(organization.size());
    package.vendor = supplier == "NOASSERTION" ? std::string_view{} : supplier;
    package.cpe = cpe;
    add(input, std::move(package));
  });
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

std::optional<Package> package_of_purl(std::string_view purl) {
  constexpr std::string_view prefix = "pkg:";
  if (!purl.starts_with(prefix)) return std::nullopt;
  purl.remove_prefix(prefix.size());
  take_after(purl, '#');
  const auto question = std::min(purl.find('?'), purl.size());
  const std::string_view qualifiers = purl.substr(std::min(question + 1, purl.size()));
  std::string_view path = purl.substr(0, question);
  while (path.starts_with('/')) path.remove_prefix(1);
  Package package;
  // The version is after the last @; a scope's own is encoded as %40 or stands after a slash.
  const auto at = path.rfind('@');
  if (at != std::string_view::npos && at > 0 && path[at - 1] != '/') {
    package.version = decode_percent(path.substr(at + 1));
    path = path.substr(0, at);
  }
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  package.ecosystem = model::parse_ecosystem(path.substr(0, slash));
  std::string_view space = path.substr(slash + 1);
  std::string_view name = space;
  if (const auto last = space.rfind('/'); last != std::string_view::npos) {
    name = space.substr(last + 1);
    space = space.substr(0, last);
  } else {
    space = {};
  }
  package.name = name_of_purl(package.ecosystem, decode_percent(space), decode_percent(name));
  set_qualifiers(package, qualifiers, space);
  if (package.name.empty()) return std::nullopt;
  return package;
}

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
  if (!root.is_object()) return invalid_field("file", "must be a JSON object");
  ScanInput input;
  if (text_of(root, "bomFormat") == "CycloneDX") {
    input = read_cyclonedx(root);
  } else if (root.find("spdxVersion")) {
    input = read_spdx(root);
  } else {
    return read_report(root);
  }
  const std::string distro = model::distro_of_os(input.os_name, input.os_version);
  for (Package& package : input.packages) {
    if (package.distro.empty() && model::is_of_distribution(package.ecosystem)) {
      package.distro = distro;
    }
  }
  return input;
}

}  // namespace muster::ctl
