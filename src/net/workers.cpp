// SPDX-License-Identifier: Apache-2.0
#include "net/workers.h"

#include <algorithm>

#include "base/limits.h"

namespace muster::net {

namespace {

/// A request, and no piece of an answer, of a caller who has proved nothing.
bool is_of_stranger(const Work& work) {
  return !work.exchange->stream &&
         work.exchange->request->caller.kind == http::Caller::Kind::nobody;
}

}  // namespace

Workers::Workers(http::Application& application, const WorkerBounds& bounds)
    : service_(application), bounds_(bounds) {
  for (std::size_t i = 0; i < bounds.threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  stop();
}

Workers::Queue Workers::queue_of(http::Lane lane) {
  if (lane == http::Lane::agents) return agents;
  return lane == http::Lane::reports ? reports : operators;
}

std::size_t Workers::requests_waiting() const {
  return waiting_[agents].size() + waiting_[reports].size() + waiting_[operators].size();
}

bool Workers::submit(Work& work) {
  const Queue queue = queue_of(work.exchange->admission.lane);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || requests_waiting() >= bounds_.waiting_max) return false;
    if (queue == operators && waiting_[queue].size() >= bounds_.operators_waiting_max) return false;
    const bool stranger = is_of_stranger(work);
    if (stranger && strangers_ >= bounds_.strangers_waiting_max) return false;
    if (stranger) ++strangers_;
    waiting_[queue].push_back(std::move(work));
    most_waiting_ = std::max(most_waiting_, requests_waiting());
  }
  wake_.notify_one();
  return true;
}

http::Places Workers::use() {
  const std::lock_guard lock(mutex_);
  return {requests_waiting(), most_waiting_, bounds_.waiting_max};
}

void Workers::go_on(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    waiting_[pieces].push_back(std::move(work));
  }
  wake_.notify_one();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& queue : waiting_) queue.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::deque<Work>* Workers::next_queue() {
  const bool keeps_one = bounds_.keeps_one_for_agents && bounds_.threads > 1;
  const bool operators_may = !keeps_one || for_operators_ + 1 < bounds_.threads;
  const bool last_first = (turns_ + 1) % limits::later_reads_share == 0;
  for (std::size_t i = 0; i < queue_count; ++i) {
    const std::size_t at = last_first ? queue_count - 1 - i : i;
    if (waiting_[at].empty() || (at == operators && !operators_may)) continue;
    return &waiting_[at];
  }
  return nullptr;
}

void Workers::run() {
  for (;;) {
    Work work;
    bool for_operators = false;
    {
      std::unique_lock lock(mutex_);
      std::deque<Work>* queue = nullptr;
      wake_.wait(lock, [&] { return stopping_ || (queue = next_queue()) != nullptr; });
      if (stopping_) return;
      work = std::move(queue->front());
      queue->pop_front();
      if (is_of_stranger(work)) --strangers_;
      ++turns_;
      for_operators = queue == &waiting_[operators];
      if (for_operators) ++for_operators_;
    }
    if (work.exchange->stream) {
      work.exchange->read_piece();
      work.reply_to->deliver({work.ticket, {}, std::move(work.exchange)});
      continue;
    }
    http::Reply reply = service_.handle(work.exchange->admission, *work.exchange->request);
    work.reply_to->deliver({work.ticket, std::move(reply), std::move(work.exchange)});
    if (!for_operators) continue;
    const std::lock_guard lock(mutex_);
    --for_operators_;
    // This thread may take something else now, and another sleep that may take operators' work.
    if (!waiting_[operators].empty()) wake_.notify_one();
  }
}

}  // namespace muster::net
