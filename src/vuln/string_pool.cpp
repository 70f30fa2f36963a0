// SPDX-License-Identifier: Apache-2.0
#include "vuln/string_pool.h"

#include <limits>

#include "base/check.h"
#include "vuln/content_hash.h"

namespace muster::vuln {

StringPool::StringPool() : ends_{0}, slots_(64) {
  add("");
}

std::uint32_t StringPool::hash_of(std::string_view text) {
  return static_cast<std::uint32_t>(ContentHash().add(text).value());
}

std::size_t StringPool::slot_of(std::uint32_t hash, std::string_view wanted) const {
  CHECK(!slots_.empty());
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number_plus_one == 0) return at;
    if (slot.hash == hash && text(slot.number_plus_one - 1) == wanted) return at;
  }
}

void StringPool::grow() {
  std::vector<Slot> former(slots_.size() * 2);
  former.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : former) {
    if (slot.number_plus_one == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].number_plus_one != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::uint32_t StringPool::add(std::string_view added) {
  const std::uint32_t hash = hash_of(added);
  Slot& slot = slots_[slot_of(hash, added)];
  if (slot.number_plus_one != 0) return slot.number_plus_one - 1;
  // The offsets have 32 bits; a feed file is bounded far below (limits::feed_body_bytes).
  CHECK(bytes_.size() + added.size() < std::numeric_limits<std::uint32_t>::max());
  const std::uint32_t number = size();
  bytes_.append(added);
  ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  slot = {hash, number + 1};
  if (std::size_t{size()} * 4 > slots_.size() * 3) grow();
  return number;
}

std::optional<std::uint32_t> StringPool::find(std::string_view wanted) const {
  const std::uint32_t found = slots_[slot_of(hash_of(wanted), wanted)].number_plus_one;
  if (found == 0) return std::nullopt;
  return found - 1;
}

std::size_t StringPool::bytes() const {
  return bytes_.capacity() + ends_.capacity() * sizeof(std::uint32_t) +
         slots_.capacity() * sizeof(Slot);
}

void StringPool::shrink() {
  bytes_.shrink_to_fit();
  ends_.shrink_to_fit();
}

void StringPool::seal() {
  shrink();
  slots_.clear();
  slots_.shrink_to_fit();
}

}  // namespace muster::vuln
