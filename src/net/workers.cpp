// SPDX-License-Identifier: Apache-2.0
#include "net/workers.h"

#include <algorithm>

namespace muster::net {

Workers::Workers(http::Application& application, std::size_t threads, std::size_t waiting_max)
    : service_(application), waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  stop();
}

bool Workers::submit(Work& work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= waiting_max_) return false;
    waiting_.push_back(std::move(work));
    most_waiting_ = std::max(most_waiting_, waiting_.size());
  }
  wake_.notify_one();
  return true;
}

http::Places Workers::use() {
  const std::lock_guard lock(mutex_);
  return {waiting_.size(), most_waiting_, waiting_max_};
}

void Workers::go_on(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::run() {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (work.exchange->stream) {
      work.exchange->read_piece();
      work.reply_to->deliver({work.ticket, {}, std::move(work.exchange)});
      continue;
    }
    http::Reply reply = service_.handle(work.exchange->admission, *work.exchange->request);
    work.reply_to->deliver({work.ticket, std::move(reply), std::move(work.exchange)});
  }
}

}  // namespace muster::net
