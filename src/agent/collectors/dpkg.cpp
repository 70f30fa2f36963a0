// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/dpkg.h"

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "base/text.h"

namespace muster::agent {

namespace {

/// The fields of a stanza that matter here, as written.
struct Stanza {
  std::string_view package;
  std::string_view status;
  std::string_view version;
  std::string_view architecture;
  std::string_view source;
  bool broken = false;
};

void read_field(Stanza& stanza, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    stanza.broken = true;
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_folded(name, "Package")) stanza.package = value;
  if (equal_folded(name, "Status")) stanza.status = value;
  if (equal_folded(name, "Version")) stanza.version = value;
  if (equal_folded(name, "Architecture")) stanza.architecture = value;
  if (equal_folded(name, "Source")) stanza.source = value;
}

/// "want flag state": the last word says what is on the disk.
bool is_absent(std::string_view status) {
  const std::string_view state = status.substr(status.rfind(' ') + 1);
  return state == "not-installed" || state == "config-files" || state == "half-installed";
}

bool usable(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_plain_text(text);
}

/// "openssl" or "glibc (2.36-9+deb12u7)": the version is there only where it differs.
void read_source(std::string_view source, model::Package& package) {
  const std::size_t open = source.find('(');
  const std::string_view name = trim(source.substr(0, open));
  package.source_name = name.empty() ? package.name : std::string(name);
  package.source_version = package.version;
  if (open == std::string_view::npos) return;
  const std::string_view rest = source.substr(open + 1);
  const std::string_view version = trim(rest.substr(0, rest.find(')')));
  if (!version.empty()) package.source_version = version;
}

void take_stanza(const Stanza& stanza, std::string_view distro, DpkgFile file, DpkgStatus& out) {
  const bool stateless = stanza.status.empty() && file == DpkgFile::status;
  if (stanza.broken || stanza.package.empty() || stateless) {
    ++out.malformed;
    return;
  }
  if (is_absent(stanza.status)) {
    ++out.not_installed;
    return;
  }
  if (stanza.version.empty() || !usable(stanza.package, limits::name_bytes) ||
      !usable(stanza.version, limits::version_bytes) ||
      !usable(stanza.source, limits::name_bytes + limits::version_bytes) ||
      !usable(stanza.architecture, limits::name_bytes)) {
    ++out.malformed;
    return;
  }
  if (out.packages.size() == limits::software_items) {
    ++out.beyond_limit;
    return;
  }
  model::Package package;
  package.name = stanza.package;
  package.version = stanza.version;
  package.ecosystem = model::Ecosystem::deb;
  package.distro = distro;
  package.arch = stanza.architecture;
  read_source(stanza.source, package);
  out.packages.push_back(std::move(package));
}

}  // namespace

DpkgStatus parse_dpkg_status(std::string_view text, std::string_view distro, DpkgFile file) {
  DpkgStatus out;
  while (!text.empty()) {
    Stanza stanza;
    bool empty = true;
    const std::size_t before = text.size();
    while (!text.empty()) {
      const std::string_view line = take_line(text);
      if (line.empty()) break;
      empty = false;
      const bool continues = line.front() == ' ' || line.front() == '\t';
      if (!continues) read_field(stanza, line);
    }
    if (empty) continue;
    if (before - text.size() > bounds::dpkg_stanza_bytes) stanza.broken = true;
    take_stanza(stanza, distro, file, out);
  }
  return out;
}

}  // namespace muster::agent
