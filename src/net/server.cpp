// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "net/descriptor.h"
#include "net/io_thread.h"

namespace muster::net {

namespace {

/// Descriptors for everything that is no connection: store, logs, epoll, listeners.
constexpr std::size_t other_descriptors = 256;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Address parse_address(const std::string& text, std::uint16_t port) {
  Address out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
  } else {
    errno = EINVAL;
    fail("listen address " + text);
  }
  return out;
}

void set_option(int socket, int level, int option, int value) {
  if (setsockopt(socket, level, option, &value, sizeof value) != 0) fail("setsockopt");
}

Descriptor bind_to(const std::string& address, std::uint16_t port, bool shared) {
  const Address parsed = parse_address(address, port);
  Descriptor socket(
      ::socket(parsed.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) fail("socket");
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  // "::" takes IPv4 callers as well, whatever the machine's default says.
  if (parsed.storage.ss_family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&parsed.storage), parsed.size) != 0) {
    fail("bind " + address + ":" + std::to_string(port));
  }
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) fail("getsockname");
  if (own.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &own, sizeof v4);
    return ntohs(v4.sin_port);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &own, sizeof v6);
  return ntohs(v6.sin6_port);
}

std::size_t affordable_connections(std::size_t wanted) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) fail("getrlimit");
  const auto most = static_cast<std::size_t>(files.rlim_cur);
  return std::min(wanted, most > 2 * other_descriptors ? most - other_descriptors : most / 2);
}

/// That this process may run on, which a service's or a container's CPU set makes fewer than the
/// machine has: two threads on one processor would only push each other out of its caches.
std::size_t own_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::thread::hardware_concurrency();
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

ServerOptions completed(ServerOptions options) {
  if (options.io_threads == 0) options.io_threads = std::max<std::size_t>(1, own_processors());
  options.connections_max = affordable_connections(options.connections_max);
  return options;
}

}  // namespace

std::size_t drain_lot_size(std::size_t sessions, const ServerOptions& options) {
  const auto pauses = static_cast<std::size_t>(options.drain_timeout / 2 / options.drain_pause);
  const std::size_t lots = pauses + 1;
  return std::max({(sessions + lots - 1) / lots, options.drain_lot, std::size_t{1}});
}

struct Server::Parts {
  ServerShared shared;
  std::vector<std::unique_ptr<IoThread>> threads = {};
  std::uint16_t port = 0;
  bool drained = false;

  Parts(http::Application& application, const Clock& clock, Log& log, const ServerOptions& options)
      : shared{application,
               clock,
               log,
               options,
               Workers(application, {.threads = options.worker_threads,
                                     .waiting_max = options.reads_in_flight,
                                     .operators_waiting_max = options.operator_reads_in_flight,
                                     .strangers_waiting_max = options.reads_in_flight,
                                     .keeps_one_for_agents = true}),
               Workers(application, {.threads = options.slow_threads,
                                     .waiting_max = options.slow_in_flight,
                                     .operators_waiting_max = options.slow_in_flight,
                                     .strangers_waiting_max = options.slow_strangers_in_flight}),
               http::BodyBudget(options.bodies),
               CommitQueueUse(options.waiting_writes_bytes)} {}
};

Server::Server(http::Application& application, const Clock& clock, Log& log, ServerOptions options)
    : parts_(std::make_unique<Parts>(application, clock, log, completed(std::move(options)))) {}

Server::~Server() {
  drain();
}

void Server::start() {
  CHECK(parts_->threads.empty() && !parts_->drained);
  const ServerOptions& options = parts_->shared.options;
  // SO_REUSEPORT would let a second server of the same user take half of the callers unnoticed:
  // ask without it first.
  bind_to(options.address, options.port, false);
  std::vector<Descriptor> listeners;
  std::uint16_t port = options.port;
  for (std::size_t i = 0; i < options.io_threads; ++i) {
    listeners.push_back(bind_to(options.address, port, true));
    port = port_of(listeners.back().get());
  }
  for (const Descriptor& listener : listeners) {
    if (::listen(listener.get(), SOMAXCONN) != 0) fail("listen");
  }
  parts_->port = port;
  for (Descriptor& listener : listeners) {
    parts_->threads.push_back(std::make_unique<IoThread>(parts_->shared, std::move(listener)));
  }
  for (auto& thread : parts_->threads) thread->start();
}

std::uint16_t Server::port() const {
  return parts_->port;
}

std::size_t Server::connections() const {
  return parts_->shared.connections.load();
}

http::TransportUse Server::use() {
  ServerShared& shared = parts_->shared;
  http::TransportUse use;
  use.connections = {shared.connections.load(), shared.most_connections.load(),
                     shared.options.connections_max};
  use.reads = shared.workers.use();
  use.slow = shared.slow_workers.use();
  use.streams = {shared.streams.load(), 0, shared.options.streams_max};
  use.stranger_streams = {shared.stranger_streams.load(), 0, shared.options.stranger_streams_max};
  use.bodies = shared.bodies.use();
  use.waiting_writes = shared.waiting_writes.bytes();
  use.waiting = shared.waiting_writes.waiting();
  return use;
}

void Server::drain() {
  Parts& parts = *parts_;
  if (std::exchange(parts.drained, true)) return;
  ServerShared& shared = parts.shared;
  shared.draining = true;
  const auto all_gone_within = [&](Duration time) {
    std::unique_lock lock(shared.mutex);
    return shared.none_left.wait_for(lock, time, [&] { return shared.connections.load() == 0; });
  };
  const Duration refusals = std::min(shared.options.drain_refusals, shared.options.drain_timeout);
  for (auto& thread : parts.threads) thread->drain();
  if (!all_gone_within(shared.options.drain_timeout - refusals)) {
    for (auto& thread : parts.threads) thread->refuse_writes();
    all_gone_within(refusals);
  }
  for (auto& thread : parts.threads) thread->cut();
  shared.workers.stop();
  shared.slow_workers.stop();
  for (auto& thread : parts.threads) thread->join();
}

}  // namespace muster::net
