// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/test_directory.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/testing/faulty_database.h"
#include "store/testing/postgres_server.h"
#include "store/testing/sqlite_schema.h"

namespace muster::store::testing {

inline const char* engine_name(Engine engine) {
  return engine == Engine::sqlite ? "sqlite" : "postgres";
}
/// Whether tests can run on it here; SetUp skips them if not.
inline bool available(Engine engine) {
  return engine == Engine::sqlite || PostgresServer::installed();
}
inline constexpr const char* not_available = "PostgreSQL is not installed (postgresql-15)";

/// One column of a table as its engine describes it: "hosts.tags text not null".
inline std::vector<std::string> describe_columns(Connection& connection) {
  const auto rows = connection.prepare(
      connection.engine() == Engine::sqlite
          ? "SELECT m.name || '.' || c.name || ' ' || lower(c.type) ||"
            " CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END"
            " FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
          : "SELECT c.table_name || '.' || c.column_name || ' ' || c.data_type ||"
            " CASE WHEN c.is_nullable = 'NO' THEN ' not null' ELSE '' END"
            " FROM information_schema.columns c WHERE c.table_schema = 'public'");
  std::vector<std::string> columns;
  while (rows->step()) columns.emplace_back(rows->text(0));
  std::sort(columns.begin(), columns.end());
  return columns;
}

/// Everything that is stored, one line a row, in an order that says nothing; asked for again and
/// again on a connection of its own.
class Snapshots {
 public:
  explicit Snapshots(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    const bool sqlite = connection_->engine() == Engine::sqlite;
    for (const std::string& column : describe_columns(*connection_)) {
      const auto dot = column.find('.');
      const auto space = column.find(' ');
      std::string name = column.substr(dot + 1, space - dot - 1);
      if (column.find(" bytea") == space) {
        name = sqlite ? "hex(" + name + ")" : "upper(encode(" + name + ", 'hex'))";
      }
      std::string& sql = statements_[column.substr(0, dot)].sql;
      sql += sql.empty() ? "SELECT " : " || '|' || ";
      sql += "coalesce(CAST(" + name + " AS text), '-')";
    }
    statements_.erase("writers");  // the marks of commits, not what they wrote
    for (auto& [table, statement] : statements_) {
      statement.sql += " FROM " + table;
      statement.prepared = connection_->prepare(statement.sql.c_str());
    }
  }

  std::string take() {
    std::string out;
    for (auto& [table, statement] : statements_) {
      std::vector<std::string> lines;
      while (statement.prepared->step()) lines.emplace_back(statement.prepared->text(0));
      statement.prepared->reset();
      std::sort(lines.begin(), lines.end());
      for (const std::string& line : lines) out += table + ": " + line + "\n";
    }
    return out;
  }

 private:
  struct Prepared {
    std::string sql;
    std::unique_ptr<Statement> prepared;
  };
  std::unique_ptr<Connection> connection_;
  std::map<std::string, Prepared> statements_;  // by table
};

/// A database for one test: fresh, opened as often as the test likes, gone with this.
class TestDatabase {
 public:
  enum class Content { schema, nothing };

  /// With the current schema already in it, because that is quicker, or really with nothing.
  explicit TestDatabase(Engine engine, Content content = Content::schema) : engine_(engine) {
    if (engine == Engine::sqlite) {
      if (content == Content::schema) open_with_schema(directory_.path());
      return;
    }
    name_ = PostgresServer::instance().create_database(content == Content::schema);
  }
  ~TestDatabase() {
    snapshots_.reset();
    if (engine_ == Engine::postgres) PostgresServer::instance().drop_database(name_);
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  std::unique_ptr<Database> open() const {
    if (engine_ == Engine::sqlite) return std::make_unique<SqliteDatabase>(directory_.path());
    return std::make_unique<PostgresDatabase>(PostgresServer::instance().url(name_));
  }
  std::unique_ptr<Database> open(std::shared_ptr<Faults> faults) const {
    return std::make_unique<FaultyDatabase>(open(), std::move(faults));
  }
  std::unique_ptr<Connection> connect() const { return open()->connect(Access::read_write); }
  /// Everything that is stored, in a form to compare. The schema is there.
  std::string rows() {
    if (!snapshots_) snapshots_.emplace(connect());
    return snapshots_->take();
  }
  const std::string& name() const { return name_; }
  /// Of a SQLite database.
  const std::string& directory() const { return directory_.path(); }

 private:
  Engine engine_;
  TestDirectory directory_{memory_backed_path()};
  std::string name_;
  std::optional<Snapshots> snapshots_;
};

}  // namespace muster::store::testing
