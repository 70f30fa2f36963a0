// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/json_write.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/grammar.h"
#include "store/citus_plan.h"
#include "store/postgres/postgres_connection.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/transfer.h"

namespace muster::ctl {

namespace {

const Columns copied = {
    {"name", "table"},
    {"rows", "rows", &formats::number},
    {"sha256", "content"},
};

Result<void> copy_store(const Shell& shell, const FlagValues& values) {
  const std::string directory = values.text("data");
  const std::string url = values.text("to");
  if (!store::PostgresDatabase::is_address(url)) {
    return invalid_field("--to", "must be postgresql://USER@HOST/DATABASE");
  }
  const auto lock = TRY(lock_data_directory(directory, false));
  if (!std::filesystem::exists(directory + "/muster.db")) {
    return Error{Errc::not_found, directory + "/muster.db: there is no embedded store"};
  }
  const auto from = store::SqliteDatabase(directory).connect(store::Access::read_write);
  const auto to = store::PostgresDatabase(url).connect(store::Access::read_write);
  const store::Transfer transfer =
      store::transfer_store(*from, *to, [&](const std::string& table, std::int64_t rows) {
        shell.progress(table + ": " + std::to_string(rows) + " rows");
      });
  shell.progress({});
  JsonWriter tables;
  std::int64_t rows = 0;
  tables.begin_array();
  for (const store::TransferredTable& table : transfer.tables) {
    tables.begin_object()
        .member("name", table.name)
        .member("rows", table.rows)
        .member("sha256", table.content.text())
        .end_object();
    rows += table.rows;
  }
  const std::string array = tables.end_array().take();
  if (shell.json()) {
    JsonWriter json;
    json.begin_object()
        .member("rows", rows)
        .member("rows_before", transfer.rows_before)
        .key("tables")
        .raw(array)
        .end_object();
    shell.print_json(json.take());
    return {};
  }
  print_array(shell, array, copied, {"table", "tables"});
  shell.remark(
      "Both sides were read again and are equal. The secrets are sealed in the database: "
      "give every server a copy of " +
      directory + "/secret with --secret-file.");
  return {};
}

Result<void> plan_citus(const Shell& shell, const FlagValues&) {
  const store::CitusPlan plan = store::plan_citus();
  if (!shell.json()) {
    shell.print(plan.script());
    return {};
  }
  shell.print_json(JsonWriter().value(plan.statements).take());
  return {};
}

}  // namespace

void add_store(Grammar& grammar) {
  Noun store = grammar.noun("store", "Where a server's data is kept");
  store.local({"copy", "Move an embedded store to a PostgreSQL database; again, to go on",
               "muster store copy --data /var/lib/muster --to postgresql://muster@db/muster"},
              {{.name = "--data",
                .member = "data",
                .what = "The server's data directory; no server may run on it",
                .required = true,
                .shown = "DIR"},
               {.name = "--to",
                .member = "to",
                .what = "An empty database, with the password in ~/.pgpass",
                .required = true,
                .shown = "URL"}},
              copy_store);
  store.local({"plan-citus", "Print what makes a PostgreSQL store a Citus one",
               "muster store plan-citus | psql muster"},
              {}, plan_citus);
}

}  // namespace muster::ctl
