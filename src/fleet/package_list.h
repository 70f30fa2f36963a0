// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/package.h"

namespace muster::fleet {

/// The packages of one report, each as one canonical text in a single buffer: a report of 500 costs
/// two allocations, not 4,500, and the text is what names a package's content.
class PackageList {
 public:
  using View = model::PackageView;

  /// No member may contain control characters.
  void add(const View& package);
  std::size_t size() const { return ends_.size(); }
  std::string_view canonical(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }
  void reserve(std::size_t packages, std::size_t bytes) {
    ends_.reserve(packages);
    text_.reserve(bytes);
  }

 private:
  std::string text_;
  std::vector<std::uint32_t> ends_;
};

/// The canonical text of the same package in a distribution release, if it is a distribution's
/// package that does not name one; else the text itself.
std::string with_distro(std::string_view canonical, std::string_view distro);

/// The package that a canonical text stands for.
model::Package parse_canonical(std::string_view text);

}  // namespace muster::fleet
