// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace muster {

/// A hash map whose entries lie in one array: a look-up in a table that outgrew the caches costs
/// one miss where std::unordered_map costs three or four. For keys that callers cannot choose
/// (keyed hashes, ids of our own): it does not defend against collisions made on purpose. Pointers
/// to values live until the next set() or erase().
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class FlatMap {
 public:
  const Value* find(const Key& key) const {
    if (size_ == 0) return nullptr;
    for (std::size_t at = home(key);; at = next(at)) {
      const Slot& slot = slots_[at];
      if (!slot) return nullptr;
      if (slot->first == key) return &slot->second;
    }
  }
  Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

  /// Adds the key or replaces its value.
  Value& set(const Key& key, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    std::size_t at = home(key);
    while (slots_[at] && slots_[at]->first != key) at = next(at);
    if (!slots_[at]) ++size_;
    slots_[at].emplace(key, std::move(value));
    return slots_[at]->second;
  }

  void erase(const Key& key) {
    if (size_ == 0) return;
    std::size_t at = home(key);
    while (slots_[at] && slots_[at]->first != key) at = next(at);
    if (!slots_[at]) return;
    slots_[at].reset();
    --size_;
    close_gap(at);
  }

  /// Erases every entry for which `gone(key, value)`.
  template <typename F>
  void erase_if(F&& gone) {
    std::vector<Slot> former = std::exchange(slots_, std::vector<Slot>(slots_.size()));
    size_ = 0;
    for (Slot& slot : former) {
      if (slot && !gone(slot->first, slot->second)) {
        set(slot->first, std::move(slot->second));
      }
    }
  }

  std::size_t size() const { return size_; }

 private:
  using Slot = std::optional<std::pair<Key, Value>>;
  static constexpr int bits_min = 4;

  std::size_t home(const Key& key) const {
    // Fibonacci hashing (Knuth, TAOCP 6.4): the upper bits, since the lower ones choose shards.
    const auto hash = static_cast<std::uint64_t>(Hash{}(key));
    return static_cast<std::size_t>((hash * 0x9E3779B97F4A7C15U) >> (64 - bits_));
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  void grow() {
    std::vector<Slot> former = std::exchange(slots_, {});
    bits_ = former.empty() ? bits_min : bits_ + 1;
    slots_.resize(std::size_t{1} << bits_);
    for (Slot& slot : former) {
      if (!slot) continue;
      std::size_t at = home(slot->first);
      while (slots_[at]) at = next(at);
      slots_[at] = std::move(slot);
    }
  }

  /// Moves up what probed past the emptied slot, so that no look-up ends there too early.
  void close_gap(std::size_t gap) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = next(gap); slots_[at]; at = next(at)) {
      const std::size_t wanted = home(slots_[at]->first);
      if (((at - wanted) & mask) < ((at - gap) & mask)) continue;
      slots_[gap] = std::move(slots_[at]);
      slots_[at].reset();
      gap = at;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  int bits_ = 0;
};

}  // namespace muster
