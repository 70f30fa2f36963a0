// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

#include <boost/intrusive/list.hpp>

#include "base/time.h"
#include "base/unique_function.h"
#include "http/application.h"
#include "http/transport_use.h"

namespace muster::net {

/// What those hold who wait in the queues of all IO threads. Safe from several threads.
class CommitQueueUse {
 public:
  explicit CommitQueueUse(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// False, changing nothing, when that is more than there is.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  http::Places bytes() const;
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  friend class CommitQueue;
  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::size_t> most_bytes_ = 0;
  std::atomic<std::size_t> waiting_ = 0;
};

/// The requests of one IO thread whose write found no place with the writer (docs/adr/0033). In
/// each turn those who waited longest try again, by http::Lane, until there is no place; and at
/// most one is refused, so that callers who repeat at once cannot take the processor from the rest.
/// Not thread-safe.
class CommitQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// One who waits, for as long as this lives. `wake` may not destroy it at once.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Entry(CommitQueue& queue, http::Lane lane, std::size_t bytes, Time since,
          UniqueFunction<void()> wake);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// False when there was no room for its write: it waits for its refusal alone.
    bool may_commit() const { return bytes_ > 0; }
    /// To be asked after each wake and each tried(). Else it is to try again, and to tell tried().
    bool refused() const { return refused_; }

   private:
    friend class CommitQueue;
    CommitQueue& queue_;
    std::size_t bytes_;
    const Time since_;
    bool refused_ = false;
    UniqueFunction<void()> wake_;
  };

  /// `schedule` makes the thread call turn() once, limits::write_turn later.
  CommitQueue(CommitQueueUse& use, Duration patience, UniqueFunction<void()> schedule)
      : use_(use), patience_(patience), schedule_(std::move(schedule)) {}

  /// Somebody waits in that lane: who comes now has to wait behind.
  bool has_waiting(http::Lane lane) const {
    return !lanes_[static_cast<std::size_t>(lane)].empty();
  }
  void turn(Time now);
  /// Whoever was woken has tried: the next may.
  void tried(Entry& entry, bool committed);
  /// The server ends. Who waits for a refusal alone has it now, and from now on at once; the others
  /// wait as before.
  void drain();
  /// Refuses all that wait, and from now on at once whoever comes.
  void close();

 private:
  enum class Refused { in_turns, without_room, all };  // at once, but for in_turns

  using List = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;

  void refuse_one();
  static void refuse(Entry& entry);
  void wake_next();
  void schedule_if_due();

  CommitQueueUse& use_;
  const Duration patience_;
  UniqueFunction<void()> schedule_;
  std::array<List, http::lane_count> lanes_;
  List surplus_;   // that found no room
  Time now_ = {};  // of this turn
  std::size_t turns_ = 0;
  std::size_t lanes_done_ = 0;  // of this turn
  Entry* trying_ = nullptr;     // was woken for that
  Refused refused_ = Refused::in_turns;
  bool scheduled_ = false;
};

}  // namespace muster::net
