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

LeaseKeeper::LeaseKeeper(fleet::Nodes& nodes, fleet::Changes& changes, const std::string& url,
                         std::int64_t node, const Clock& clock, Log& log)
    : nodes_(nodes), changes_(changes), clock_(clock), log_(log) {
  if (nodes_.alone()) return;
  wakes_ = std::make_unique<store::PostgresWakes>(
      url, node, [this](std::string_view told) { changes_.hear(told); });
  nodes_.join(clock_.now());
  nodes_.wake_by([this] { wakes_->interrupt(); });
  thread_ = std::thread([this] { run(); });
  try {
    // From then on what they make is answered once this server knows it, too.
    nodes_.await_known();
  } catch (const store::StoreError&) {
    // The renewals say what is wrong.
  }
}

LeaseKeeper::~LeaseKeeper() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wakes_->interrupt();
  thread_.join();
  nodes_.wake_by({});
  nodes_.tell_all();
  try {
    nodes_.leave();
  } catch (const store::StoreError&) {
    // The others wait for one lease.
  }
}

void LeaseKeeper::run() {
  using Stopwatch = std::chrono::steady_clock;
  Stopwatch::time_point tell_at = Stopwatch::now();
  while (!stopping_) {
    if (!renew()) return;
    if (Stopwatch::now() >= tell_at) {
      tell_changes();
      tell_at = Stopwatch::now() + limits::node_renewal - limits::node_renewals_apart;
    }
    const Stopwatch::time_point due = Stopwatch::now() + limits::node_renewal;
    for (bool heard = false; !heard && !stopping_ && Stopwatch::now() < due;) {
      // Others say nothing when they have followed: whoever waits for that looks again soon.
      const bool waits = tell_followed();
      std::this_thread::sleep_for(limits::node_renewals_apart);
      const auto left = std::chrono::ceil<Duration>(due - Stopwatch::now());
      heard = wakes_->await(waits ? Duration(0) : left);
    }
  }
}

void LeaseKeeper::tell_changes() {
  const std::string told = changes_.take_for_others();
  // A server that comes to the others is looked at for the first time.
  if (nodes_.live() < 2 || (told.empty() && !changes_lost_)) return;
  changes_lost_ = !wakes_->tell(changes_lost_ ? std::string() : told);
}

/// True if something waits.
bool LeaseKeeper::tell_followed() {
  try {
    return nodes_.tell_followed();
  } catch (const store::StoreError&) {
    return false;  // the renewal says what is wrong
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
