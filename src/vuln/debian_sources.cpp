// SPDX-License-Identifier: Apache-2.0
#include "vuln/debian_sources.h"

#include <algorithm>
#include <array>

namespace muster::vuln {

namespace {

struct Pair {
  std::string_view binary;
  std::string_view source;
};

consteval auto sorted_pairs() {
  auto table = std::to_array<Pair>({
#define SOURCE(binary, source) Pair{binary, source},
#include "vuln/debian_sources.def"
#undef SOURCE
  });
  std::sort(table.begin(), table.end(),
            [](const Pair& a, const Pair& b) { return a.binary < b.binary; });
  return table;
}
constexpr auto pairs = sorted_pairs();

}  // namespace

std::optional<std::string_view> debian_source_of(std::string_view binary) {
  const auto found = std::lower_bound(
      pairs.begin(), pairs.end(), binary,
      [](const Pair& pair, std::string_view wanted) { return pair.binary < wanted; });
  if (found == pairs.end() || found->binary != binary) return std::nullopt;
  return found->source;
}

}  // namespace muster::vuln
