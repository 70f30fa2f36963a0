// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/// For tests of this module and of those above it: real files and dpkg itself as the second
/// opinion.
namespace muster::version::test {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Whether `dpkg --compare-versions a relation b` says yes; nothing when there is no dpkg.
inline std::optional<bool> dpkg_says(const std::string& a, const std::string& relation,
                                     const std::string& b) {
  std::string words[] = {"dpkg", "--compare-versions", a, relation, b};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                       words[3].data(), words[4].data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, "dpkg", nullptr, nullptr, arguments, environ) != 0) {
    return std::nullopt;
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return std::nullopt;
  const int code = WEXITSTATUS(status);
  if (code > 1) return std::nullopt;
  return code == 0;
}

}  // namespace muster::version::test
