// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "version/scheme.h"

namespace muster::version::test {

inline char sign(std::weak_ordering order) {
  return order < 0 ? '<' : order > 0 ? '>' : '=';
}

/// That compare is a total order on `versions`, all valid: sorted and cut into runs of equal ones,
/// each must be before all of the later runs, after all of the earlier and equal within its own.
/// Each is held against about `others` of the rest, spread evenly over the order.
inline void expect_total_order(Scheme scheme, std::vector<std::string> versions,
                               std::size_t others) {
  const auto order = [&](std::size_t i, std::size_t j) {
    return compare_valid(scheme, versions[i], versions[j]);
  };
  std::stable_sort(versions.begin(), versions.end(),
                   [&](const auto& a, const auto& b) { return compare_valid(scheme, a, b) < 0; });
  std::vector<std::size_t> run(versions.size());
  for (std::size_t i = 1; i < versions.size(); ++i) run[i] = run[i - 1] + (order(i - 1, i) != 0);
  const std::size_t step = std::max<std::size_t>(1, versions.size() / others);
  for (std::size_t i = 0; i < versions.size(); ++i) {
    ASSERT_EQ(sign(order(i, i)), '=') << versions[i];
    for (std::size_t j = i % step; j < versions.size(); j += step) {
      ASSERT_EQ(sign(order(i, j)), sign(run[i] <=> run[j]))
          << scheme_name(scheme) << ": " << versions[i] << " against " << versions[j];
      ASSERT_EQ(sign(order(i, j)), sign(0 <=> order(j, i)))
          << scheme_name(scheme) << ": " << versions[i] << " against " << versions[j];
    }
  }
}

/// As above, for any texts: those that are no versions are left out. pacman says of a version
/// without a release that it equals all of its releases, which no order can; there the texts with
/// a release and those without are looked at apart.
inline void expect_order_laws(Scheme scheme, const std::vector<std::string>& texts,
                              std::size_t others = 400) {
  std::vector<std::string> parts[2];
  for (const std::string& text : texts) {
    if (!validate(scheme, text).ok()) continue;
    const bool apart = scheme_name(scheme) == "pacman" && text.find('-') != std::string::npos;
    parts[apart ? 1 : 0].push_back(text);
  }
  for (const auto& part : parts) expect_total_order(scheme, part, others);
}

}  // namespace muster::version::test
