// SPDX-License-Identifier: Apache-2.0
#include "main/lease_keeper.h"

#include <csignal>

#include <time.h>
#include <unistd.h>

#include "store/driver.h"

namespace muster {

fleet::NodeTime node_time() {
  return {[] {
            timespec at{};
            CHECK(::clock_gettime(CLOCK_BOOTTIME, &at) == 0);
            return std::chrono::duration_cast<model::Uptime>(std::chrono::seconds(at.tv_sec) +
                                                             std::chrono::nanoseconds(at.tv_nsec));
          },
          [](Duration time) { std::this_thread::sleep_for(time); }};
}

LeaseKeeper::LeaseKeeper(fleet::Nodes& nodes, const Clock& clock, Log& log)
    : nodes_(nodes), clock_(clock), log_(log) {
  if (nodes_.alone()) return;
  nodes_.refuse_company();
  nodes_.join(clock_.now());
  thread_ = std::thread([this] { run(); });
}

LeaseKeeper::~LeaseKeeper() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_one();
  thread_.join();
  try {
    nodes_.leave();
  } catch (const store::StoreError&) {
    // The next server waits for one lease.
  }
}

void LeaseKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_changed_.wait_for(lock, limits::node_renewal, [&] { return stopping_; })) {
    lock.unlock();
    const bool goes_on = renew();
    lock.lock();
    if (!goes_on) return;
  }
}

/// False when there is nothing left to renew.
bool LeaseKeeper::renew() {
  try {
    nodes_.renew(clock_.now());
    if (failing_) log_.write(LogLevel::info, "lease_renewed");
    failing_ = false;
    return true;
  } catch (const store::StoreError& failure) {
    if (!failing_) {
      log_.write(LogLevel::error, "lease_not_renewed",
                 [&](JsonWriter& fields) { fields.member("what", failure.what()); });
    }
    failing_ = true;
    return true;
  } catch (const std::runtime_error& failure) {
    log_.write(LogLevel::error, "lease_lost",
               [&](JsonWriter& fields) { fields.member("what", failure.what()); });
    ::kill(::getpid(), SIGTERM);
    return false;
  }
}

}  // namespace muster
