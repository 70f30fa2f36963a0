// SPDX-License-Identifier: Apache-2.0
#include "vuln/string_pool.h"

#include <functional>
#include <limits>

#include "base/check.h"

namespace muster::vuln {

StringPool::StringPool() : ends_{0}, slots_(64) {
  add("");
}

std::size_t StringPool::slot_of(std::string_view wanted) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>{}(wanted)&mask;
  while (slots_[slot] != 0 && text(slots_[slot] - 1) != wanted) slot = (slot + 1) & mask;
  return slot;
}

void StringPool::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (std::uint32_t number = 0; number < size(); ++number) {
    slots_[slot_of(text(number))] = number + 1;
  }
}

std::uint32_t StringPool::add(std::string_view added) {
  const std::size_t slot = slot_of(added);
  if (slots_[slot] != 0) return slots_[slot] - 1;
  // The offsets have 32 bits; a feed file is bounded far below (limits::feed_body_bytes).
  CHECK(bytes_.size() + added.size() < std::numeric_limits<std::uint32_t>::max());
  const std::uint32_t number = size();
  bytes_.append(added);
  ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  slots_[slot] = number + 1;
  if (std::size_t{size()} * 4 > slots_.size() * 3) grow();
  return number;
}

std::optional<std::uint32_t> StringPool::find(std::string_view wanted) const {
  const std::uint32_t found = slots_[slot_of(wanted)];
  if (found == 0) return std::nullopt;
  return found - 1;
}

std::size_t StringPool::bytes() const {
  return bytes_.capacity() + (ends_.capacity() + slots_.capacity()) * sizeof(std::uint32_t);
}

void StringPool::shrink() {
  bytes_.shrink_to_fit();
  ends_.shrink_to_fit();
}

}  // namespace muster::vuln
