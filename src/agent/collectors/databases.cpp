// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/databases.h"

#include <cstdint>
#include <optional>
#include <string>

#include "agent/collectors/texts.h"
#include "base/text.h"

namespace muster::agent {

namespace {

model::Package package_of(model::Ecosystem ecosystem, std::string_view distro) {
  model::Package package;
  package.ecosystem = ecosystem;
  package.distro = distro;
  return package;
}

void add_entry(model::Package& package, Found& found) {
  if (!package.source_name.empty()) package.source_version = package.version;
  found.add(std::move(package));
}

// --- rpm -----------------------------------------------------------------------------------------

enum Tag : std::uint32_t {
  tag_name = 1000,
  tag_version = 1001,
  tag_release = 1002,
  tag_epoch = 1003,
  tag_arch = 1022,
  tag_source_rpm = 1044,
};
constexpr std::uint32_t type_int32 = 4;
constexpr std::uint32_t type_string = 6;
constexpr std::size_t entry_bytes = 16;
constexpr std::uint32_t entries_max = 0xffff;  // rpm's own bound

std::uint32_t read_u32(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(text[at + i]);
  }
  return value;
}

/// A header cut into its index and its store.
struct RpmHeader {
  std::string_view index;
  std::string_view store;

  static std::optional<RpmHeader> cut(std::string_view blob) {
    if (blob.size() < 8) return std::nullopt;
    const std::uint32_t entries = read_u32(blob, 0);
    const std::uint32_t bytes = read_u32(blob, 4);
    if (entries == 0 || entries > entries_max) return std::nullopt;
    blob.remove_prefix(8);
    if (blob.size() < entries * entry_bytes || blob.size() - entries * entry_bytes < bytes) {
      return std::nullopt;
    }
    return RpmHeader{blob.substr(0, entries * entry_bytes),
                     blob.substr(entries * entry_bytes, bytes)};
  }

  /// The store from where the value of `tag` begins; nothing if it has none of that type.
  std::optional<std::string_view> find(std::uint32_t tag, std::uint32_t type) const {
    for (std::size_t at = 0; at + entry_bytes <= index.size(); at += entry_bytes) {
      if (read_u32(index, at) != tag) continue;
      const std::uint32_t offset = read_u32(index, at + 8);
      if (read_u32(index, at + 4) != type || offset >= store.size()) return std::nullopt;
      return store.substr(offset);
    }
    return std::nullopt;
  }

  std::string_view text(std::uint32_t tag) const {
    const auto value = find(tag, type_string);
    if (!value) return {};
    const std::size_t end = value->find('\0');
    return end == std::string_view::npos ? std::string_view() : value->substr(0, end);
  }

  std::optional<std::uint32_t> number(std::uint32_t tag) const {
    const auto value = find(tag, type_int32);
    if (!value || value->size() < 4) return std::nullopt;
    return read_u32(*value, 0);
  }
};

/// "openssl-3.0.7-27.el9.src.rpm" is of the source package "openssl", in "3.0.7-27.el9".
void read_source_rpm(std::string_view file, std::string_view epoch, model::Package& package) {
  constexpr std::string_view ending = ".rpm";
  if (!file.ends_with(ending)) return;
  file.remove_suffix(ending.size());
  file = file.substr(0, file.rfind('.'));  // ".src" or ".nosrc"
  const std::size_t release = file.rfind('-');
  if (release == std::string_view::npos || release == 0) return;
  const std::size_t version = file.rfind('-', release - 1);
  if (version == std::string_view::npos || version == 0) return;
  package.source_name = file.substr(0, version);
  package.source_version = std::string(epoch) + std::string(file.substr(version + 1));
}

}  // namespace

void parse_apk(std::string_view text, std::string_view distro, Found& found) {
  while (!text.empty()) {
    model::Package package = package_of(model::Ecosystem::apk, distro);
    bool empty = true;
    while (!text.empty()) {
      const std::string_view line = take_line(text);
      if (line.empty()) break;
      empty = false;
      if (line.size() < 2 || line[1] != ':') continue;
      const std::string_view value = line.substr(2);
      if (line[0] == 'P') package.name = value;
      if (line[0] == 'V') package.version = value;
      if (line[0] == 'A') package.arch = value;
      if (line[0] == 'o') package.source_name = value;
    }
    if (!empty) add_entry(package, found);
  }
}

void parse_pacman(std::string_view text, std::string_view distro, Found& found) {
  model::Package package = package_of(model::Ecosystem::pacman, distro);
  while (!text.empty()) {
    const std::string_view key = take_line(text);
    if (key.size() < 2 || key.front() != '%' || key.back() != '%') continue;
    std::string_view rest = text;
    const std::string_view value = take_line(rest);
    if (key == "%NAME%") package.name = value;
    if (key == "%VERSION%") package.version = value;
    if (key == "%ARCH%") package.arch = value;
    if (key == "%BASE%") package.source_name = value;
  }
  add_entry(package, found);
}

void parse_rpm_header(std::string_view blob, std::string_view distro, Found& found) {
  const auto header = RpmHeader::cut(blob);
  if (!header) {
    ++found.malformed;
    return;
  }
  model::Package package = package_of(model::Ecosystem::rpm, distro);
  package.name = header->text(tag_name);
  if (package.name == "gpg-pubkey") return;
  package.arch = header->text(tag_arch);
  const auto epoch = header->number(tag_epoch);
  const std::string prefix = epoch && *epoch != 0 ? std::to_string(*epoch) + ":" : "";
  const std::string_view version = header->text(tag_version);
  const std::string_view release = header->text(tag_release);
  if (!version.empty()) {
    package.version = prefix + std::string(version);
    if (!release.empty()) package.version += "-" + std::string(release);
  }
  read_source_rpm(header->text(tag_source_rpm), prefix, package);
  found.add(std::move(package));
}

}  // namespace muster::agent
