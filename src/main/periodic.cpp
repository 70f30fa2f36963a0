// SPDX-License-Identifier: Apache-2.0
#include "main/periodic.h"

#include <algorithm>
#include <utility>

namespace muster {

Periodic::Periodic(Duration every, Work work)
    : every_(every), work_(std::move(work)), thread_([this] { run(); }) {}

Periodic::~Periodic() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ends_.notify_all();
  thread_.join();
}

void Periodic::run() {
  auto rest = std::chrono::steady_clock::duration(every_);
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, rest, [this] { return stopping_.load(); })) {
    lock.unlock();
    const auto began = std::chrono::steady_clock::now();
    work_(stopping_);
    rest = std::max<std::chrono::steady_clock::duration>(every_,
                                                         std::chrono::steady_clock::now() - began);
    lock.lock();
  }
}

}  // namespace muster
