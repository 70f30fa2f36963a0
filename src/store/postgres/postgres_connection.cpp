// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_connection.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include <libpq-fe.h>
#include <poll.h>

#include "base/text.h"
#include "store/postgres/arguments.h"

namespace muster::store {

namespace {

using postgres::Arguments;
using Kind = StoreError::Kind;

struct Freed {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Freed>;

/// Named once on every connection, so that transactions cost no parsing.
enum class Command { begin, savepoint, undo_to_savepoint, release, commit, rollback };
constexpr const char* writer_commands[] = {
    "BEGIN",  "SAVEPOINT request", "ROLLBACK TO SAVEPOINT request", "RELEASE SAVEPOINT request",
    "COMMIT", "ROLLBACK"};
constexpr const char* reader_begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Sessions that are stuck end by themselves: a server that lost this program must let go of what
/// its transaction holds, or the next writer would wait for it.
constexpr const char* session_settings =
    "SET statement_timeout = '60s'; SET lock_timeout = '10s';"
    " SET idle_in_transaction_session_timeout = '60s';"
    " SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    " SET default_transaction_isolation = 'read committed'; SET jit = off;"
    " SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'";

/// All servers wait for the transaction of a writer (take_turn() in store/sql/nodes.h): one that
/// hangs must let go of it before the others' patience ends.
constexpr const char* writer_settings =
    "SET idle_in_transaction_session_timeout = '8s'; SET statement_timeout = '15s'";

/// How long an answer may take: longer than the server allows a statement, so that only a server
/// that stands still, or a network that is cut, is given up.
constexpr Duration writer_patience = std::chrono::seconds(20);
constexpr Duration reader_patience = std::chrono::seconds(70);

/// Any number, as long as all programs of ours take the same one.
constexpr const char* take_schema_lock = "SELECT pg_advisory_xact_lock(7887323049)";

constexpr int oldest_server = 130000;

Kind kind_of(std::string_view sqlstate) {
  if (sqlstate == "40001" || sqlstate == "40P01") return Kind::conflict;
  if (sqlstate == "23505") return Kind::duplicate;
  return Kind::broken;
}

/// Without the server's details, which may quote a row.
StoreError error_of(const PGresult* answer, const char* sql) {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  return StoreError(std::string("postgresql: ") + (state == nullptr ? "" : state) + " " +
                        (message == nullptr ? "the connection broke" : message) + ": " + sql,
                    kind_of(state == nullptr ? "" : state));
}

class PostgresConnection;

class PostgresStatement final : public Statement {
 public:
  PostgresStatement(PostgresConnection& connection, std::size_t number, const char* sql)
      : connection_(connection), number_(number), sql_(sql) {}

  void bind(std::span<const Param> params) override { arguments_.set(params); }
  bool step() override;
  void post() override;
  void reset() override {
    answer_.reset();
    arguments_.clear();
  }

  bool is_null(int column) const override { return PQgetisnull(answer_.get(), row_, column) != 0; }
  std::int64_t integer(int column) const override;
  double real(int column) const override {
    if (PQftype(answer_.get(), column) != postgres::type_float8) {
      return static_cast<double>(integer(column));
    }
    return std::bit_cast<double>(big_endian(octets(column)));
  }
  std::string_view text(int column) const override {
    const Oid type = PQftype(answer_.get(), column);
    if (type != postgres::type_text && type != postgres::type_varchar &&
        type != postgres::type_name) {
      wrong_type(column, "text");
    }
    return octets(column);
  }
  std::string_view blob(int column) const override {
    if (PQftype(answer_.get(), column) != postgres::type_bytea) wrong_type(column, "octets");
    return octets(column);
  }

 private:
  std::string_view octets(int column) const {
    return {PQgetvalue(answer_.get(), row_, column),
            static_cast<std::size_t>(PQgetlength(answer_.get(), row_, column))};
  }
  static std::uint64_t big_endian(std::string_view octets) {
    std::uint64_t value = 0;
    for (const char octet : octets) value = value << 8 | static_cast<unsigned char>(octet);
    return value;
  }
  [[noreturn]] void wrong_type(int column, const char* wanted) const {
    throw StoreError(std::string("postgresql: column ") + std::to_string(column) + " is no " +
                     wanted + ": " + sql_);
  }

  PostgresConnection& connection_;
  std::size_t number_;
  const char* sql_;
  Arguments arguments_;
  Answer answer_;  // all rows of the current run
  int row_ = 0;
};

/// Always in libpq's pipeline mode (PostgreSQL, 34.5): commands are sent when they are asked for,
/// and answers are read when somebody needs one, all that are outstanding at once. An error skips
/// what was sent after it, up to the point where we wait; inside a transaction nothing works from
/// then on but going back to the savepoint or the beginning.
class PostgresConnection final : public Connection {
 public:
  PostgresConnection(const std::string& url, Access access);
  ~PostgresConnection() override { PQfinish(connection_); }
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  Engine engine() const override { return Engine::postgres; }
  std::unique_ptr<Statement> prepare(const char* sql) override {
    statements_.push_back(State::unknown);
    return std::make_unique<PostgresStatement>(*this, statements_.size() - 1, sql);
  }
  void run(const char* sql) override;
  std::int64_t changes() const override { return changes_; }

  void begin() override { send(Command::begin); }
  void begin_alone() override {
    begin();
    run("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
    run(take_schema_lock);
  }
  void savepoint() override { send(Command::savepoint); }
  void undo_to_savepoint() override {
    if (posted_) settle();
    send(Command::undo_to_savepoint);
    send(Command::release);
    wait();
  }
  void release() override {
    send(Command::release);
    if (posted_) wait();
  }
  void commit() override;
  void rollback() override {
    settle();
    send(Command::rollback);
    wait();
  }
  bool lost() override;

  /// Sends a run of a prepared statement, and the statement itself if the server lacks it.
  void send(std::size_t number, const char* sql, Arguments& arguments);
  /// As send(), for a run whose failure belongs to the work that is under way.
  void post(std::size_t number, const char* sql, Arguments& arguments) {
    send(number, sql, arguments);
    posted_ = true;
  }
  /// Reads every outstanding answer and returns that to the last run, or throws the first failure.
  Answer wait();

 private:
  enum class State : std::uint8_t { unknown, sent, prepared };
  struct Sent {
    const char* sql;
    std::optional<std::size_t> prepares;  // the number of a statement
  };

  void setup(Access access);
  void settle();
  void send(Command command);
  void flush();
  void await_answer();
  void must(int accepted);
  [[noreturn]] void fail_lost(const char* during);
  void take(Answer answer, Answer& last, std::optional<StoreError>& failure);

  PGconn* connection_ = nullptr;
  Access access_;
  std::vector<State> statements_;  // by their numbers
  std::deque<Sent> sent_;          // that have no answer yet
  int syncs_ = 0;                  // that have no answer yet
  bool given_up_ = false;          // it did not answer in time
  bool posted_ = false;            // something since the last wait whose failure is not known
  std::int64_t changes_ = 0;
};

PostgresConnection::PostgresConnection(const std::string& url, Access access) : access_(access) {
  // Later entries win, and what the address says wins over these.
  const std::array<const char*, 8> names = {
      "connect_timeout",  "tcp_user_timeout", "keepalives_idle",           "keepalives_interval",
      "keepalives_count", "client_encoding",  "fallback_application_name", "dbname"};
  const std::array<const char*, 8> values = {"5", "15000", "10",      "5",
                                             "3", "UTF8",  "musterd", url.c_str()};
  std::array<const char*, 9> names_ended{};
  std::array<const char*, 9> values_ended{};
  std::copy(names.begin(), names.end(), names_ended.begin());
  std::copy(values.begin(), values.end(), values_ended.begin());
  connection_ = PQconnectdbParams(names_ended.data(), values_ended.data(), 1);
  try {
    setup(access);
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

void PostgresConnection::setup(Access access) {
  if (PQstatus(connection_) != CONNECTION_OK) {
    const char* what = connection_ == nullptr ? "no memory" : PQerrorMessage(connection_);
    throw StoreError(std::string("postgresql: cannot connect: ") + what, Kind::away);
  }
  if (PQserverVersion(connection_) < oldest_server) {
    throw StoreError("postgresql: the server is older than version 13");
  }
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  must(PQenterPipelineMode(connection_));
  if (PQsetnonblocking(connection_, 1) != 0) fail_lost("connecting");
  run(session_settings);
  if (access == Access::read_write) run(writer_settings);
  for (std::size_t i = 0; i < std::size(writer_commands); ++i) {
    const bool reads = i == 0 && access == Access::read_only;
    const char* sql = reads ? reader_begin : writer_commands[i];
    must(PQsendPrepare(connection_, std::to_string(i).c_str(), sql, 0, nullptr));
    statements_.push_back(State::sent);
    sent_.push_back({sql, i});
  }
  wait();
}

void PostgresConnection::must(int accepted) {
  if (accepted == 0) fail_lost("sending");
}

void PostgresConnection::fail_lost(const char* during) {
  throw StoreError(std::string("postgresql: the connection is lost: ") + during, Kind::away);
}

void PostgresConnection::send(Command command) {
  const auto number = static_cast<std::size_t>(command);
  Arguments none;
  send(number, writer_commands[number], none);
}

void PostgresConnection::send(std::size_t number, const char* sql, Arguments& arguments) {
  const std::string name = std::to_string(number);
  if (statements_[number] == State::unknown) {
    must(PQsendPrepare(connection_, name.c_str(), sql, arguments.count(), arguments.types()));
    sent_.push_back({sql, number});
    statements_[number] = State::sent;
  }
  constexpr int binary = 1;
  must(PQsendQueryPrepared(connection_, name.c_str(), arguments.count(), arguments.values(),
                           arguments.lengths(), arguments.formats(), binary));
  sent_.push_back({sql, std::nullopt});
}

void PostgresConnection::flush() {
  must(PQpipelineSync(connection_));
  ++syncs_;
}

/// Returns when the next answer can be taken without waiting, or the connection is gone.
void PostgresConnection::await_answer() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until =
      Clock::now() + (access_ == Access::read_only ? reader_patience : writer_patience);
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent < 0 || PQisBusy(connection_) == 0) return;
    const short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
    pollfd socket{PQsocket(connection_), events, 0};
    const auto left = std::chrono::ceil<Duration>(until - Clock::now());
    const int ready =
        ::poll(&socket, 1, static_cast<int>(std::max<Duration::rep>(left.count(), 0)));
    if (ready == 0) {
      given_up_ = true;
      fail_lost("the server does not answer");
    }
    if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(connection_) == 0) return;
  }
}

Answer PostgresConnection::wait() {
  if (given_up_) fail_lost("it was given up");
  flush();
  posted_ = false;
  Answer last;
  std::optional<StoreError> failure;
  while (syncs_ > 0) {
    await_answer();
    Answer answer(PQgetResult(connection_));
    if (answer) {
      take(std::move(answer), last, failure);
    } else if (PQstatus(connection_) == CONNECTION_BAD) {
      fail_lost(sent_.empty() ? "waiting" : sent_.front().sql);
    } else if (!sent_.empty()) {
      sent_.pop_front();  // each command's answers end with none
    }
  }
  if (failure) throw *failure;
  return last;
}

/// Before what takes a failure back: of a failed pipeline it would be skipped with the rest.
void PostgresConnection::settle() {
  try {
    wait();
  } catch (const StoreError&) {
    if (lost()) throw;
  }
}

void PostgresConnection::take(Answer answer, Answer& last, std::optional<StoreError>& failure) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_PIPELINE_SYNC) {
    --syncs_;
    return;
  }
  if (sent_.empty()) fail_lost("waiting");  // nothing else is said about nothing
  const Sent& command = sent_.front();
  const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (command.prepares) statements_[*command.prepares] = done ? State::prepared : State::unknown;
  if (done) {
    changes_ = parse_int(PQcmdTuples(answer.get())).value_or(0);
    last = std::move(answer);
  } else if (status != PGRES_PIPELINE_ABORTED && !failure) {
    failure = error_of(answer.get(), command.sql);
  }
}

void PostgresConnection::run(const char* sql) {
  wait();
  must(PQexitPipelineMode(connection_));
  const Answer answer(PQexec(connection_, sql));
  const ExecStatusType status = PQresultStatus(answer.get());
  if (PQstatus(connection_) == CONNECTION_BAD) fail_lost(sql);
  must(PQenterPipelineMode(connection_));
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    throw error_of(answer.get(), sql);
  }
}

void PostgresConnection::commit() {
  send(Command::commit);
  if (access_ == Access::read_only) {
    flush();  // nothing of a reader's can get lost: its next wait reads the answer
    return;
  }
  Answer answer;
  try {
    answer = wait();
  } catch (const StoreError& failure) {
    if (failure.kind() != Kind::away && !lost()) throw;
    throw StoreError(failure.what(), Kind::in_doubt);
  }
  // A transaction that failed earlier answers COMMIT with a ROLLBACK, which is no error.
  if (PQcmdStatus(answer.get()) != std::string_view("COMMIT")) {
    throw StoreError("postgresql: the transaction had failed before its commit");
  }
}

bool PostgresConnection::lost() {
  if (given_up_) return true;
  // Between runs nothing comes from the server but its end, or an answer nobody waits for.
  pollfd readable{PQsocket(connection_), POLLIN, 0};
  while (PQstatus(connection_) == CONNECTION_OK && ::poll(&readable, 1, 0) > 0) {
    if (PQconsumeInput(connection_) == 0) return true;
  }
  return PQstatus(connection_) != CONNECTION_OK;
}

bool PostgresStatement::step() {
  if (!answer_) {
    connection_.send(number_, sql_, arguments_);
    answer_ = connection_.wait();
    row_ = -1;
  }
  return ++row_ < PQntuples(answer_.get());
}

void PostgresStatement::post() {
  connection_.post(number_, sql_, arguments_);
}

std::int64_t PostgresStatement::integer(int column) const {
  const std::string_view value = octets(column);
  if (value.empty()) return 0;  // null, as in SQLite
  switch (PQftype(answer_.get(), column)) {
    case postgres::type_bool:
      return value[0];
    case postgres::type_int8:
      return static_cast<std::int64_t>(big_endian(value));
    case postgres::type_int4:
      return static_cast<std::int32_t>(big_endian(value));
    case postgres::type_int2:
      return static_cast<std::int16_t>(big_endian(value));
    default:
      wrong_type(column, "whole number");
  }
}

}  // namespace

bool PostgresDatabase::is_address(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return false;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), nullptr);
  const bool parsed = options != nullptr;
  PQconninfoFree(options);
  return parsed;
}

PostgresDatabase::PostgresDatabase(std::string url) : url_(std::move(url)) {
  // Not with libpq's own words: they quote the address, and the password in it.
  if (!is_address(url_)) {
    throw StoreError("not an address of the form postgresql://USER@HOST/DATABASE");
  }
}

std::unique_ptr<Connection> PostgresDatabase::connect(Access access) {
  return std::make_unique<PostgresConnection>(url_, access);
}

}  // namespace muster::store
