// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace muster::vuln {

/// Sums texts and numbers in their order up to 64 bits that tell one content from another, of which
/// each bit depends on all of them. The same on every machine with the same order of bytes. No
/// defence against who wants two contents to be alike.
class ContentHash {
 public:
  ContentHash& add(std::uint64_t number) {
    sum_ = (sum_ ^ number) * 0x9E3779B97F4A7C15U;
    sum_ ^= sum_ >> 32;
    return *this;
  }
  ContentHash& add(std::string_view text) {
    add(text.size());
    for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
      add(word_of(text, sizeof(std::uint64_t)));
    }
    return text.empty() ? *this : add(word_of(text, text.size()));
  }
  std::uint64_t value() const { return sum_; }

 private:
  static std::uint64_t word_of(std::string_view text, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), size);
    return word;
  }

  std::uint64_t sum_ = 0xCBF29CE484222325U;
};

}  // namespace muster::vuln
