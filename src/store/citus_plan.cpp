// SPDX-License-Identifier: Apache-2.0
#include "store/citus_plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "store/migrate.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::store {

namespace {

constexpr const char* distribution_column = "org_id";

/// Written by every commit or every second, and read by servers alone, which all use the
/// coordinator: as reference tables they would make each commit one of the whole cluster.
const std::set<std::string, std::less<>> local_tables = {"announcements", "newest_announcement",
                                                         "nodes", "schema_migrations", "writers"};

std::vector<std::string> list_texts(Connection& connection, const char* sql,
                                    const std::string& name) {
  const auto statement = connection.prepare(sql);
  const std::array<Param, 1> params = {Param(name)};
  statement->bind(params);
  std::vector<std::string> texts;
  while (statement->step()) texts.emplace_back(statement->text(0));
  return texts;
}

/// The columns of an index, or of a primary key.
bool has_org(const std::vector<std::string>& columns) {
  return std::find(columns.begin(), columns.end(), distribution_column) != columns.end();
}

CitusTable table_of(Connection& schema, const std::string& name) {
  CitusTable table;
  table.name = name;
  const auto key =
      list_texts(schema, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk", name);
  table.distributed = !key.empty() && key.front() == distribution_column && name != "orgs";
  if (!table.distributed) return table;
  for (const std::string& index : list_texts(
           schema, "SELECT name FROM pragma_index_list($1) WHERE \"unique\" = 1 ORDER BY name",
           name)) {
    if (!has_org(list_texts(schema, "SELECT name FROM pragma_index_info($1) WHERE name IS NOT NULL",
                            index))) {
      table.offending_indexes.push_back(index);
    }
  }
  return table;
}

}  // namespace

std::string CitusPlan::script() const {
  std::string script =
      "-- Run once, on the coordinator, after a musterd made the schema and before it has data.\n";
  for (const std::string& statement : statements) script += statement + ";\n";
  return script;
}

CitusPlan plan_citus() {
  const auto schema = open_sqlite(":memory:", Access::read_write);
  migrate(*schema);
  CitusPlan plan;
  plan.statements.emplace_back("CREATE EXTENSION IF NOT EXISTS citus");
  std::string first;
  for (const std::string& name :
       list_texts(*schema,
                  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE $1"
                  " ORDER BY name",
                  "sqlite_%")) {
    if (!local_tables.contains(name)) plan.tables.push_back(table_of(*schema, name));
  }
  for (const CitusTable& table : plan.tables) {
    if (table.distributed) continue;
    plan.statements.push_back("SELECT create_reference_table('" + table.name + "')");
  }
  for (const CitusTable& table : plan.tables) {
    if (!table.distributed) continue;
    plan.statements.push_back("SELECT create_distributed_table('" + table.name + "', '" +
                              distribution_column + "', colocate_with => '" +
                              (first.empty() ? "none" : first) + "')");
    if (first.empty()) first = table.name;
  }
  return plan;
}

}  // namespace muster::store
