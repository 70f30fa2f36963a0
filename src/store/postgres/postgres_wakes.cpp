// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_wakes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits.h"

namespace muster::store {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::string_view told_channel = "muster_changes";

/// How long an answer may take. The lease is renewed on the same thread, and is lost after
/// limits::node_lease: connecting (2 s for each host of the address that does not answer, the least
/// that libpq knows) and one answer fit.
constexpr Duration patience = std::chrono::seconds(1);
static_assert(std::chrono::seconds(2) + patience + limits::node_renewal <
              limits::node_lease - limits::node_lease_margin);

/// As poll(2) takes it.
int milliseconds_to(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

struct PostgresWakes::Connection {
  explicit Connection(PGconn* of) : libpq(of) {}
  ~Connection() { PQfinish(libpq); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Nothing when the database cannot be reached.
  static std::unique_ptr<Connection> open(const std::string& url) {
    // Later entries win: the address says how long other connections may take, not this one.
    constexpr std::array<const char*, 6> names = {"tcp_user_timeout",          "keepalives_idle",
                                                  "fallback_application_name", "dbname",
                                                  "connect_timeout",           nullptr};
    const std::array<const char*, 6> values = {"15000", "10", "musterd", url.c_str(), "2", nullptr};
    auto connection =
        std::make_unique<Connection>(PQconnectdbParams(names.data(), values.data(), 1));
    PGconn* libpq = connection->libpq;
    if (PQstatus(libpq) != CONNECTION_OK || PQsetnonblocking(libpq, 1) != 0) return nullptr;
    if (PQsendQuery(libpq, "LISTEN muster; LISTEN muster_changes") == 0) return nullptr;
    return connection->finish() ? std::move(connection) : nullptr;
  }

  /// Whether the database did what was sent. If it does not say so in time, the connection is of
  /// no use any more.
  bool finish() {
    const Clock::time_point until = Clock::now() + patience;
    bool done = true;
    while (await_answer(until)) {
      PGresult* answer = PQgetResult(libpq);
      if (answer == nullptr) return done;
      const ExecStatusType status = PQresultStatus(answer);
      done = done && (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
      PQclear(answer);
    }
    return false;
  }

  /// True when the next answer can be taken without waiting.
  bool await_answer(Clock::time_point until) {
    for (;;) {
      const int unsent = PQflush(libpq);
      if (unsent < 0) return false;
      if (PQisBusy(libpq) == 0) return true;
      const short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
      pollfd socket{PQsocket(libpq), events, 0};
      const int ready = ::poll(&socket, 1, milliseconds_to(until));
      if (ready == 0) return false;
      if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(libpq) == 0) return false;
    }
  }

  PGconn* libpq;
};

PostgresWakes::PostgresWakes(std::string url, std::int64_t node,
                             std::function<void(std::string_view)> told)
    : url_(std::move(url)),
      own_(std::to_string(node)),
      told_(std::move(told)),
      interrupted_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (interrupted_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

PostgresWakes::~PostgresWakes() {
  ::close(interrupted_);
}

void PostgresWakes::interrupt() {
  const std::uint64_t one = 1;
  // Full only when it is set already.
  [[maybe_unused]] const ssize_t written = ::write(interrupted_, &one, sizeof one);
}

/// True on a new connection: what was said before it listened, nobody repeats.
bool PostgresWakes::connect() {
  connection_ = Connection::open(url_);
  if (connection_ && told_) told_({});
  return connection_ != nullptr;
}

bool PostgresWakes::tell(const std::string& text) {
  if (!connection_) return false;
  const char* value = text.c_str();
  if (PQsendQueryParams(connection_->libpq, "SELECT pg_notify('muster_changes', $1)", 1, nullptr,
                        &value, nullptr, nullptr, 0) == 1 &&
      connection_->finish()) {
    return true;
  }
  connection_.reset();
  return false;
}

/// Whether somebody else announced something; passes on what was told, and forgets what was read.
bool PostgresWakes::heard() {
  bool others = false;
  while (PGnotify* wake = PQnotifies(connection_->libpq)) {
    if (told_channel != wake->relname) {
      others = others || own_ != wake->extra;
    } else if (told_ && wake->be_pid != PQbackendPID(connection_->libpq)) {
      told_(wake->extra);
    }
    PQfreemem(wake);
  }
  return others;
}

/// False when the wait is over.
bool PostgresWakes::wait_for_socket(Clock::time_point until) {
  std::array<pollfd, 2> sources = {
      pollfd{interrupted_, POLLIN, 0},
      pollfd{connection_ ? PQsocket(connection_->libpq) : -1, POLLIN, 0}};
  const int ready = ::poll(sources.data(), sources.size(), milliseconds_to(until));
  if (ready == 0) return false;
  std::uint64_t times = 0;
  return ::read(interrupted_, &times, sizeof times) < 0;
}

bool PostgresWakes::await(Duration at_most) {
  const Clock::time_point until = Clock::now() + at_most;
  if (!connection_ && connect()) return true;
  // What a call of libpq has read already makes no socket ready.
  if (connection_ && heard()) return true;
  while (wait_for_socket(until)) {
    if (PQconsumeInput(connection_->libpq) == 0) {
      if (connect()) return true;
      continue;  // the next call tries again
    }
    if (heard()) return true;
  }
  return false;
}

}  // namespace muster::store
