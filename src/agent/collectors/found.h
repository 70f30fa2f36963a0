// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model/package.h"

namespace muster::agent {

/// What collectors found, within limits::software_items and with usable text only.
struct Found {
  std::vector<model::Package> packages;
  std::size_t malformed = 0;     // entries that name no package, or hold no usable text
  std::size_t beyond_limit = 0;  // entries after the limit

  /// Takes a package that has a name and a version; else counts it.
  void add(model::Package package);
  void add(model::Ecosystem ecosystem, std::string_view name, std::string_view version);
};

}  // namespace muster::agent
