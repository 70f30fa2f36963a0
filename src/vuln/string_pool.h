// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::vuln {

/// Every distinct text once, named by a number. A feed repeats its package names, versions and
/// descriptions tens of times over; this is what keeps an advisory below 100 bytes. Number 0 is
/// the empty text. Reading is safe from several threads, adding is not.
class StringPool {
 public:
  StringPool();

  std::uint32_t add(std::string_view text);
  /// The number of a text that was added.
  std::optional<std::uint32_t> find(std::string_view text) const;
  std::string_view text(std::uint32_t number) const {
    return {bytes_.data() + ends_[number], ends_[number + 1] - ends_[number]};
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size() - 1); }
  /// Memory in use, in bytes.
  std::size_t bytes() const;
  /// Gives back what growing kept in reserve.
  void shrink();
  /// Gives back all but the texts: no add() and no find() from now on.
  void seal();

  /// As Index::for_each_array(), of which these are a part.
  template <typename Self, typename Each>
  static void for_each_array(Self& pool, Each&& each) {
    each(pool.bytes_);
    each(pool.ends_);
    each(pool.slots_);
  }

 private:
  /// A text's hash stands beside its number, so that neither another text in its place nor growing
  /// costs a look at the texts, which are far apart.
  struct Slot {
    std::uint32_t hash;
    std::uint32_t number_plus_one;  // 0 is free
  };
  static std::uint32_t hash_of(std::string_view text);
  /// Place of `text` in the table, or of the free slot where it belongs.
  std::size_t slot_of(std::uint32_t hash, std::string_view text) const;
  void grow();

  std::string bytes_;
  std::vector<std::uint32_t> ends_;  // where each text begins; one more for the end of the last
  std::vector<Slot> slots_;          // open addressing
};

}  // namespace muster::vuln
