// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "swarm/wire.h"

namespace muster::swarm {

/// Many hosts on few connections, as behind a proxy that keeps those to its servers: a host's call
/// takes its line when that is free and waits for it otherwise. Each host has one line; what comes
/// after the hosts (orders, metrics) has a line of its own.
class SharedWire final : public Wire {
 public:
  /// `wire` has lines + extra connections, is used by nobody else and outlives this.
  SharedWire(Wire& wire, std::uint32_t hosts, std::uint32_t lines, std::uint32_t extra);

  Micros now() const override { return wire_.now(); }
  Instant wall() const override { return wire_.wall(); }
  void send(std::uint32_t host, const net::ClientRequest& request, Duration pause) override;
  /// Ends the host's call, and its line's connection if the call is on it: a proxy closes that,
  /// too, for it cannot tell what of the call the server has taken.
  void cut(std::uint32_t host) override;
  /// A line that closes between calls is no host's loss: such events end here.
  void wait(Micros until, std::vector<net::ClientFleet::Event>& events) override;

 private:
  struct Waiting {
    std::uint32_t host;
    net::ClientRequest request;
    Duration pause;
  };
  struct Line {
    std::optional<std::uint32_t> host;  // whose call is on it
    std::deque<Waiting> waiting;
  };
  std::uint32_t line_of(std::uint32_t host) const;
  void send_next(std::uint32_t line);

  Wire& wire_;
  std::uint32_t hosts_;
  std::uint32_t shared_;
  std::vector<Line> lines_;
  std::vector<net::ClientFleet::Event> ended_;
};

}  // namespace muster::swarm
