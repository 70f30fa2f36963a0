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

namespace muster::store {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::string_view told_channel = "muster_changes";

}  // namespace

struct PostgresWakes::Connection {
  explicit Connection(PGconn* of) : libpq(of) {}
  ~Connection() { PQfinish(libpq); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Nothing when the database cannot be reached.
  static std::unique_ptr<Connection> open(const std::string& url) {
    constexpr std::array<const char*, 6> names = {"connect_timeout", "tcp_user_timeout",
                                                  "keepalives_idle", "fallback_application_name",
                                                  "dbname",          nullptr};
    const std::array<const char*, 6> values = {"5", "15000", "10", "musterd", url.c_str(), nullptr};
    auto connection =
        std::make_unique<Connection>(PQconnectdbParams(names.data(), values.data(), 1));
    if (PQstatus(connection->libpq) != CONNECTION_OK) return nullptr;
    PGresult* listens = PQexec(connection->libpq, "LISTEN muster; LISTEN muster_changes");
    const bool heard = PQresultStatus(listens) == PGRES_COMMAND_OK;
    PQclear(listens);
    return heard ? std::move(connection) : nullptr;
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
  PGresult* sent = PQexecParams(connection_->libpq, "SELECT pg_notify('muster_changes', $1)", 1,
                                nullptr, &value, nullptr, nullptr, 0);
  const bool taken = PQresultStatus(sent) == PGRES_TUPLES_OK;
  PQclear(sent);
  return taken;
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
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  const int timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  const int ready = ::poll(sources.data(), sources.size(), timeout);
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
