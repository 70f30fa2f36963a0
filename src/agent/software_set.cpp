// SPDX-License-Identifier: Apache-2.0
#include "agent/software_set.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>

#include "base/check.h"
#include "base/text.h"
#include "crypto/keyed_hash.h"

namespace muster::agent {

namespace {

constexpr std::string_view head = "muster-software 1 ";
constexpr std::array<const char*, 7> columns = {
    "name", "version", "ecosystem", "distro", "source_name", "source_version", "arch"};

std::string line_of(const model::Package& package) {
  const std::array<std::string_view, 7> cells = {
      package.name,   package.version,     model::ecosystem_name(package.ecosystem),
      package.distro, package.source_name, package.source_version,
      package.arch};
  std::string line;
  for (const std::string_view cell : cells) {
    CHECK(cell.find_first_of("\t\n") == std::string_view::npos);  // collectors keep plain text only
    line.append(cell);
    line.push_back('\t');
  }
  line.pop_back();
  return line;
}

/// The first two cells: what a removal is known by.
std::string_view identity_of(std::string_view line) {
  return line.substr(0, line.find('\t', line.find('\t') + 1));
}

std::array<std::string_view, columns.size()> cells_of(std::string_view line) {
  std::array<std::string_view, columns.size()> cells;
  for (std::string_view& cell : cells) {
    const std::size_t end = line.find('\t');
    cell = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return cells;
}

std::string join(const SoftwareSet& set) {
  std::string text;
  for (const std::string& line : set) {
    text += line;
    text.push_back('\n');
  }
  return text;
}

std::string digest_of_text(std::string_view text) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(text.data());
  return to_hex(crypto::content_hash(std::span(octets, text.size())));
}

}  // namespace

SoftwareSet make_software_set(const std::vector<model::Package>& packages) {
  SoftwareSet set;
  set.reserve(packages.size());
  for (const model::Package& package : packages) set.push_back(line_of(package));
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

model::SetHash hash_of(const SoftwareSet& set) {
  model::SetHash hash;
  std::string canonical;
  for (const std::string_view line : set) {
    const auto cells = cells_of(line);
    const std::string distro = model::canonical_distro(cells[3]);
    canonical.clear();
    model::append_canonical(canonical, {cells[0], cells[1], "", model::parse_ecosystem(cells[2]),
                                        distro, cells[4], cells[5], cells[6], ""});
    hash.add(canonical);
  }
  return hash;
}

std::string encode_software(const SoftwareSet& set) {
  const std::string lines = join(set);
  return std::string(head) + digest_of_text(lines) + "\n" + lines;
}

std::optional<SoftwareSet> decode_software(std::string_view text) {
  const std::size_t end_of_head = text.find('\n');
  if (!text.starts_with(head) || end_of_head == std::string_view::npos) return std::nullopt;
  const std::string_view digest = text.substr(head.size(), end_of_head - head.size());
  text.remove_prefix(end_of_head + 1);
  if (digest != digest_of_text(text)) return std::nullopt;
  SoftwareSet set;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    set.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return set;
}

SoftwareChange change_between(const SoftwareSet& before, const SoftwareSet& after) {
  SoftwareChange change;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                      std::back_inserter(change.removed));
  std::set<std::string_view> removed;
  for (const std::string& line : change.removed) removed.insert(identity_of(line));
  for (const std::string& line : after) {
    const bool is_new = !std::binary_search(before.begin(), before.end(), line);
    if (is_new || removed.contains(identity_of(line))) change.added.push_back(line);
  }
  return change;
}

void write_software(JsonWriter& json, const SoftwareSet& lines) {
  json.begin_array();
  for (const std::string_view line : lines) {
    const auto cells = cells_of(line);
    json.begin_object();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!cells[i].empty()) json.member(columns[i], cells[i]);
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace muster::agent
