// SPDX-License-Identifier: Apache-2.0
#include "model/purl.h"

namespace muster::model {

namespace {

std::string_view purl_type(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::maven:
      return "maven";
    case Ecosystem::npm:
      return "npm";
    case Ecosystem::pypi:
      return "pypi";
    case Ecosystem::gem:
      return "gem";
    case Ecosystem::go:
      return "golang";
    case Ecosystem::nuget:
      return "nuget";
    case Ecosystem::cargo:
      return "cargo";
    case Ecosystem::composer:
      return "composer";
    default:
      return "";
  }
}

/// All but unreserved characters, colons and, between the parts of a name, slashes.
void append_encoded(std::string& out, std::string_view text, bool keep_slashes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_' || c == '~' || c == ':' ||
                       (c == '/' && keep_slashes);
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[octet >> 4]);
    out.push_back(digits[octet & 15]);
  }
}

}  // namespace

std::string purl_of(const Package& package) {
  const std::string_view type = purl_type(package.ecosystem);
  if (type.empty()) return {};
  std::string name = package.ecosystem == Ecosystem::pypi
                         ? canonical_package_name(package.ecosystem, package.name)
                         : package.name;
  if (package.ecosystem == Ecosystem::maven) {
    if (const std::size_t colon = name.find(':'); colon != std::string::npos) name[colon] = '/';
  }
  std::string purl = "pkg:" + std::string(type) + "/";
  append_encoded(purl, name, true);
  if (package.version.empty()) return purl;
  purl.push_back('@');
  append_encoded(purl, package.version, false);
  return purl;
}

}  // namespace muster::model
