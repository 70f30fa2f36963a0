// SPDX-License-Identifier: Apache-2.0
#include "swarm/shared_wire.h"

#include <algorithm>

#include "base/check.h"

namespace muster::swarm {

SharedWire::SharedWire(Wire& wire, std::uint32_t hosts, std::uint32_t lines, std::uint32_t extra)
    : wire_(wire), hosts_(hosts), shared_(lines), lines_(lines + extra) {
  CHECK(lines > 0);
}

std::uint32_t SharedWire::line_of(std::uint32_t host) const {
  return host < hosts_ ? host % shared_ : shared_ + host - hosts_;
}

void SharedWire::send(std::uint32_t host, const net::ClientRequest& request, Duration pause) {
  const std::uint32_t number = line_of(host);
  Line& line = lines_[number];
  if (line.host) {
    line.waiting.push_back({host, request, pause});
    return;
  }
  line.host = host;
  wire_.send(number, request, pause);
}

void SharedWire::send_next(std::uint32_t number) {
  Line& line = lines_[number];
  line.host.reset();
  if (line.waiting.empty()) return;
  const Waiting next = std::move(line.waiting.front());
  line.waiting.pop_front();
  line.host = next.host;
  wire_.send(number, next.request, next.pause);
}

void SharedWire::cut(std::uint32_t host) {
  const std::uint32_t number = line_of(host);
  Line& line = lines_[number];
  if (line.host != host) {
    std::erase_if(line.waiting, [&](const Waiting& each) { return each.host == host; });
    return;
  }
  wire_.cut(number);
  send_next(number);
}

void SharedWire::wait(Micros until, std::vector<net::ClientFleet::Event>& events) {
  ended_.clear();
  wire_.wait(until, ended_);
  for (net::ClientFleet::Event& event : ended_) {
    if (event.end == net::ClientFleet::End::idle) continue;
    const std::uint32_t number = event.connection;
    CHECK(lines_[number].host.has_value());
    event.connection = *lines_[number].host;
    events.push_back(std::move(event));
    send_next(number);
  }
}

}  // namespace muster::swarm
