// SPDX-License-Identifier: Apache-2.0
#include "swarm/scenario.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/toml_read.h"

namespace muster::swarm {

namespace {

constexpr std::array figure_names = {
#define FIGURE(name, sense, text) std::string_view(#name),
#include "swarm/figures.def"
#undef FIGURE
};

Result<void> read_assertion(Scenario& scenario, std::string_view name, const std::string& path,
                            const toml::node& node) {
  if (std::find(figure_names.begin(), figure_names.end(), name) == figure_names.end()) {
    return unknown_setting(path);
  }
  const auto limit = node.value<double>();
  if (!node.is_number() || !limit || !std::isfinite(*limit) || *limit < 0) {
    return invalid_field(path, "must be a number that is not negative");
  }
  scenario.assertions.push_back({std::string(name), *limit});
  return {};
}

Result<void> read_setting(Scenario& scenario, std::string_view section, std::string_view name,
                          const std::string& path, const toml::node& node) {
  if (section == "assert") return read_assertion(scenario, name, path, node);
#define SETTING(in_section, in_name, fallback, min, max, text) \
  if (section == #in_section && name == #in_name)              \
    return read_toml_int(node, path, min, max, scenario.in_section##_##in_name);
#include "swarm/scenario.def"
#undef SETTING
  return unknown_setting(path);
}

std::size_t place_of(const Assertion& assertion) {
  const auto found = std::find(figure_names.begin(), figure_names.end(), assertion.figure);
  return static_cast<std::size_t>(found - figure_names.begin());
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text) {
  Scenario scenario;
  TRY(read_toml(text, [&](std::string_view section, std::string_view name, const std::string& path,
                          const toml::node& node) {
    return read_setting(scenario, section, name, path, node);
  }));
  std::sort(scenario.assertions.begin(), scenario.assertions.end(),
            [](const Assertion& a, const Assertion& b) { return place_of(a) < place_of(b); });
  return scenario;
}

}  // namespace muster::swarm
