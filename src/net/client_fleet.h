// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/client.h"

namespace muster::net {

struct ClientFleetOptions {
  std::uint32_t connections = 1;
  /// Towards 127.0.0.0/8: connections come from so many loopback addresses in turn, for each has
  /// only as many ports as the system gives out (ip_local_port_range, usually 28,000).
  std::uint32_t source_addresses = 1;
  /// Connections that may be opening, handshake included, at a time; the others wait their turn.
  /// As many as are looked at together: a caller that is short of processor does not let them time
  /// out, and one that is not opens thousands a second all the same.
  std::uint32_t opening_max = 64;
  Duration connect_timeout = std::chrono::seconds(10);
  /// From when a request may be sent to the last byte received.
  Duration request_timeout = std::chrono::seconds(30);
  std::size_t response_bytes_max = 1024 * 1024;
  std::string user_agent = "muster";
  std::string ca_file = {};  // PEM; empty: the system's
};

/// Very many keep-alive HTTP/1.1 connections to one origin from one thread over epoll: the load of
/// a fleet (swarm/). An idle connection costs about 40 bytes, and with TLS what OpenSSL takes.
/// Certificates are proved and plain http is for loopback only, as with Client. The name is
/// resolved once. One thread only.
class ClientFleet {
 public:
  /// How a request ended.
  enum class End : std::uint8_t {
    answered,
    refused,    // no connection: refused, reset, no port left
    tls,        // certificate or handshake
    timed_out,  // of connecting or of the whole exchange
    closed,     // before the end of the answer
    malformed,  // the answer, or the request
    idle,       // no request: the peer has closed a connection that waited for its next one
  };
  struct Event {
    std::uint32_t connection = 0;
    End end = End::answered;
    ClientResponse response;  // answered
    std::string why;          // else
  };

  /// Fails with invalid_field for the origin or certificate file, and with unavailable when the
  /// name does not resolve or the process may not open so many descriptors (RLIMIT_NOFILE is raised
  /// as far as the system lets it be).
  static Result<std::unique_ptr<ClientFleet>> create(std::string_view origin,
                                                     ClientFleetOptions options);
  ~ClientFleet();
  ClientFleet(const ClientFleet&) = delete;
  ClientFleet& operator=(const ClientFleet&) = delete;

  /// Sends on a connection that has no request in progress; opens it when it is not open. Its end
  /// comes as an event, once. A kept-alive connection that turns out to be closed before any byte
  /// of the answer came is opened once more. With a `pause` it is a slow peer: the first half of
  /// the request goes out, the rest after the pause, and the answer is read after another.
  void send(std::uint32_t connection, const ClientRequest& request, Duration pause = Duration(0));

  /// Ends the connection with a reset, as a host does that lost its power or network. A request in
  /// progress is forgotten: no event comes.
  void cut(std::uint32_t connection);

  /// Connections that are open, or opening.
  std::uint32_t open() const;
  /// Since it was made, by a clock that never goes back.
  std::chrono::microseconds age() const;

  /// Moves what can be moved, and waits for events up to `most`; appends them to `events`.
  void wait(std::chrono::microseconds most, std::vector<Event>& events);

 private:
  class Core;
  explicit ClientFleet(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace muster::net
