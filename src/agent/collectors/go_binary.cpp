// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/go_binary.h"

#include <elf.h>

#include <cstring>

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "base/text.h"

namespace muster::agent {

namespace {

constexpr std::string_view magic("\xff Go buildinf:", 14);
constexpr std::size_t head_bytes = 32;
constexpr std::size_t inline_strings = 2;  // bit of the flags
constexpr std::size_t sections_max = 1000;

template <typename T>
std::optional<T> read_struct(std::string_view bytes, std::size_t at = 0) {
  T value;
  if (bytes.size() < at || bytes.size() - at < sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// A string after its length as a varint (encoding/binary); drops both from `text`.
std::optional<std::string_view> take_string(std::string_view& text) {
  std::uint64_t size = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (text.empty()) return std::nullopt;
    const auto octet = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    size |= static_cast<std::uint64_t>(octet & 0x7fU) << shift;
    if ((octet & 0x80U) == 0) {
      if (size > text.size()) return std::nullopt;
      const std::string_view value = text.substr(0, size);
      text.remove_prefix(size);
      return value;
    }
  }
  return std::nullopt;
}

std::string_view take_cell(std::string_view& line) {
  const std::size_t tab = line.find('\t');
  const std::string_view cell = line.substr(0, tab);
  line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
  return cell;
}

struct Module {
  std::string_view path;
  std::string_view version;
};

void add_module(const Module& module, Found& found) {
  // What was built from a working copy has no version that could be compared.
  if (module.path.empty() || module.version.empty() || module.version == "(devel)") return;
  found.add(model::Ecosystem::go, module.path, module.version);
}

void read_modules(std::string_view text, Found& found) {
  Module module;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view kind = take_cell(line);
    if (kind != "mod" && kind != "dep" && kind != "=>") continue;
    // "=>" replaces the module of the line before it.
    if (kind != "=>") add_module(module, found);
    module.path = take_cell(line);
    module.version = take_cell(line);
  }
  add_module(module, found);
}

}  // namespace

void parse_go_buildinfo(std::string_view section, Found& found) {
  if (section.size() < head_bytes || !section.starts_with(magic)) return;
  const auto flags = static_cast<unsigned char>(section[15]);
  if ((flags & inline_strings) == 0) return;
  section.remove_prefix(head_bytes);
  const auto go = take_string(section);
  auto modules = take_string(section);
  if (!go || !modules) {
    ++found.malformed;
    return;
  }
  if (go->starts_with("go")) {
    // "go1.22.1 X:rangefunc"
    const std::string_view version = go->substr(2, go->find(' ') - 2);
    found.add(model::Ecosystem::go, "stdlib", version);
  }
  // The modules stand between two marks of 16 octets.
  constexpr std::size_t mark = 16;
  if (modules->size() < 2 * mark + 1 || (*modules)[modules->size() - mark - 1] != '\n') return;
  read_modules(modules->substr(mark, modules->size() - 2 * mark), found);
}

void read_go_binary(const ReadAt& read, Found& found) {
  const auto head = read(0, sizeof(Elf64_Ehdr));
  if (!head || !head->starts_with(ELFMAG)) return;
  const auto elf = read_struct<Elf64_Ehdr>(*head);
  if (!elf || elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB ||
      elf->e_shentsize != sizeof(Elf64_Shdr) || elf->e_shnum > sections_max ||
      elf->e_shstrndx >= elf->e_shnum) {
    return;
  }
  const auto table = read(elf->e_shoff, elf->e_shnum * sizeof(Elf64_Shdr));
  if (!table) return;
  const auto names_section = read_struct<Elf64_Shdr>(*table, elf->e_shstrndx * sizeof(Elf64_Shdr));
  if (!names_section || names_section->sh_size > bounds::go_buildinfo_bytes) return;
  const auto names = read(names_section->sh_offset, names_section->sh_size);
  if (!names) return;
  for (std::size_t i = 0; i < elf->e_shnum; ++i) {
    const auto section = read_struct<Elf64_Shdr>(*table, i * sizeof(Elf64_Shdr));
    if (!section || section->sh_name >= names->size()) continue;
    const std::string_view name = std::string_view(*names).substr(section->sh_name);
    if (name.substr(0, name.find('\0')) != ".go.buildinfo") continue;
    if (section->sh_size > bounds::go_buildinfo_bytes) {
      ++found.malformed;
      return;
    }
    const auto content = read(section->sh_offset, section->sh_size);
    if (content) parse_go_buildinfo(*content, found);
    return;
  }
}

}  // namespace muster::agent
