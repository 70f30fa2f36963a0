// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/intrusive/list.hpp>

namespace muster::net {

/// Coarse deadlines for very many connections. Moving a deadline later, which every request does,
/// is one store: an entry stays in its slot and is looked at again when that slot comes up. Not
/// thread-safe.
class DeadlineWheel {
 public:
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    friend class DeadlineWheel;
    std::uint64_t due_ = 0;
    std::uint64_t seen_at_ = 0;  // the tick of the slot it is in
  };

  /// `entry` is due after `ticks` more calls of advance(), at least one.
  void set(Entry& entry, std::uint64_t ticks);
  void clear(Entry& entry) { entry.unlink(); }

  /// One tick: takes out the entries that are due and calls `expire(entry)` for each.
  template <typename F>
  void advance(F&& expire) {
    ++now_;
    List looked_at;
    looked_at.swap(slots_[now_ % slots]);
    while (!looked_at.empty()) {
      Entry& entry = looked_at.front();
      looked_at.pop_front();
      if (entry.due_ <= now_) {
        expire(entry);
      } else {
        link(entry);
      }
    }
  }

 private:
  using List = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;
  static constexpr std::uint64_t slots = 256;

  void link(Entry& entry);

  std::uint64_t now_ = 0;
  std::array<List, slots> slots_;
};

inline void DeadlineWheel::set(Entry& entry, std::uint64_t ticks) {
  entry.due_ = now_ + (ticks == 0 ? 1 : ticks);
  if (entry.is_linked()) {
    if (entry.seen_at_ <= entry.due_) return;
    entry.unlink();
  }
  link(entry);
}

inline void DeadlineWheel::link(Entry& entry) {
  const std::uint64_t last = now_ + slots - 1;
  entry.seen_at_ = entry.due_ < last ? entry.due_ : last;
  slots_[entry.seen_at_ % slots].push_back(entry);
}

}  // namespace muster::net
