// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace muster::agent {

/// A header as rpm stores it: an index of (tag, type, offset, count), then the store.
class HeaderWriter {
 public:
  HeaderWriter& text(std::uint32_t tag, const std::string& value) {
    entry(tag, 6);
    store_ += value + '\0';
    return *this;
  }
  HeaderWriter& number(std::uint32_t tag, std::uint32_t value) {
    store_.resize((store_.size() + 3) / 4 * 4);
    entry(tag, 4);
    put(store_, value);
    return *this;
  }
  std::string bytes() const {
    std::string out;
    put(out, static_cast<std::uint32_t>(index_.size() / 16));
    put(out, static_cast<std::uint32_t>(store_.size()));
    return out + index_ + store_;
  }

 private:
  static void put(std::string& out, std::uint32_t value) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      out += static_cast<char>(value >> shift & 0xffU);
    }
  }
  void entry(std::uint32_t tag, std::uint32_t type) {
    for (const std::uint32_t value : {tag, type, static_cast<std::uint32_t>(store_.size()), 1U}) {
      put(index_, value);
    }
  }
  std::string index_, store_;
};

inline std::string openssl_header() {
  return HeaderWriter()
      .text(1000, "openssl-libs")
      .text(1001, "3.0.7")
      .text(1002, "27.el9")
      .number(1003, 1)
      .text(1022, "x86_64")
      .text(1044, "openssl-3.0.7-27.el9.src.rpm")
      .bytes();
}

}  // namespace muster::agent
