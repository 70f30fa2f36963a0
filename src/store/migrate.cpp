// SPDX-License-Identifier: Apache-2.0
#include "store/migrate.h"

#include <array>

#include "base/text.h"
#include "store/driver.h"

namespace muster::store {

namespace {

struct Migration {
  int number;
  const char* name;
  const char* sql;
};

// Written by CMake from migrations/NNNN_name.sql, in order.
constexpr Migration migrations[] = {
#include "store/migrations.inc"
};

constexpr std::string_view only = "-- only ";
constexpr std::string_view every = "-- every engine";

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Replaces `word` where it stands alone.
void replace_word(std::string& sql, std::string_view word, std::string_view by) {
  for (std::size_t at = 0; (at = sql.find(word, at)) != std::string::npos;) {
    const std::size_t end = at + word.size();
    const bool alone =
        (at == 0 || !is_word(sql[at - 1])) && (end == sql.size() || !is_word(sql[end]));
    if (alone) sql.replace(at, word.size(), by);
    at += alone ? by.size() : word.size();
  }
}

void apply(Connection& connection, const Migration& migration) {
  connection.run(migration_for(connection.engine(), migration.sql).c_str());
  const auto record =
      connection.prepare("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)");
  const std::array<Param, 2> params = {Param(migration.number), Param(migration.name)};
  record->bind(params);
  record->step();
  record->reset();
}

/// The number of the last one, 0 if none.
std::int64_t last_applied(Connection& connection) {
  constexpr const char* table =
      "CREATE TABLE IF NOT EXISTS schema_migrations"
      " (number bigint PRIMARY KEY, name text NOT NULL)";
  connection.run(migration_for(connection.engine(), table).c_str());
  const auto last = connection.prepare("SELECT coalesce(max(number), 0) FROM schema_migrations");
  last->step();
  return last->integer(0);
}

/// Applies the next one that is missing; false when there is none.
bool migrate_once(Connection& connection) {
  const std::int64_t applied = last_applied(connection);
  if (applied > std::end(migrations)[-1].number) {
    throw StoreError("the database was made by a newer version of this program");
  }
  for (const Migration& migration : migrations) {
    if (migration.number <= applied) continue;
    apply(connection, migration);
    return true;
  }
  return false;
}

}  // namespace

std::string migration_for(Engine engine, std::string_view text) {
  const std::string_view own = engine == Engine::sqlite ? "sqlite" : "postgres";
  std::string sql;
  bool ours = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (line.starts_with(every)) ours = true;
    if (line.starts_with(only)) ours = line.substr(only.size()).starts_with(own);
    if (ours && !line.starts_with("--")) sql += line;
  }
  // SQLite compares text octet by octet. So must PostgreSQL, whatever the locale of the database:
  // for the same order of rows, and for indexes that a new C library does not silently break.
  if (engine == Engine::postgres) replace_word(sql, "text", "text COLLATE \"C\"");
  return sql;
}

void migrate(Connection& connection) {
  for (bool more = true; more;) {
    connection.begin_alone();
    try {
      more = migrate_once(connection);
      connection.commit();
    } catch (const StoreError&) {
      connection.rollback();
      throw;
    }
  }
}

}  // namespace muster::store
