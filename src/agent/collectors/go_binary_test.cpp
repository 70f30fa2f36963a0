// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/go_binary.h"

#include <elf.h>

#include <cstring>

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

std::string varint(std::size_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  return out + static_cast<char>(value);
}

std::string section(const std::string& go, const std::string& modules) {
  std::string out("\xff Go buildinf:", 14);
  out += '\x08';
  out += '\x02';
  out.resize(32, '\0');
  out += varint(go.size()) + go;
  const std::string marked = std::string(16, 'a') + modules + std::string(16, 'b');
  return out + varint(marked.size()) + marked;
}

const std::string modules =
    "path\texample.com/tool\nmod\texample.com/tool\tv1.4.0\th1:x=\n"
    "dep\tgolang.org/x/net\tv0.17.0\th1:y=\n"
    "dep\tgithub.com/old/lib\tv1.0.0\n=>\tgithub.com/new/lib\tv1.0.1\th1:z=\n"
    "build\t-compiler=gc\n";

std::string read(std::string_view text) {
  Found found;
  parse_go_buildinfo(text, found);
  std::string out;
  for (const model::Package& package : found.packages) {
    out += package.name + " " + package.version + "\n";
  }
  return found.malformed == 0 ? out : out + "malformed\n";
}

TEST(GoBuildinfo, ModulesAndTheStandardLibrary) {
  EXPECT_EQ(read(section("go1.21.5", modules)),
            "stdlib 1.21.5\nexample.com/tool v1.4.0\ngolang.org/x/net v0.17.0\n"
            "github.com/new/lib v1.0.1\n");
}

TEST(GoBuildinfo, AWorkingCopyHasNoVersionButItsParts) {
  EXPECT_EQ(read(section("go1.22.0 X:rangefunc",
                         "path\tx\nmod\tx\t(devel)\t\ndep\tgolang.org/x/sys\tv0.1.0\th1:\n")),
            "stdlib 1.22.0\ngolang.org/x/sys v0.1.0\n");
}

TEST(GoBuildinfo, AnyCutOfItIsReadWithinItself) {
  const std::string whole = section("go1.21.5", modules);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Found found;
    parse_go_buildinfo({cut.data(), cut.size()}, found);
    EXPECT_TRUE(found.packages.empty()) << size;
  }
}

template <typename T>
void put(std::string& file, std::size_t at, const T& value) {
  if (file.size() < at + sizeof value) file.resize(at + sizeof value);
  std::memcpy(file.data() + at, &value, sizeof value);
}

/// An ELF file with the section and nothing else that is needed.
std::string program() {
  const std::string content = section("go1.21.5", modules);
  const std::string names = std::string("\0.go.buildinfo\0.shstrtab\0", 25);
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = 3;
  head.e_shstrndx = 2;
  head.e_shoff = sizeof head;
  const std::size_t data_at = sizeof head + 3 * sizeof(Elf64_Shdr);
  Elf64_Shdr info{};
  info.sh_name = 1;
  info.sh_offset = data_at;
  info.sh_size = content.size();
  Elf64_Shdr strings{};
  strings.sh_name = 15;
  strings.sh_offset = data_at + content.size();
  strings.sh_size = names.size();
  std::string file;
  put(file, 0, head);
  put(file, sizeof head, Elf64_Shdr{});
  put(file, sizeof head + sizeof info, info);
  put(file, sizeof head + 2 * sizeof info, strings);
  return file + content + names;
}

std::size_t packages_of(const std::string& file) {
  Found found;
  read_go_binary(
      [&](std::uint64_t offset, std::size_t size) -> std::optional<std::string> {
        if (offset > file.size()) return "";
        return file.substr(offset, size);
      },
      found);
  return found.packages.size();
}

TEST(GoBinary, TheSectionIsFoundByItsName) {
  EXPECT_EQ(packages_of(program()), 4U);
  EXPECT_EQ(packages_of("#!/bin/sh\n"), 0U);
  EXPECT_EQ(packages_of(""), 0U);
}

TEST(GoBinary, AnyChangedOctetOfTheHeadIsReadWithinTheFile) {
  const std::string whole = program();
  for (std::size_t at = 0; at < sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(0xff);
    EXPECT_LE(packages_of(changed), 4U) << at;
  }
}

}  // namespace
}  // namespace muster::agent
