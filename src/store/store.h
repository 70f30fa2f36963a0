// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "store/driver.h"

namespace muster::store {

/// The text of a statement: always a literal, so that its address names its prepared form.
struct Sql {
  consteval Sql(const char* literal) : text(literal) {}  // NOLINT: implicit
  const char* text;
};

/// The rows of one query; resets its statement when it goes. Text and blobs are views into the
/// current row.
class Rows {
 public:
  explicit Rows(Statement& statement, bool& busy) : statement_(&statement), busy_(&busy) {}
  ~Rows() {
    if (statement_ == nullptr) return;
    statement_->reset();
    *busy_ = false;
  }
  Rows(Rows&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), busy_(other.busy_) {}
  Rows& operator=(Rows&&) = delete;

  bool next() { return statement_->step(); }
  bool is_null(int column) const { return statement_->is_null(column); }
  std::int64_t integer(int column) const { return statement_->integer(column); }
  bool boolean(int column) const { return statement_->integer(column) != 0; }
  double real(int column) const { return statement_->real(column); }
  std::string_view text(int column) const { return statement_->text(column); }
  std::string string(int column) const { return std::string(statement_->text(column)); }
  std::string_view blob(int column) const { return statement_->blob(column); }
  Instant instant(int column) const { return {statement_->integer(column)}; }
  std::optional<Instant> maybe_instant(int column) const {
    if (is_null(column)) return std::nullopt;
    return instant(column);
  }
  std::optional<std::int64_t> maybe_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
  }
  std::optional<std::string> maybe_string(int column) const {
    if (is_null(column)) return std::nullopt;
    return string(column);
  }
  template <typename Id>
  Id number_id(int column) const {
    return Id{integer(column)};
  }
  template <typename Id>
  Id uuid_id(int column) const {
    return Id{uuid(column)};
  }
  Uuid uuid(int column) const;
  crypto::KeyHash key_hash(int column) const;

 private:
  Statement* statement_;
  bool* busy_;
};

/// A connection inside a read transaction: everything read through it is of one moment.
class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  template <typename... Args>
  Rows query(Sql sql, const Args&... args) {
    const std::array<Param, sizeof...(Args)> params = {Param(args)...};
    return start(sql, params);
  }

 protected:
  Rows start(Sql sql, std::span<const Param> params);
  Connection& connection() { return connection_; }

 private:
  struct Prepared {
    std::unique_ptr<Statement> statement;
    bool busy = false;
  };
  Connection& connection_;
  std::unordered_map<const char*, Prepared> prepared_;
};

/// The writer's connection inside a transaction.
class Tx : public Reader {
 public:
  using Reader::Reader;

  /// Runs a statement to its end and returns how many rows it changed.
  template <typename... Args>
  std::int64_t execute(Sql sql, const Args&... args) {
    {
      Rows rows = query(sql, args...);
      while (rows.next()) {
      }
    }
    return connection().changes();
  }

  /// Runs `then` once this transaction is durable, before anyone is answered, in the order of the
  /// calls: in-memory state follows the store and never leads it. Dropped if the closure that
  /// asked for it is undone. `then` must not throw.
  void on_commit(UniqueFunction<void()> then) { on_commit_.push_back(std::move(then)); }

 private:
  friend class Store;
  std::vector<UniqueFunction<void()>> on_commit_;
};

/// Called once with nothing when the work is durable, or with what went wrong.
using Done = UniqueFunction<void(std::exception_ptr)>;
/// What one request writes. Returns false to undo what it wrote, alone.
using Work = UniqueFunction<bool(Tx&)>;

/// The store: one database, one writer, a few readers.
///
/// Group commit: a single writer takes all work that queued while the last commit ran, runs each in
/// its own savepoint inside one transaction, syncs once and only then reports (no timer window).
class Store {
 public:
  /// Connects to `database`, creates what it lacks and applies missing migrations. Throws
  /// StoreError.
  explicit Store(std::unique_ptr<Database> database);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Starts the writer thread; until then submit() runs its work on the calling thread.
  void start_writer();
  /// Finishes all queued work and ends the thread.
  void stop_writer();

  /// Queues work for the next commit. Returns false, and takes nothing, when
  /// limits::writes_in_flight wait already.
  [[nodiscard]] bool submit(Work& work, Done& done);

  /// Runs `work` in the next commit and waits for it. Throws what the environment throws; an Error
  /// undoes what it wrote.
  template <typename F>
  auto write(F&& work) -> decltype(work(std::declval<Tx&>())) {
    using Outcome = decltype(work(std::declval<Tx&>()));
    if constexpr (std::is_void_v<Outcome>) {
      write_and_wait([&](Tx& tx) {
        work(tx);
        return true;
      });
    } else {
      std::optional<Outcome> outcome;
      write_and_wait([&](Tx& tx) {
        outcome.emplace(work(tx));
        if constexpr (requires { outcome->ok(); }) return outcome->ok();
        return true;
      });
      return std::move(*outcome);
    }
  }

  /// Runs `use` on a reader's snapshot, on the calling thread.
  template <typename F>
  auto read(F&& use) -> decltype(use(std::declval<Reader&>())) {
    const Lease lease(*this);
    return use(*lease.reader);
  }

 private:
  struct Pending {
    Work work;
    Done done;
  };
  struct PooledReader;
  /// A reader of the pool, in a transaction for as long as this lives.
  struct Lease {
    explicit Lease(Store& store);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Store& store;
    std::unique_ptr<PooledReader> pooled;
    Reader* reader;
  };

  void write_and_wait(const std::function<bool(Tx&)>& work);
  void run_writer();
  void commit_batch(std::vector<Pending>& batch);

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> writer_connection_;
  std::unique_ptr<Tx> tx_;
  std::mutex writer_mutex_;  // held while a transaction runs

  std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Pending> queue_;
  std::size_t in_flight_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<PooledReader>> readers_;
};

/// Applies the migrations that `connection`'s database lacks, each in its own transaction. Throws
/// StoreError for a database that has migrations this program does not know.
void migrate(Connection& connection);

/// An exclusive lock on a data directory, held while it lives. Creates the directory (0700).
class DirectoryLock {
 public:
  /// Nothing when another process holds the lock. Throws StoreError when the directory cannot be
  /// made or opened.
  static std::unique_ptr<DirectoryLock> acquire(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace muster::store
