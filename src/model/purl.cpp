// SPDX-License-Identifier: Apache-2.0
#include "model/purl.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace muster::model {

namespace {

/// What is encoded may be any octets; what comes of it is UTF-8 without NUL.
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
  std::string kept;
  return std::string(well_formed(out, kept));
}

/// Takes what follows the last `separator` off `text`; empty if it has none.
std::string_view take_after(std::string_view& text, char separator) {
  const auto at = text.rfind(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view after = text.substr(at + 1);
  text = text.substr(0, at);
  return after;
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
  return canonical_distro(text);
}

/// A full name in the words of the ecosystem: "group:artifact", "@scope/name", "vendor/name".
std::string name_of_purl(Ecosystem ecosystem, const std::string& space, const std::string& name) {
  if (space.empty() || is_of_distribution(ecosystem)) return name;
  return space + (ecosystem == Ecosystem::maven ? ":" : "/") + name;
}

/// "openssl@3.0.11-1", or the file of an rpm's source: "openssl-1.1.1k-6.el8.src.rpm".
void set_source(Package& package, std::string_view upstream) {
  constexpr std::string_view rpm = ".src.rpm";
  if (!upstream.ends_with(rpm)) {
    package.source_version = take_after(upstream, '@');
    package.source_name = upstream;
    return;
  }
  upstream.remove_suffix(rpm.size());
  const std::string_view release = take_after(upstream, '-');
  const std::string_view version = take_after(upstream, '-');
  if (version.empty() || release.empty()) return;
  package.source_name = upstream;
  package.source_version = std::string(version).append("-").append(release);
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
      set_source(package, value);
    } else if (key == "epoch" && is_of_distribution(package.ecosystem) &&
               package.version.find(':') == std::string::npos) {
      package.version = value + ":" + package.version;
    }
  }
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
  package.ecosystem = parse_ecosystem(path.substr(0, slash));
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
    case Ecosystem::hex:
      return "hex";
    default:
      return "";
  }
}

/// All but unreserved characters, colons and, between the parts of a name, slashes.
void append_encoded(std::string& out, std::string_view text, bool keep_slashes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '~' || c == ':' ||
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
