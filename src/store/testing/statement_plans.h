// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/sqlite/sqlite_connection.h"

/// How SQLite answers the statements of a test: which of them would walk a table that grows with
/// the fleet. The rows of a test are too few to show it.
namespace muster::store::testing {

/// The texts of the statements that ran on any connection opened since the first was made, while
/// listening. One at a time, and not from several threads.
class StatementLog {
 public:
  StatementLog() {
    // What the product configures comes before all other calls of the library.
    static const auto first = open_sqlite(":memory:", Access::read_write);
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&listen));
    current = this;
  }
  ~StatementLog() { current = nullptr; }
  StatementLog(const StatementLog&) = delete;
  StatementLog& operator=(const StatementLog&) = delete;

  bool listening = false;
  std::set<std::string> texts;

 private:
  static int listen(sqlite3* connection, const char**, const void*) {
    return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, &note, nullptr);
  }
  static int note(unsigned, void*, void* statement, void*) {
    if (current == nullptr || !current->listening) return 0;
    if (const char* sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement))) {
      current->texts.emplace(sql);
    }
    return 0;
  }

  static inline StatementLog* current = nullptr;
};

/// Of `texts`, those that read a whole table, or all that an organisation has in one, with the step
/// of the plan that does. `path` is a database with the tables; its rows do not matter, since no
/// server collects statistics. A statement that holds a text of `allowed` may.
inline std::vector<std::string> walking_statements(const std::string& path,
                                                   const std::set<std::string>& texts,
                                                   const std::vector<std::string>& allowed) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(opened, &sqlite3_close);
  if (code != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  const auto column = [&](const std::string& sql, int index) {
    std::vector<std::string> values;
    sqlite3_stmt* prepared = nullptr;
    // COMMIT and its like have no plan.
    if (sqlite3_prepare_v2(connection.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) {
      return values;
    }
    while (sqlite3_step(prepared) == SQLITE_ROW) {
      values.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(prepared, index)));
    }
    sqlite3_finalize(prepared);
    return values;
  };
  const auto tables = column("SELECT name FROM sqlite_master WHERE type = 'table'", 0);
  // A plan says how a statement calls a table, and of a query within it nothing that is one.
  const auto is_table = [&](const std::string& name, const std::string& statement) {
    return std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
      return table == name ||
             std::regex_search(statement, std::regex("\\b" + table + " (AS )?" + name + "\\b"));
    });
  };
  static const std::regex whole(
      R"((SCAN (\w+)|SEARCH (\w+) USING (COVERING )?INDEX \w+ \(org_id=\?\)).*)");
  std::vector<std::string> walking;
  for (const std::string& statement : texts) {
    const bool may = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& part) {
      return statement.find(part) != std::string::npos;
    });
    if (may) continue;
    for (const std::string& step : column("EXPLAIN QUERY PLAN " + statement, 3)) {
      std::smatch found;
      if (!std::regex_match(step, found, whole)) continue;
      if (!is_table(found[2].matched ? found[2] : found[3], statement)) continue;
      walking.push_back(step + ": " + statement);
    }
  }
  return walking;
}

}  // namespace muster::store::testing
