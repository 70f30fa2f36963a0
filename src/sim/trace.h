// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace muster::sim {

/// What happened, in order: a hash over all of it, by which two runs are compared, and the last
/// lines, by which a failure is read.
class Trace {
 public:
  void note(Instant at, std::string_view who, std::string_view what, std::int64_t number = 0) {
    take(static_cast<std::uint64_t>(at.unix_ms));
    take(who);
    take(what);
    take(static_cast<std::uint64_t>(number));
    Line& line = last_[noted_++ % last_.size()];
    line.at = at;
    line.who.assign(who);
    line.what.assign(what);
    line.number = number;
    if (!about_.empty()) print(line);
  }
  void print_about(std::string word) { about_ = std::move(word); }

  std::uint64_t hash() const { return hash_; }
  std::uint64_t noted() const { return noted_; }
  /// Oldest first.
  std::vector<std::string> last_lines() const;

 private:
  struct Line {
    Instant at;
    std::string who;
    std::string what;
    std::int64_t number = 0;
  };

  static std::string text_of(const Line& line);
  void print(const Line& line) const;

  void take(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9E3779B97F4A7C15U;
    hash_ ^= hash_ >> 29;
  }
  void take(std::string_view text) {
    for (const char c : text) take(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    take(text.size());
  }

  std::uint64_t hash_ = 0;
  std::uint64_t noted_ = 0;
  std::array<Line, 40> last_;
  std::string about_;
};

}  // namespace muster::sim
