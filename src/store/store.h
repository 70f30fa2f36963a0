// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "store/announcement.h"
#include "store/commit_marker.h"
#include "store/driver.h"
#include "store/reconnect_pace.h"
#include "store/total.h"

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
  crypto::Sha256 sha256(int column) const;

 private:
  friend class Tx;
  Statement* statement_;
  bool* busy_;
};

/// Of a query whose one row counts no further than limits::counted_rows + 1.
Total read_total(Rows rows);

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

  /// Asks of many rows at once and calls `take(Rows&)` with each answer: `each` runs once for every
  /// row, or `all` once with every value an array, where the engine has unnest(). Both take what
  /// `values(row)` returns, an array of Params; they view the row.
  template <typename Row, typename F, typename G>
  void query_batch(Sql each, Sql all, const std::vector<Row>& rows, F&& values, G&& take) {
    if (rows.empty()) return;
    const auto take_all = [&](Rows answers) {
      while (answers.next()) take(answers);
    };
    if (engine() == Engine::sqlite) {
      for (const Row& row : rows) take_all(start(each, values(row)));
      return;
    }
    const auto columns = columns_of(rows, values);
    const std::vector<Param> params(columns.begin(), columns.end());
    take_all(start(all, params));
  }

  /// As query_batch() above, for rows of one organisation: it is $1 of both statements, and what
  /// `values(row)` returns follows it. One row alone goes by `each` on every engine.
  template <typename Row, typename F, typename G>
  void query_batch(Sql each, Sql all, OrgId org, const std::vector<Row>& rows, F&& values,
                   G&& take) {
    run_batch(each, all, org, rows, values, [&](Sql sql, std::span<const Param> params) {
      Rows answers = start(sql, params);
      while (answers.next()) take(answers);
    });
  }

  Engine engine() const { return connection_.engine(); }

 protected:
  template <typename Row, typename F, typename G>
  void run_batch(Sql each, Sql all, OrgId org, const std::vector<Row>& rows, F&& values, G&& run) {
    if (rows.empty()) return;
    std::vector<Param> params = {Param(org)};
    if (engine() == Engine::sqlite || rows.size() == 1) {
      for (const Row& row : rows) {
        const auto given = values(row);
        params.resize(1);
        params.insert(params.end(), given.begin(), given.end());
        run(each, std::span<const Param>(params));
      }
      return;
    }
    const auto columns = columns_of(rows, values);
    params.insert(params.end(), columns.begin(), columns.end());
    run(all, std::span<const Param>(params));
  }
  template <typename Row, typename F>
  static auto columns_of(const std::vector<Row>& rows, F&& values) {
    std::array<Column, std::tuple_size_v<decltype(values(rows.front()))>> columns;
    for (const Row& row : rows) {
      const auto params = values(row);
      for (std::size_t i = 0; i < params.size(); ++i) columns[i].add(params[i]);
    }
    return columns;
  }
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

  /// Runs a statement for its effect alone. On a remote database it may still be on its way when
  /// this returns: what breaks is thrown by a later call of the same work or fails it at its end,
  /// so a work of many such statements waits for the database once.
  template <typename... Args>
  void post(Sql sql, const Args&... args) {
    const std::array<Param, sizeof...(Args)> params = {Param(args)...};
    start_posted(sql, params);
  }

  /// As post_batch() below, for rows of one organisation: it is $1 of both statements, and what
  /// `values(row)` returns follows it. One row alone goes by `each` on every engine.
  template <typename Row, typename F>
  void post_batch(Sql each, Sql all, OrgId org, const std::vector<Row>& rows, F&& values) {
    run_batch(each, all, org, rows, values,
              [this](Sql sql, std::span<const Param> params) { start_posted(sql, params); });
  }

  /// Writes many rows: `each` once for every row, or `all` once with every value an array, where
  /// the engine has unnest(). Both take what `values(row)` returns, an array of Params; they view
  /// the row. Rows that name the same key count in their order.
  template <typename Row, typename F>
  void post_batch(Sql each, Sql all, const std::vector<Row>& rows, F&& values) {
    if (rows.empty()) return;
    if (engine() == Engine::sqlite) {
      for (const Row& row : rows) start_posted(each, values(row));
      return;
    }
    const auto columns = columns_of(rows, values);
    const std::vector<Param> params(columns.begin(), columns.end());
    start_posted(all, params);
  }

  /// Runs `then` once this transaction is durable, before anyone is answered, in the order of the
  /// calls: in-memory state follows the store and never leads it. Dropped if the closure that
  /// asked for it is undone. `then` must not throw, and must own what it uses or refer to what
  /// lives as long as the store: after a lost answer it may run when its caller has long been told
  /// of a failure (see Store).
  void on_commit(UniqueFunction<void()> then) { on_commit_.push_back(std::move(then)); }

  /// Tells the other servers on this database with the commit itself; nothing where there can be
  /// none. Dropped if the closure that asked for it is undone.
  void announce(Announcement what) { announced_.push_back(std::move(what)); }

  /// What store/sql/webhooks.cpp knows of the table, where this connection alone writes to it:
  /// nothing yet, or that it was empty and nobody touched it. Errs on the side of true.
  std::optional<bool> may_have_webhooks;

 private:
  friend class Store;
  void start_posted(Sql sql, std::span<const Param> params);

  std::vector<UniqueFunction<void()>> on_commit_;
  std::vector<Announcement> announced_;
};

/// Called once with nothing when the work is durable, or with what went wrong.
using Done = UniqueFunction<void(std::exception_ptr)>;
/// What one request writes. Returns false to undo what it wrote, alone.
using Work = UniqueFunction<bool(Tx&)>;

/// What works of one kind do together, where many of them meet in a commit: with a few statements,
/// and not a few each (docs/adr/0036). Belongs to its work, and is there as long as that.
struct JointWork {
  /// Does what all of `parts` ask for, each of which has this very function, and sets `done` in
  /// each, whatever comes of it: a part that fails as its caller's request writes nothing. Their
  /// works run afterwards, in the same transaction, and write nothing more: they only tell the
  /// outcome. What this throws undoes all of it; then each work runs alone, with `done` unset.
  using Run = void (*)(Tx&, std::span<JointWork* const> parts);

  explicit JointWork(Run how) : run(how) {}
  Run run;
  bool done = false;
};

/// The store: one database, one writer, a few readers.
///
/// Group commit: a single writer takes all work that queued while the last commit ran, runs each in
/// its own savepoint inside one transaction, syncs once and only then reports (no timer window).
/// What several of them may do together comes first (JointWork), in a savepoint for each kind.
///
/// On a remote database the write transactions of all servers run one after another
/// (docs/adr/0019): each takes its turn before it reads anything, so a work sees all that others
/// committed, and nothing it read changes until its own commit.
///
/// A remote database can go away. What was in the transaction then fails, every connection is made
/// anew when it is next needed (the writer's also by itself), with a growing delay while that fails
/// (limits::reconnect_delay_*), and until then writes fail at once.
///
/// When the connection goes while a commit is on its way, nobody here knows whether it took effect.
/// Every transaction therefore leaves a mark (CommitMarker), and the writer looks for it on a new
/// connection before it does anything else. If it finds out at once, callers are told the truth:
/// stored or not. If it cannot connect, they are told of a failure, as they would be by a server
/// that dies here; their on_commit hooks wait, and run or are dropped once the mark is read. So
/// memory never leads the database, lags behind it only while nobody can write, and agrees with it
/// again before the next write runs.
class Store {
 public:
  /// How much of the store's limits is in use, and what came of it since the start.
  struct Figures {
    std::size_t writes_in_flight = 0;  // of limits::writes_in_flight
    std::size_t most_in_flight = 0;    // at one time
    std::size_t readers_in_use = 0;    // of limits::store_readers
    std::uint64_t commits = 0;
    std::uint64_t failed_commits = 0;  // whole transactions, or the database was away
    std::uint64_t reads_refused = 0;   // no reader became free in limits::reader_wait
  };

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

  /// For simulations, instead of start_writer(): queued work waits for commit_queued(), on one
  /// thread. Whoever must wait for its own work calls `wait` until it is durable; false from it
  /// says that it never will be. What is queued when the store goes is dropped, as by a crash.
  void step_writer(std::function<bool()> wait);
  /// Commits the first of the queued work, at most `most`, in one transaction. Returns what is
  /// left.
  std::size_t commit_queued(std::size_t most = limits::writes_per_commit);

  /// Safe from any thread.
  Figures figures();

  /// Queues work for the next commit. Returns false, and takes nothing, when
  /// limits::writes_in_flight wait already. Work that `may_wait` is committed behind other work (of
  /// a full commit it has a share, limits::later_writes_share) and is refused from
  /// limits::later_writes_in_flight on. `joint` belongs to `work`; none if it has no such part.
  [[nodiscard]] bool submit(Work& work, Done& done, bool may_wait = false,
                            JointWork* joint = nullptr);

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

  /// On a remote database: runs `use` at the start of every write transaction, before any work,
  /// once it is this server's turn to write. What it reads is durable, and nobody else writes until
  /// the commit. A StoreError from it fails the transaction. To be set before the writer starts.
  void read_before_writes(std::function<void(Reader&)> use) { before_writes_ = std::move(use); }

  /// This server among those on one database; 0 where there can be no other.
  std::int64_t node() const { return marker_ ? marker_->writer() : 0; }

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
    JointWork* joint = nullptr;
  };
  struct PooledReader;
  /// A reader of the pool, in a transaction for as long as this lives.
  struct Lease {
    explicit Lease(Store& store);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    void give_back();
    Store& store;
    std::unique_ptr<PooledReader> pooled;
    Reader* reader;
  };

  void write_and_wait(const std::function<bool(Tx&)>& work);
  void run_writer();
  void take_queued(std::vector<Pending>& batch, std::size_t most);  // queue_mutex_ is held
  void commit_batch(std::vector<Pending>& batch);
  void commit_works(std::vector<Pending>& batch, std::vector<std::exception_ptr>& failures);
  void run_joint_works(std::vector<Pending>& batch);
  std::exception_ptr run_work(Work& work, bool writes = true);
  void connect_writer();
  void drop_writer();
  void settle_doubt(Connection& connection);
  void undo_transaction();

  /// A commit whose answer was lost: what memory does if it took effect.
  struct Doubt {
    std::vector<UniqueFunction<void()>> on_commit;
  };

  std::unique_ptr<Database> database_;
  std::optional<CommitMarker> marker_;             // of a remote database
  std::unique_ptr<Connection> writer_connection_;  // none while the database is away
  std::unique_ptr<Tx> tx_;
  std::optional<Doubt> doubt_;
  bool doubt_took_effect_ = false;  // the last one that was settled
  ReconnectPace pace_;
  std::mutex writer_mutex_;  // held while a transaction runs

  std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Pending> queue_;
  std::deque<Pending> later_;  // may wait
  std::size_t in_flight_ = 0;
  std::size_t most_in_flight_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
  std::function<bool()> wait_;  // step_writer()
  std::function<void(Reader&)> before_writes_;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> failed_commits_ = 0;
  std::atomic<std::uint64_t> reads_refused_ = 0;

  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::size_t readers_in_use_ = 0;
  std::vector<std::unique_ptr<PooledReader>> readers_;  // that nobody uses
};

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
