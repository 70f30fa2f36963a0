// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace muster::swarm {

/// A limit of the scenario's [assert] for one figure of figures.def.
struct Assertion {
  std::string figure;
  double limit = 0;
  friend bool operator==(const Assertion&, const Assertion&) = default;
};

/// What a simulated fleet is and does: defaults here, names and bounds in scenario.def.
struct Scenario {
#define SETTING(section, name, fallback, min, max, text) std::int64_t section##_##name = fallback;
#include "swarm/scenario.def"
#undef SETTING
  std::vector<Assertion> assertions;  // in the order of figures.def

  std::uint32_t agents() const {
    return static_cast<std::uint32_t>(fleet_agents);
  }
  /// Of the hosts.
  std::uint32_t connections() const {
    return fleet_connections == 0 ? agents() : static_cast<std::uint32_t>(fleet_connections);
  }
  std::uint32_t site_hosts() const {
    return static_cast<std::uint32_t>(fleet_agents * fleet_site_percent / 100);
  }
  std::uint32_t sites() const {
    const auto hosts = static_cast<std::int64_t>(site_hosts());
    return static_cast<std::uint32_t>((hosts + fleet_hosts_per_site - 1) / fleet_hosts_per_site);
  }
};

/// Reads TOML. Fails with invalid_field naming the key, for unknown keys, wrong types and values
/// out of bounds.
Result<Scenario> parse_scenario(std::string_view toml);

}  // namespace muster::swarm
