// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/package.h"
#include "swarm/scenario.h"

namespace muster::swarm {

/// Every set of software in the fleet, as a function of two numbers: hosts of one variant begin
/// alike, and each revision changes one package, the same one on all of them, as an update does
/// that comes to every host sooner or later. So a host keeps its two numbers and no package.
class SoftwarePool {
 public:
  /// Sets are drawn from `catalogue`; an empty one is made up, three times as large as a set.
  SoftwarePool(const Scenario& scenario, std::vector<model::Package> catalogue = {});

  std::vector<model::Package> packages(std::uint32_t variant, std::uint32_t revision) const;

 private:
  std::vector<model::Package> catalogue_;
  std::uint64_t seed_;
  std::size_t set_size_;
};

/// Reads lines of name, version, source name, source version, arch between tabs (what
/// `dpkg-query -W -f
/// '${Package}\t${Version}\t${source:Package}\t${source:Version}\t${Architecture}\n'` prints on
/// Debian 12; further columns are ignored). Fails with invalid_field naming the line, and for none
/// or too many.
Result<std::vector<model::Package>> parse_package_list(std::string_view text);

}  // namespace muster::swarm
