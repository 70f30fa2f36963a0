// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_connection.h"

#include <array>

#include <sqlite3.h>

#include "base/check.h"
#include "base/text.h"

namespace muster::store {

namespace {

[[noreturn]] void fail(sqlite3* database, const char* what) {
  const int code = sqlite3_extended_errcode(database);
  const bool duplicate = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;
  const auto kind = duplicate ? StoreError::Kind::duplicate : StoreError::Kind::broken;
  throw StoreError(std::string("sqlite: ") + what + ": " + sqlite3_errmsg(database), kind);
}

/// sha256(blob), which PostgreSQL has: migrations need it.
void hash_blob(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto* octets = static_cast<const char*>(sqlite3_value_blob(arguments[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(arguments[0]));
  const crypto::Sha256 digest = crypto::sha256({octets == nullptr ? "" : octets, size});
  sqlite3_result_blob64(context, digest.bytes.data(), digest.bytes.size(), SQLITE_TRANSIENT);
}

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(sqlite3* database, const char* sql) : database_(database) {
    const int failed =
        sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (failed != SQLITE_OK) fail(database, sql);
  }
  ~SqliteStatement() override { sqlite3_finalize(statement_); }

  void bind(std::span<const Param> params) override {
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (!indexes_ready_) {
        // SQLite reads $1 as a name, and gives names their index in order of appearance.
        const std::string name = "$" + std::to_string(i + 1);
        indexes_[i] = sqlite3_bind_parameter_index(statement_, name.c_str());
      }
      const int index = indexes_[i];
      if (index != 0 && bind_one(index, params[i]) != SQLITE_OK) fail(database_, "bind");
    }
    indexes_ready_ = true;
  }

  bool step() override {
    const int state = sqlite3_step(statement_);
    if (state == SQLITE_ROW) return true;
    if (state == SQLITE_DONE) return false;
    fail(database_, sqlite3_sql(statement_));
  }

  void post() override {
    while (step()) {
    }
  }

  void reset() override {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {text == nullptr ? "" : text,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string_view blob(int column) const override {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes == nullptr ? "" : bytes,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  static constexpr std::size_t params_max = 32;

  int bind_one(int index, const Param& param) {
    if (param.null) return sqlite3_bind_null(statement_, index);
    std::string kept;
    std::string_view text;
    switch (param.kind) {
      case Param::Kind::integer:
        return sqlite3_bind_int64(statement_, index, param.integer);
      case Param::Kind::real:
        return sqlite3_bind_double(statement_, index, param.real);
      case Param::Kind::text:
        text = well_formed(param.view, kept);
        // A view of nothing has no address, and SQLite takes that for NULL.
        return sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
      case Param::Kind::blob:
        return param.view.empty() ? sqlite3_bind_zeroblob(statement_, index, 0)
                                  : sqlite3_bind_blob64(statement_, index, param.view.data(),
                                                        param.view.size(), SQLITE_TRANSIENT);
      case Param::Kind::none:
      case Param::Kind::column:
        break;  // this engine takes rows one by one
    }
    return SQLITE_MISUSE;
  }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  std::array<int, params_max> indexes_{};
  bool indexes_ready_ = false;
};

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(const std::string& path, Access access, const std::string& vfs)
      : access_(access) {
    const int flags = access == Access::read_only
                          ? SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
                          : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3* opened = nullptr;
    const int state =
        sqlite3_open_v2(path.c_str(), &opened, flags, vfs.empty() ? nullptr : vfs.c_str());
    database_.reset(opened);
    if (state != SQLITE_OK) {
      throw StoreError("sqlite: cannot open " + path + ": " + sqlite3_errmsg(opened));
    }
    // Readers never wait in WAL mode; this covers checkpoints and recovery at start.
    sqlite3_busy_timeout(opened, 5000);
    run("PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;");
    if (access == Access::read_write) {
      if (sqlite3_create_function_v2(opened, "sha256", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                     nullptr, hash_blob, nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail(opened, "create_function");
      }
      run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;");
      // While somebody reads an old moment the WAL grows; the second commit after the last such
      // reader cuts it to this. Far above what a checkpoint every 4,000 pages (16 MiB) lets it
      // have, so that nothing is cut that would be written again at once.
      run("PRAGMA journal_size_limit=67108864;");
      // What an earlier process left in the WAL may be in the system's cache alone, if a sync of
      // its failed: only copied does it reach the disk, and later commits build on it.
      run("PRAGMA wal_checkpoint;");
    }
  }
  Engine engine() const override { return Engine::sqlite; }
  std::unique_ptr<Statement> prepare(const char* sql) override {
    return std::make_unique<SqliteStatement>(database_.get(), sql);
  }
  void run(const char* sql) override {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      fail(database_.get(), sql);
    }
  }
  std::int64_t changes() const override { return sqlite3_changes64(database_.get()); }

  void begin() override { run_prepared(begin_); }
  void begin_alone() override { run("BEGIN IMMEDIATE"); }
  void savepoint() override { run_prepared(savepoint_); }
  void undo_to_savepoint() override {
    run_prepared(undo_);
    run_prepared(release_);
  }
  void release() override { run_prepared(release_); }
  void commit() override { run_prepared(commit_); }
  void rollback() override {
    // SQLite has rolled back by itself after some errors.
    if (sqlite3_get_autocommit(database_.get()) == 0) run("ROLLBACK");
  }
  bool lost() override { return false; }

 private:
  struct Command {
    const char* sql;
    std::unique_ptr<SqliteStatement> statement{};
  };

  void run_prepared(Command& command) {
    if (!command.statement) {
      command.statement = std::make_unique<SqliteStatement>(database_.get(), command.sql);
    }
    const Ended ended{*command.statement};
    command.statement->post();
  }
  /// A statement that failed must be reset too, or it holds its transaction open.
  struct Ended {
    ~Ended() { statement.reset(); }
    SqliteStatement& statement;
  };

  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };

  const Access access_;
  std::unique_ptr<sqlite3, Close> database_;  // outlives the statements below
  Command begin_{access_ == Access::read_write ? "BEGIN IMMEDIATE" : "BEGIN"};
  Command savepoint_{"SAVEPOINT request"};
  Command undo_{"ROLLBACK TO request"};
  Command release_{"RELEASE request"};
  Command commit_{"COMMIT"};
};

}  // namespace

void configure_sqlite() {
  // Counting its memory makes SQLite lock one mutex for every allocation of every thread.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  CHECK(uncounted == SQLITE_OK);
}

std::unique_ptr<Connection> open_sqlite(const std::string& path, Access access,
                                        const std::string& vfs) {
  configure_sqlite();
  return std::make_unique<SqliteConnection>(path, access, vfs);
}

}  // namespace muster::store
