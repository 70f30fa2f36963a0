// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

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

}  // namespace

void migrate(Connection& connection) {
  connection.run(
      "CREATE TABLE IF NOT EXISTS schema_migrations"
      " (number INTEGER PRIMARY KEY, name TEXT NOT NULL)");
  std::int64_t applied = 0;
  {
    const auto last = connection.prepare("SELECT coalesce(max(number), 0) FROM schema_migrations");
    last->step();
    applied = last->integer(0);
  }
  if (applied > std::end(migrations)[-1].number) {
    throw StoreError("the database was made by a newer version of this program");
  }
  for (const Migration& migration : migrations) {
    if (migration.number <= applied) continue;
    connection.run("BEGIN IMMEDIATE");
    try {
      connection.run(migration.sql);
      const auto record =
          connection.prepare("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)");
      const std::array<Param, 2> params = {Param(migration.number), Param(migration.name)};
      record->bind(params);
      record->step();
      record->reset();
      connection.run("COMMIT");
    } catch (const StoreError&) {
      connection.run("ROLLBACK");
      throw;
    }
  }
}

}  // namespace muster::store
