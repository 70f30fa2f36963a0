// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/testing.h"
#include "version/scheme.h"
#include "version/test_support.h"

/// The hand-written cases of every scheme, version/cases/<name>.txt.
namespace muster::version::test {

inline constexpr std::array all_schemes{
#define SCHEME(name) Scheme::name,
#include "version/schemes.def"
#undef SCHEME
};

struct Case {
  std::string a;
  char relation;
  std::string b;
};

struct Cases {
  std::vector<Case> pairs;
  std::vector<std::string> invalid;
};

/// `1.0 < 1.1`; versions may have spaces inside.
inline Case read_pair(std::string_view line) {
  for (const std::string_view relation : {" < ", " = ", " > "}) {
    const auto at = line.find(relation);
    if (at == std::string_view::npos) continue;
    return {std::string(line.substr(0, at)), relation[1], std::string(line.substr(at + 3))};
  }
  throw std::runtime_error("bad case: " + std::string(line));
}

inline Cases read_cases(Scheme scheme) {
  const auto path =
      source_directory() / "src/version/cases" / (std::string(scheme_name(scheme)) + ".txt");
  Cases cases;
  const std::string text = read_file(path);
  for (const auto line : split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    constexpr std::string_view invalid = "invalid ";
    if (line.substr(0, invalid.size()) == invalid) {
      cases.invalid.emplace_back(line.substr(invalid.size()));
      continue;
    }
    cases.pairs.push_back(read_pair(line));
  }
  return cases;
}

}  // namespace muster::version::test
