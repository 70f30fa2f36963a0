// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/image_bill.h"

#include "base/json_write.h"
#include "base/text.h"
#include "model/purl.h"

namespace muster::agent {

namespace {

/// All but the characters that mean themselves in every part of a package URL.
std::string encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += {'%', digits[octet >> 4U], digits[octet & 15U]};
  }
  return out;
}

void write_property(JsonWriter& json, std::string_view name, std::string_view value) {
  json.begin_object()
      .member("name", "aquasecurity:trivy:" + std::string(name))
      .member("value", value)
      .end_object();
}

void write_component(JsonWriter& json, const model::Package& package) {
  json.begin_object()
      .member("type", "library")
      .member("name", package.name)
      .member("version", package.version);
  if (const std::string url = package_url(package); !url.empty()) json.member("purl", url);
  json.key("properties").begin_array();
  write_property(json, "PkgType", model::ecosystem_name(package.ecosystem));
  if (!package.source_name.empty()) write_property(json, "SrcName", package.source_name);
  if (!package.source_version.empty()) write_property(json, "SrcVersion", package.source_version);
  json.end_array().end_object();
}

}  // namespace

std::string package_url(const model::Package& package) {
  if (!model::is_of_distribution(package.ecosystem)) return model::purl_of(package);
  const bool pacman = package.ecosystem == model::Ecosystem::pacman;
  const std::string type = pacman ? "alpm" : std::string(model::ecosystem_name(package.ecosystem));
  const std::size_t colon = package.distro.find(':');
  const std::string vendor = package.distro.substr(0, colon);
  std::string url = "pkg:" + type + "/" + (vendor.empty() ? "" : encode(vendor) + "/") +
                    encode(package.name) + "@" + encode(package.version);
  std::string qualifiers;
  if (!package.arch.empty()) qualifiers = "arch=" + encode(package.arch);
  if (colon != std::string::npos) {
    qualifiers += qualifiers.empty() ? "" : "&";
    qualifiers += "distro=" + encode(vendor + "-" + package.distro.substr(colon + 1));
  }
  return qualifiers.empty() ? url : url + "?" + qualifiers;
}

std::string bill_of_image(const LocalImage& image, const OsRelease& os,
                          const std::vector<model::Package>& packages) {
  JsonWriter json;
  json.begin_object()
      .member("bomFormat", "CycloneDX")
      .member("specVersion", "1.5")
      .member("version", 1)
      .key("metadata")
      .begin_object()
      .key("component")
      .begin_object()
      .member("type", "container")
      .member("name", image.references.front())
      .key("properties")
      .begin_array();
  write_property(json, "ImageID", image.digest);
  for (const std::string& reference : image.references) write_property(json, "RepoTag", reference);
  json.end_array().end_object().end_object().key("components").begin_array();
  if (!os.id.empty()) {
    json.begin_object().member("type", "operating-system").member("name", fold_case(os.id));
    if (!os.version.empty()) json.member("version", os.version);
    json.end_object();
  }
  for (const model::Package& package : packages) write_component(json, package);
  json.end_array().end_object();
  return json.take();
}

}  // namespace muster::agent
