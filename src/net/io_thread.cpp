// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "net/answer.h"
#include "net/session.h"
#include "net/transport.h"

namespace muster::net {

namespace {

constexpr std::size_t exchanges_kept = 64;
/// Connections taken before the ones already open get their turn.
constexpr int accepts_per_turn = 64;
constexpr auto descriptor_pause = std::chrono::milliseconds(200);

/// A quarter of the shortest timeout, so that none is missed by much, and at most a second.
Duration tick_of(const ServerOptions& options) {
  const Duration shortest =
      std::min({options.handshake_timeout, options.head_timeout, options.body_timeout,
                options.write_timeout, options.idle_timeout});
  return std::clamp<Duration>(shortest / 4, Duration(5), std::chrono::seconds(1));
}

IpAddress address_of(const sockaddr_storage& peer) {
  IpAddress out;
  if (peer.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &peer, sizeof v4);
    return ipv4_address(&v4.sin_addr);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &peer, sizeof v6);
  std::memcpy(out.bytes.data(), &v6.sin6_addr, out.bytes.size());
  return out;
}

asio::ip::tcp protocol_of(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size);
  return own.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

}  // namespace

IoThread::IoThread(ServerShared& shared, Descriptor listener)
    : shared_(shared),
      tick_(tick_of(shared.options)),
      read_buffer_(std::make_unique<char[]>(read_buffer_bytes)),
      commits_(shared.waiting_writes, shared.options.write_patience,
               [this] { schedule_commits(); }),
      protocol_(protocol_of(listener.get())),
      io_(1),
      guard_(io_.get_executor()),
      acceptor_(io_),
      ticker_(io_),
      accept_pause_(io_),
      commit_pause_(io_),
      drain_pause_(io_),
      handshakes_(shared.options.handshakes_max, limits::handshake_steps_per_turn,
                  [this] { asio::post(io_, [this] { handshakes_.turn(); }); }),
      mailbox_(
          std::make_shared<Mailbox>([this] { asio::post(io_, [this] { take_deliveries(); }); })) {
  acceptor_.assign(protocol_, listener.give_up());
}

IoThread::~IoThread() {
  mailbox_->close();
}

void IoThread::start() {
  // A thread that no longer accepts or times out must not look alive: this ends the process.
  const auto must_not_fail = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  asio::co_spawn(io_, accept(), must_not_fail);
  asio::co_spawn(io_, keep_deadlines(), must_not_fail);
  thread_ = std::thread([this] { io_.run(); });
}

void IoThread::drain() {
  asio::post(io_, [this] { drain_here(); });
}

void IoThread::refuse_writes() {
  asio::post(io_, [this] { commits_.close(); });
}

void IoThread::cut() {
  asio::post(io_, [this] { cut_here(); });
}

void IoThread::join() {
  asio::post(io_, [this] {
    ticker_.cancel();
    guard_.reset();
  });
  if (thread_.joinable()) thread_.join();
}

std::string_view IoThread::http_date(Instant now) {
  const std::int64_t second = now.unix_ms / 1000;
  // A request that waited shows an earlier second: only a clock that was set back may go back.
  constexpr std::int64_t waited_seconds_max = 120;
  if (second > date_second_ || second < date_second_ - waited_seconds_max) {
    date_ = format_http_date(now);
    date_second_ = second;
  }
  return date_;
}

std::unique_ptr<Exchange> IoThread::take_exchange() {
  if (free_exchanges_.empty()) return std::make_unique<Exchange>();
  auto taken = std::move(free_exchanges_.back());
  free_exchanges_.pop_back();
  return taken;
}

void IoThread::give_back(std::unique_ptr<Exchange> exchange) {
  if (free_exchanges_.size() >= exchanges_kept) return;
  exchange->clear();
  free_exchanges_.push_back(std::move(exchange));
}

void IoThread::set_deadline(DeadlineWheel::Entry& entry, Duration delay) {
  const auto ticks = (delay.count() + tick_.count() - 1) / tick_.count();
  // One more, since the current tick has begun already: never early.
  wheel_.set(entry, static_cast<std::uint64_t>(ticks) + 1);
}

void IoThread::closed() {
  if (shared_.connections.fetch_sub(1) == 1 && draining()) {
    const std::lock_guard lock(shared_.mutex);
    shared_.none_left.notify_all();
  }
}

Task<Delivery> IoThread::wait_delivery(std::uint64_t ticket) {
  Delivery delivery;
  co_await asio::async_initiate<decltype(use_task), void()>(
      [&](auto handler) {
        waiting_.emplace(ticket, Waiting{&delivery, [held = std::move(handler)]() mutable {
                                           std::move(held)();
                                         }});
      },
      use_task);
  co_return delivery;
}

Task<void> IoThread::wait_handshake_place() {
  co_await asio::async_initiate<decltype(use_task), void()>(
      [&](auto handler) {
        handshakes_.enter([held = std::move(handler)]() mutable { std::move(held)(); });
      },
      use_task);
}

Task<void> IoThread::wait_handshake_turn() {
  co_await asio::async_initiate<decltype(use_task), void()>(
      [&](auto handler) {
        handshakes_.step([held = std::move(handler)]() mutable { std::move(held)(); });
      },
      use_task);
}

void IoThread::take_deliveries() {
  for (Delivery& delivery : mailbox_->take()) {
    const auto found = waiting_.find(delivery.ticket);
    if (found == waiting_.end()) {
      wake_live(delivery.ticket);
      continue;
    }
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    *waiting.out = std::move(delivery);
    waiting.resume();
  }
}

void IoThread::wake_live(std::uint64_t ticket) {
  // Gone when the session was cut off meanwhile.
  const auto found = live_.find(ticket);
  if (found != live_.end()) found->second->wake();
}

void IoThread::schedule_commits() {
  commit_pause_.expires_after(limits::write_turn);
  commit_pause_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) commits_.turn(std::chrono::steady_clock::now());
  });
}

Task<void> IoThread::keep_deadlines() {
  while (guard_.owns_work()) {
    ticker_.expires_after(tick_);
    const auto [failed] = co_await ticker_.async_wait(use_task_tuple);
    if (failed) co_return;
    wheel_.advance([](DeadlineWheel::Entry& entry) { static_cast<Session&>(entry).close(); });
  }
}

Task<void> IoThread::accept() {
  while (acceptor_.is_open()) {
    const auto [failed] = co_await acceptor_.async_wait(Acceptor::wait_read, use_task_tuple);
    if (failed) co_return;
    Accepted last = Accepted::one;
    for (int i = 0; i < accepts_per_turn && last == Accepted::one; ++i) last = accept_one();
    if (last != Accepted::out_of_descriptors) continue;
    shared_.log.write(LogLevel::warning, "accept_failed",
                      [](JsonWriter& f) { f.member("reason", "out of descriptors or memory"); });
    accept_pause_.expires_after(descriptor_pause);
    co_await accept_pause_.async_wait(use_task_tuple);
  }
}

IoThread::Accepted IoThread::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Descriptor socket(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                              &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    switch (errno) {
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return Accepted::out_of_descriptors;
      case ECONNABORTED:
      case EINTR:
      case EPROTO:
        return Accepted::one;  // that caller has gone: look for the next
      default:
        return Accepted::nobody;
    }
  }
  const IpAddress peer = address_of(address);
  const std::size_t others = shared_.connections.fetch_add(1);
  std::size_t most = shared_.most_connections.load();
  while (others + 1 > most && !shared_.most_connections.compare_exchange_weak(most, others + 1)) {
  }
  if (others >= shared_.options.connections_max) {
    refuse_connection(socket.get(), peer);
    closed();
    return Accepted::one;
  }
  open_session(std::move(socket), peer);
  return Accepted::one;
}

void IoThread::refuse_connection(int socket, const IpAddress& peer) {
  // Shaking hands in order to say so would cost more than serving: TLS callers are just cut off.
  if (shared_.options.tls != nullptr) return;
  http::Request request;
  const std::string address = format_ip_address(peer);
  request.peer_address = address;
  request.now = shared_.clock.now();
  const http::Response response =
      shared_.application.refuse(request, overloaded("Too many connections"));
  std::string& out = answer_buffer();
  append_answer_head(out, response, {.date = http_date(request.now), .close = true});
  out.append(response.body);
  write_some(socket, out);
}

Error IoThread::overloaded(std::string message) {
  // Spread, so that those refused together do not come back together.
  constexpr std::uint64_t spread_seconds = 8;
  const auto seconds = static_cast<int>(next_ticket() % spread_seconds) + 1;
  return {Errc::overloaded, std::move(message), {}, seconds};
}

void IoThread::open_session(Descriptor socket, const IpAddress& peer) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Socket owned(io_);
  owned.assign(protocol_, socket.give_up());
  auto session = std::make_unique<Session>(*this, std::move(owned), peer);
  sessions_.push_back(*session);
  asio::co_spawn(io_, Session::run(std::move(session)), [this](std::exception_ptr failure) {
    if (!failure) return;
    shared_.log.write(LogLevel::error, "session_failed", [&](JsonWriter& f) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& e) {
        f.member("reason", e.what());
      }
    });
  });
}

void IoThread::drain_here() {
  while (accept_one() == Accepted::one) {
  }
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  // Nothing is asked on these any more: to keep them open is of no use to whoever listens.
  for (const auto& [ticket, session] : live_) session->drain();
  drain_lot(drain_lot_size(sessions_.size(), shared_.options));
  commits_.drain();
}

void IoThread::drain_lot(std::size_t size) {
  for (std::size_t i = 0; i < size && !sessions_.empty(); ++i) {
    SessionLink& link = sessions_.front();
    sessions_.pop_front();
    drained_.push_back(link);
    static_cast<Session&>(link).drain();
  }
  if (sessions_.empty()) return;
  drain_pause_.expires_after(shared_.options.drain_pause);
  drain_pause_.async_wait([this, size](const boost::system::error_code& failed) {
    if (!failed) drain_lot(size);
  });
}

void IoThread::cut_here() {
  drain_pause_.cancel();
  drained_.splice(drained_.end(), sessions_);
  for (SessionLink& link : drained_) static_cast<Session&>(link).close();
  for (auto& [ticket, waiting] : std::exchange(waiting_, {})) waiting.resume();
}

}  // namespace muster::net
