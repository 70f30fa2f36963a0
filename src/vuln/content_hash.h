// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace muster::vuln {

/// Sums texts and numbers in their order up to 64 bits that tell one content from another. For
/// comparing contents within one process; not for storing, and no defence against who wants two to
/// be alike.
class ContentHash {
 public:
  ContentHash& add(std::uint64_t number) {
    sum_ = (sum_ ^ number) * 0x9E3779B97F4A7C15U;
    sum_ ^= sum_ >> 32;
    return *this;
  }
  ContentHash& add(std::string_view text) { return add(std::hash<std::string_view>{}(text)); }
  std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0xCBF29CE484222325U;
};

}  // namespace muster::vuln
