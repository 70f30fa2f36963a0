// SPDX-License-Identifier: Apache-2.0
#include "main/watch_keeper.h"

namespace muster {

namespace {

constexpr auto tell_every = std::chrono::seconds(1);

}  // namespace

WatchKeeper::WatchKeeper(endpoints::Wiring& wiring, const Clock& clock)
    : wiring_(wiring), clock_(clock), thread_([this] { run(); }) {}

WatchKeeper::~WatchKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ends_.notify_all();
  thread_.join();
}

void WatchKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, tell_every, [this] { return stopping_; })) {
    lock.unlock();
    wiring_.app.failures.tell(clock_.now());
    wiring_.ask_store(clock_.now());
    wiring_.tell_watchers(clock_.now());
    lock.lock();
  }
}

}  // namespace muster
