// SPDX-License-Identifier: Apache-2.0
#include "net/client_fleet.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>
#include <system_error>

#include "base/check.h"
#include "net/client_message.h"
#include "net/client_tls.h"
#include "net/deadline_wheel.h"
#include "net/descriptor.h"
#include "net/descriptor_limit.h"
#include "net/remote.h"
#include "net/transport.h"

namespace muster::net {

namespace {

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::microseconds;

constexpr Duration tick = std::chrono::milliseconds(100);
constexpr std::size_t read_bytes = 64 * 1024;
/// Few, so that what comes of one batch does not make the next one late.
constexpr int events_at_once = 64;
/// Descriptors that the rest of the process may need.
constexpr std::uint64_t spare_descriptors = 64;

std::uint64_t ticks_of(Duration wait) {
  return static_cast<std::uint64_t>((wait + tick - Duration(1)) / tick) + 1;
}

}  // namespace

class ClientFleet::Core {
 public:
  Core(Origin origin, Remote remote, SslContextPtr context, ClientFleetOptions options)
      : origin_(std::move(origin)),
        remote_(remote),
        context_(std::move(context)),
        options_(std::move(options)),
        connections_(options_.connections),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }

  void send(std::uint32_t number, const ClientRequest& request, Duration pause);
  void cut(std::uint32_t number);
  std::uint32_t open() const { return open_; }
  Micros age() const { return std::chrono::duration_cast<Micros>(Clock::now() - made_); }
  void wait(Micros most, std::vector<Event>& events);

 private:
  enum class Stage : std::uint8_t { queued, connecting, shaking, writing, resting, reading };
  /// What the wheel holds: which connection its deadline or pause belongs to.
  struct Timer : DeadlineWheel::Entry {
    explicit Timer(std::uint32_t of) : number(of) {}
    std::uint32_t number;
  };
  /// What a connection holds while a request is in progress.
  struct Exchange {
    Exchange(std::uint32_t number, std::size_t answer_bytes_max)
        : parser(answer_bytes_max), deadline(number), rest(number) {}
    Stage stage = Stage::queued;
    bool reused = false;  // on a connection that had an answer before
    bool halved = false;  // the pause between the halves is over
    std::string bytes;
    std::size_t written = 0;
    Duration pause{0};
    AnswerParser parser;
    Timer deadline;
    Timer rest;
  };
  struct Connection {
    Descriptor socket;
    SslPtr ssl;
    std::unique_ptr<Exchange> exchange;
    std::optional<std::uint32_t> watched;  // epoll's events
    bool used = false;                     // had an answer
  };

  Connection& at(std::uint32_t number) {
    CHECK(number < connections_.size());
    return connections_[number];
  }

  void open_next();
  void begin_opening(std::uint32_t number);
  void opened(Exchange& exchange);
  void watch(std::uint32_t number, std::uint32_t events);
  void close(Connection& connection);

  void move(std::uint32_t number);
  /// The steps of a stage: true when the next stage may be tried at once.
  bool connect_step(std::uint32_t number);
  bool shake_step(std::uint32_t number);
  bool write_step(std::uint32_t number);
  bool read_step(std::uint32_t number);
  void read_idle(std::uint32_t number);
  bool rest(std::uint32_t number);
  void wake(std::uint32_t number);
  bool wait_for(std::uint32_t number, const Io& io);
  Io read_some_of(Connection& connection);

  void finish(std::uint32_t number);
  void fail(std::uint32_t number, End end, std::string why);
  void lost(std::uint32_t number);
  void advance_wheels();

  Origin origin_;
  Remote remote_;
  SslContextPtr context_;
  ClientFleetOptions options_;
  DeadlineWheel deadlines_;
  DeadlineWheel rests_;
  std::vector<Connection> connections_;
  std::deque<std::uint32_t> queue_;  // for their turn to open
  std::uint32_t opening_ = 0;
  std::uint32_t open_ = 0;
  std::vector<Event> events_;
  Descriptor epoll_;
  const Clock::time_point made_ = Clock::now();
  Clock::time_point last_tick_ = made_;
  std::array<char, read_bytes> buffer_{};
};

void ClientFleet::Core::send(std::uint32_t number, const ClientRequest& request, Duration pause) {
  Connection& connection = at(number);
  CHECK(connection.exchange == nullptr);
  auto head = write_request_head(request, origin_, options_.user_agent);
  if (!head.ok()) {
    events_.push_back({number, End::malformed, {}, head.error().message});
    return;
  }
  connection.exchange = std::make_unique<Exchange>(number, options_.response_bytes_max);
  Exchange& exchange = *connection.exchange;
  exchange.bytes = *std::move(head);
  exchange.bytes.append(request.body);
  exchange.pause = pause;
  if (connection.socket) {
    exchange.reused = connection.used;
    exchange.stage = Stage::writing;
    deadlines_.set(exchange.deadline, ticks_of(options_.request_timeout));
    move(number);
  } else {
    queue_.push_back(number);
    open_next();
  }
}

void ClientFleet::Core::cut(std::uint32_t number) {
  Connection& connection = at(number);
  if (connection.exchange) opened(*connection.exchange);
  connection.exchange.reset();
  if (connection.socket) {
    const linger hard{1, 0};
    setsockopt(connection.socket.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    // A reset says all; a goodbye through TLS would say that nothing was lost.
    close(connection);
  }
  std::erase_if(events_, [&](const Event& event) { return event.connection == number; });
  open_next();
}

void ClientFleet::Core::open_next() {
  while (opening_ < options_.opening_max && !queue_.empty()) {
    const std::uint32_t number = queue_.front();
    queue_.pop_front();
    const Connection& connection = at(number);
    // One that was cut while it waited, and may wait again further behind.
    if (connection.exchange && connection.exchange->stage == Stage::queued) begin_opening(number);
  }
}

void ClientFleet::Core::begin_opening(std::uint32_t number) {
  Connection& connection = at(number);
  Exchange& exchange = *connection.exchange;
  exchange.stage = Stage::connecting;
  ++opening_;
  deadlines_.set(exchange.deadline, ticks_of(options_.connect_timeout));
  connection.socket =
      Descriptor(::socket(remote_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!connection.socket) return fail(number, End::refused, std::strerror(errno));
  ++open_;
  connection.used = false;
  connection.watched.reset();
  const int socket = connection.socket.get();
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const bool many = options_.source_addresses > 1;
  const bool begun =
      (!many || bind_loopback(socket, remote_, number % options_.source_addresses)) &&
      begin_connect(socket, remote_);
  if (!begun) return fail(number, End::refused, std::strerror(errno));
  watch(number, EPOLLOUT);
}

/// It is no longer one of those that are opening.
void ClientFleet::Core::opened(Exchange& exchange) {
  if (exchange.stage == Stage::connecting || exchange.stage == Stage::shaking) --opening_;
}

void ClientFleet::Core::watch(std::uint32_t number, std::uint32_t events) {
  Connection& connection = at(number);
  if (connection.watched == events) return;
  epoll_event event{};
  event.events = events;
  event.data.u32 = number;
  const int how = connection.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll_.get(), how, connection.socket.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  connection.watched = events;
}

void ClientFleet::Core::close(Connection& connection) {
  connection.ssl.reset();
  connection.socket.reset();  // which also takes it out of the epoll set
  connection.watched.reset();
  --open_;
}

void ClientFleet::Core::move(std::uint32_t number) {
  if (!at(number).exchange) return read_idle(number);
  bool further = true;
  // A step that ends the exchange ends the loop.
  while (further && at(number).exchange) {
    switch (at(number).exchange->stage) {
      case Stage::queued:
        return;
      case Stage::connecting:
        further = connect_step(number);
        break;
      case Stage::shaking:
        further = shake_step(number);
        break;
      case Stage::writing:
        further = write_step(number);
        break;
      case Stage::resting:
        // Only a failure of the socket is announced while nothing is watched.
        at(number).exchange->stage = Stage::reading;
        break;
      case Stage::reading:
        further = read_step(number);
        break;
    }
  }
}

bool ClientFleet::Core::connect_step(std::uint32_t number) {
  Connection& connection = at(number);
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(connection.socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) {
    fail(number, End::refused, std::strerror(failure));
    return false;
  }
  Exchange& exchange = *connection.exchange;
  if (context_) {
    connection.ssl = make_client_ssl(context_.get(), origin_.host);
    attach_socket(connection.ssl.get(), connection.socket.get());
    exchange.stage = Stage::shaking;
    return true;
  }
  opened(exchange);
  exchange.stage = Stage::writing;
  deadlines_.set(exchange.deadline, ticks_of(options_.request_timeout));
  open_next();
  return true;
}

bool ClientFleet::Core::shake_step(std::uint32_t number) {
  Connection& connection = at(number);
  const Io io = shake_hands_as_client(connection.ssl.get());
  if (io.state == Io::State::closed) {
    const long verdict = SSL_get_verify_result(connection.ssl.get());
    if (verdict == X509_V_OK) {
      fail(number, End::refused, "closed in the TLS handshake");
    } else {
      fail(number, End::tls, std::string("certificate: ") + X509_verify_cert_error_string(verdict));
    }
    return false;
  }
  if (io.state != Io::State::done) return wait_for(number, io);
  Exchange& exchange = *connection.exchange;
  opened(exchange);
  exchange.stage = Stage::writing;
  deadlines_.set(exchange.deadline, ticks_of(options_.request_timeout));
  open_next();
  return true;
}

bool ClientFleet::Core::wait_for(std::uint32_t number, const Io& io) {
  watch(number, io.state == Io::State::wait_write ? EPOLLOUT : EPOLLIN);
  return false;
}

bool ClientFleet::Core::write_step(std::uint32_t number) {
  Connection& connection = at(number);
  Exchange& exchange = *connection.exchange;
  const bool slow = exchange.pause > Duration(0);
  const std::size_t until =
      slow && !exchange.halved ? exchange.bytes.size() / 2 : exchange.bytes.size();
  const std::string_view rest_of =
      std::string_view(exchange.bytes).substr(exchange.written, until - exchange.written);
  const Io io = connection.ssl ? write_some(connection.ssl.get(), rest_of)
                               : write_some(connection.socket.get(), rest_of);
  exchange.written += io.bytes;
  if (io.state == Io::State::closed) {
    // Even then there may be an answer: a server refuses a body without reading it, and closes.
    exchange.stage = Stage::reading;
    return true;
  }
  if (io.state != Io::State::done) return wait_for(number, io);
  if (exchange.written < until) return true;
  if (slow) return rest(number);
  exchange.stage = Stage::reading;
  // The answer is not there yet: reading at once would cost a call for nothing.
  watch(number, EPOLLIN);
  return false;
}

bool ClientFleet::Core::rest(std::uint32_t number) {
  Exchange& exchange = *at(number).exchange;
  exchange.stage = Stage::resting;
  watch(number, 0);
  rests_.set(exchange.rest, ticks_of(exchange.pause));
  return false;
}

/// A pause is over.
void ClientFleet::Core::wake(std::uint32_t number) {
  Exchange& exchange = *at(number).exchange;
  if (exchange.stage != Stage::resting) return;
  exchange.stage = exchange.halved ? Stage::reading : Stage::writing;
  exchange.halved = true;
  move(number);
}

Io ClientFleet::Core::read_some_of(Connection& connection) {
  return connection.ssl ? read_some(connection.ssl.get(), buffer_)
                        : read_some(connection.socket.get(), buffer_);
}

bool ClientFleet::Core::read_step(std::uint32_t number) {
  Connection& connection = at(number);
  const Io io = read_some_of(connection);
  if (io.state == Io::State::closed) {
    lost(number);
    return false;
  }
  if (io.state != Io::State::done) return wait_for(number, io);
  AnswerParser& parser = connection.exchange->parser;
  if (auto taken = parser.put({buffer_.data(), io.bytes}); !taken.ok()) {
    fail(number, End::malformed, taken.error().message);
    return false;
  }
  if (!parser.done()) return true;
  finish(number);
  return false;
}

/// The peer has closed while an answer was awaited.
void ClientFleet::Core::lost(std::uint32_t number) {
  Connection& connection = at(number);
  Exchange& exchange = *connection.exchange;
  if (exchange.parser.started()) {
    if (exchange.parser.end()) return finish(number);
    return fail(number, End::closed, "the answer was cut off");
  }
  if (!exchange.reused) return fail(number, End::closed, "closed without an answer");
  // It was closed before it was used again: not this request's failure.
  close(connection);
  exchange.reused = exchange.halved = false;
  exchange.written = 0;
  exchange.stage = Stage::queued;
  deadlines_.clear(exchange.deadline);
  queue_.push_back(number);
  open_next();
}

void ClientFleet::Core::read_idle(std::uint32_t number) {
  Connection& connection = at(number);
  if (!connection.socket) return;
  const Io io = read_some_of(connection);
  if (io.state == Io::State::wait_read || io.state == Io::State::wait_write) return;
  close(connection);
  events_.push_back({number, End::idle, {}, "closed by the server"});
}

void ClientFleet::Core::finish(std::uint32_t number) {
  Connection& connection = at(number);
  AnswerParser& parser = connection.exchange->parser;
  const bool whole = connection.exchange->written == connection.exchange->bytes.size();
  const bool keep = whole && parser.keep_alive();
  events_.push_back({number, End::answered, parser.take(), {}});
  connection.exchange.reset();
  connection.used = true;
  if (keep) {
    watch(number, EPOLLIN);
  } else {
    close(connection);
  }
}

void ClientFleet::Core::fail(std::uint32_t number, End end, std::string why) {
  Connection& connection = at(number);
  opened(*connection.exchange);
  connection.exchange.reset();
  if (connection.socket) close(connection);
  events_.push_back({number, end, {}, std::move(why)});
  // Not from within: when all fail at once, that would be as deep as the queue is long.
}

void ClientFleet::Core::advance_wheels() {
  const auto now = Clock::now();
  for (; last_tick_ + tick <= now; last_tick_ += tick) {
    rests_.advance([&](DeadlineWheel::Entry& entry) { wake(static_cast<Timer&>(entry).number); });
    deadlines_.advance([&](DeadlineWheel::Entry& entry) {
      const std::uint32_t number = static_cast<Timer&>(entry).number;
      const bool opening = at(number).exchange->stage < Stage::writing;
      fail(number, End::timed_out, opening ? "connecting timed out" : "timed out");
    });
  }
}

void ClientFleet::Core::wait(Micros most, std::vector<Event>& events) {
  open_next();
  // In the middle of a wait the wheels have to turn.
  const auto wait_for_this = std::clamp<Micros>(most, Micros(0), tick);
  const auto nanoseconds = events_.empty() ? std::chrono::nanoseconds(wait_for_this).count() : 0;
  const timespec timeout{0, nanoseconds};
  std::array<epoll_event, events_at_once> ready;  // NOLINT: filled by epoll
  const int count = epoll_pwait2(epoll_.get(), ready.data(), events_at_once, &timeout, nullptr);
  if (count < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
  }
  for (int i = 0; i < count; ++i) {
    const std::uint32_t number = ready[static_cast<std::size_t>(i)].data.u32;
    if (at(number).socket) move(number);
  }
  advance_wheels();
  open_next();
  std::move(events_.begin(), events_.end(), std::back_inserter(events));
  events_.clear();
}

ClientFleet::ClientFleet(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ClientFleet::~ClientFleet() = default;

Result<std::unique_ptr<ClientFleet>> ClientFleet::create(std::string_view origin,
                                                         ClientFleetOptions options) {
  CHECK(options.connections > 0 && options.opening_max > 0 && options.source_addresses > 0);
  Origin parsed = TRY(parse_callable_origin(origin));
  if (!is_field_value(options.user_agent)) return invalid_field("user_agent", "has line ends");
  TRY(allow_descriptors(options.connections + spare_descriptors));
  const Remote remote = TRY(resolve(parsed, !parsed.tls));
  SslContextPtr context;
  if (parsed.tls) context = TRY(make_client_context(options.ca_file));
  return std::unique_ptr<ClientFleet>(new ClientFleet(
      std::make_unique<Core>(std::move(parsed), remote, std::move(context), std::move(options))));
}

void ClientFleet::send(std::uint32_t connection, const ClientRequest& request, Duration pause) {
  core_->send(connection, request, pause);
}

void ClientFleet::cut(std::uint32_t connection) {
  core_->cut(connection);
}

std::uint32_t ClientFleet::open() const {
  return core_->open();
}

std::chrono::microseconds ClientFleet::age() const {
  return core_->age();
}

void ClientFleet::wait(std::chrono::microseconds most, std::vector<Event>& events) {
  core_->wait(most, events);
}

}  // namespace muster::net
