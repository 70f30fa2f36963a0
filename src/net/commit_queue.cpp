// SPDX-License-Identifier: Apache-2.0
#include "net/commit_queue.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace muster::net {

bool CommitQueueUse::take(std::size_t bytes) {
  const std::size_t taken = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (taken > bytes_max_) {
    give_back(bytes);
    return false;
  }
  std::size_t most = most_bytes_.load(std::memory_order_relaxed);
  while (taken > most && !most_bytes_.compare_exchange_weak(most, taken)) {
  }
  return true;
}

http::Places CommitQueueUse::bytes() const {
  return {bytes_.load(std::memory_order_relaxed), most_bytes_.load(std::memory_order_relaxed),
          bytes_max_};
}

CommitQueue::Entry::Entry(CommitQueue& queue, http::Lane lane, std::size_t bytes, Time since,
                          UniqueFunction<void()> wake)
    : queue_(queue),
      bytes_(queue.use_.take(bytes) ? bytes : 0),
      since_(since),
      wake_(std::move(wake)) {
  queue.use_.waiting_.fetch_add(1, std::memory_order_relaxed);
  refused_ =
      queue.refused_ == Refused::all || (queue.refused_ == Refused::without_room && !may_commit());
  if (refused_) return;
  (may_commit() ? queue.lanes_[static_cast<std::size_t>(lane)] : queue.surplus_).push_back(*this);
  queue.schedule_if_due();
}

CommitQueue::Entry::~Entry() {
  queue_.use_.give_back(bytes_);
  queue_.use_.waiting_.fetch_sub(1, std::memory_order_relaxed);
  // Gone before it tried: whoever is next tries in the next turn.
  if (queue_.trying_ == this) queue_.trying_ = nullptr;
}

void CommitQueue::turn(Time now) {
  scheduled_ = false;
  now_ = now;
  if (trying_ == nullptr) {
    ++turns_;
    lanes_done_ = 0;
    wake_next();
  }
  schedule_if_due();
}

void CommitQueue::tried(Entry& entry, bool committed) {
  trying_ = nullptr;
  if (committed) {
    entry.unlink();
  } else {
    ++lanes_done_;
  }
  wake_next();
}

void CommitQueue::refuse_one() {
  Entry* oldest = surplus_.empty() ? nullptr : &surplus_.front();
  for (List& lane : lanes_) {
    if (lane.empty()) continue;
    Entry& first = lane.front();
    if (now_ - first.since_ < patience_) continue;
    if (oldest == nullptr || first.since_ < oldest->since_) oldest = &first;
  }
  if (oldest != nullptr) refuse(*oldest);
}

void CommitQueue::drain() {
  refused_ = Refused::without_room;
  while (!surplus_.empty()) refuse(surplus_.front());
}

void CommitQueue::close() {
  drain();
  refused_ = Refused::all;
  for (List& lane : lanes_) {
    while (!lane.empty()) refuse(lane.front());
  }
}

void CommitQueue::refuse(Entry& entry) {
  entry.unlink();
  entry.refused_ = true;
  entry.wake_();
}

void CommitQueue::wake_next() {
  const bool last_first = turns_ % limits::later_turns_share == 0;
  for (; lanes_done_ < lanes_.size(); ++lanes_done_) {
    List& lane = lanes_[last_first ? lanes_.size() - 1 - lanes_done_ : lanes_done_];
    if (lane.empty()) continue;
    trying_ = &lane.front();
    trying_->wake_();
    return;
  }
  // Now: whoever waited long has found no place in this turn either.
  refuse_one();
}

void CommitQueue::schedule_if_due() {
  const auto waits = [](const List& list) { return !list.empty(); };
  if (scheduled_ || !(waits(surplus_) || std::any_of(lanes_.begin(), lanes_.end(), waits))) return;
  scheduled_ = true;
  schedule_();
}

}  // namespace muster::net
