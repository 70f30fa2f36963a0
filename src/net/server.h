// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "http/application.h"
#include "http/body_budget.h"
#include "http/transport_use.h"

namespace muster::net {

class ServerTls;

/// Where a server listens and what it tolerates. The defaults are the product's (base/limits.h).
struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6
  std::uint16_t port = 0;             // 0: any free one
  std::size_t io_threads = 0;         // 0: one per core
  std::size_t worker_threads = 2;
  /// For RunOn::slow.
  std::size_t slow_threads = limits::slow_threads;
  /// Over all threads; the next caller gets 503. Lowered to what the process may open.
  std::size_t connections_max = limits::connections;
  /// Answers under way that are read piece by piece; the next one is 503.
  std::size_t streams_max = limits::streams;
  /// Of these, to callers of whom nothing was proved.
  std::size_t stranger_streams_max = limits::stranger_streams;
  std::size_t reads_in_flight = limits::reads_in_flight;
  /// Of these, operators'.
  std::size_t operator_reads_in_flight = limits::operator_reads_in_flight;
  std::size_t slow_in_flight = limits::slow_in_flight;
  /// Of these, of callers who have proved nothing: those that sign in with a password.
  std::size_t slow_strangers_in_flight = limits::slow_strangers_in_flight;
  std::size_t inline_body_bytes = limits::inline_body_bytes;
  http::BodyBounds bodies = {};
  std::size_t waiting_writes_bytes = limits::waiting_writes_bytes;
  Duration write_patience = limits::write_patience;
  ServerTls* tls = nullptr;  // must outlive the server; without it HTTP is plain
  /// Proxies that are believed when they say who their client is.
  std::vector<IpNetwork> trusted_proxies = {};
  /// Connections from them begin with a PROXY protocol version 2 header.
  bool proxy_protocol = false;
  /// On each IO thread.
  std::size_t handshakes_max = limits::handshakes;
  Duration handshake_timeout = limits::handshake_timeout;
  Duration head_timeout = limits::head_timeout;
  Duration body_timeout = limits::body_timeout;
  Duration write_timeout = limits::write_timeout;
  /// Large bodies and answers get time on top of those two, at this rate.
  std::size_t slowest_bytes_per_second = limits::slowest_bytes_per_second;
  Duration idle_timeout = limits::idle_timeout;
  /// How long a live body may say nothing, not even that it is there.
  Duration live_silence = std::chrono::seconds(90);
  Duration drain_timeout = limits::drain_timeout;
  /// So long before its end, writes that still wait for a place with the writer are refused.
  Duration drain_refusals = limits::drain_refusals;
  /// Idle connections are closed so many at once on each IO thread, and as many after each pause.
  /// Where that takes more than half of drain_timeout the lots are larger.
  std::size_t drain_lot = 200;
  Duration drain_pause = std::chrono::milliseconds(20);
};

/// How many of `sessions` on one IO thread are to drain at a time.
std::size_t drain_lot_size(std::size_t sessions, const ServerOptions& options);

/// Serves HTTP/1.1 (RFC 9112) from an Application: one IO thread per core, each with its own
/// listening socket (SO_REUSEPORT), a few workers for what reads the store, and some for what takes
/// long.
class Server {
 public:
  /// `application`, `clock` and `log` must outlive the server.
  Server(http::Application& application, const Clock& clock, Log& log, ServerOptions options = {});
  /// Drains if drain() was not called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Returns once it listens. Throws std::system_error if it cannot, also when somebody listens on
  /// that port already. Call once.
  void start();

  /// The port in use, after start().
  std::uint16_t port() const;

  /// Connections that are open now.
  std::size_t connections() const;

  /// What is taken of all that options bound. Safe from any thread.
  http::TransportUse use();

  /// Stops accepting, closes live bodies at once and idle connections in lots, lets requests finish
  /// that run or come on connections still open (their answers say `Connection: close`) for at most
  /// `drain_timeout`, cuts off the rest, joins all threads. Writes that wait for a place with the
  /// writer are such requests until `drain_refusals` before that; then they get 503. An answer that
  /// commits later is dropped. Further calls do nothing. Not from a server's thread.
  void drain();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace muster::net
