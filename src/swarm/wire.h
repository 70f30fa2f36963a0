// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "net/client_fleet.h"
#include "swarm/histogram.h"

namespace muster::swarm {

/// The connections of a fleet, and its clocks: real ones in NetWire, none in tests.
class Wire {
 public:
  virtual ~Wire() = default;
  /// Monotonic, since some moment before the run.
  virtual Micros now() const = 0;
  virtual Instant wall() const = 0;
  /// As net::ClientFleet has them.
  virtual void send(std::uint32_t connection, const net::ClientRequest& request,
                    Duration pause) = 0;
  virtual void cut(std::uint32_t connection) = 0;
  /// Returns at `until` or when there are events, whichever is first; earlier is allowed.
  virtual void wait(Micros until, std::vector<net::ClientFleet::Event>& events) = 0;
};

class NetWire final : public Wire {
 public:
  /// Both outlive the wire.
  NetWire(net::ClientFleet& fleet, const Clock& clock) : fleet_(fleet), clock_(clock) {}

  Micros now() const override { return fleet_.age(); }
  Instant wall() const override { return clock_.now(); }
  void send(std::uint32_t connection, const net::ClientRequest& request, Duration pause) override {
    fleet_.send(connection, request, pause);
  }
  void cut(std::uint32_t connection) override { fleet_.cut(connection); }
  void wait(Micros until, std::vector<net::ClientFleet::Event>& events) override {
    fleet_.wait(until - fleet_.age(), events);
  }

 private:
  net::ClientFleet& fleet_;
  const Clock& clock_;
};

}  // namespace muster::swarm
