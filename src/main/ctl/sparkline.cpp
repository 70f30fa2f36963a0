// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/sparkline.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace muster::ctl {

namespace {

constexpr std::array<std::string_view, 8> bars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

std::string sparkline(const std::vector<std::optional<double>>& values, std::size_t width) {
  std::optional<double> least;
  std::optional<double> greatest;
  for (const auto& value : values) {
    if (!value) continue;
    least = std::min(least.value_or(*value), *value);
    greatest = std::max(greatest.value_or(*value), *value);
  }
  if (!least) return {};
  const std::string legend = fmt::format("  {:.0f} to {:.0f}", *least, *greatest);
  const std::size_t room = width > legend.size() ? width - legend.size() : 1;
  const std::size_t columns = std::min(room, values.size());
  std::string line;
  for (std::size_t column = 0; column < columns; ++column) {
    std::optional<double> highest;
    for (std::size_t i = column * values.size() / columns;
         i < (column + 1) * values.size() / columns; ++i) {
      if (values[i]) highest = std::max(highest.value_or(*values[i]), *values[i]);
    }
    if (!highest) {
      line += ' ';
      continue;
    }
    const double span = *greatest - *least;
    const double share = span > 0 ? (*highest - *least) / span : 0;
    line += bars[std::min(static_cast<std::size_t>(share * bars.size()), bars.size() - 1)];
  }
  return line + legend;
}

}  // namespace muster::ctl
