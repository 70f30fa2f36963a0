// SPDX-License-Identifier: Apache-2.0
#include "store/transfer.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <set>
#include <string_view>

#include "base/check.h"
#include "store/migrate.h"

namespace muster::store {

namespace {

constexpr std::size_t batch_rows = 2000;
constexpr std::size_t batch_bytes = std::size_t{8} << 20;

/// Of one server's run, or the schema's own.
const std::set<std::string, std::less<>> left_behind = {
    "announcements", "newest_announcement", "nodes", "schema_migrations", "transfer", "writers"};

/// Migrations put no rows there, and triggers refuse to delete any.
const std::set<std::string, std::less<>> append_only = {"audit", "audit_links"};

struct TableShape {
  std::string name;
  std::vector<std::string> columns;
  std::vector<Param::Kind> kinds;  // of the columns
  std::vector<std::size_t> key;    // places of the primary key's columns
};

/// A statement whose text is made here: PostgreSQL and SQLite keep neither it nor its text after
/// this object.
class Query {
 public:
  Query(Connection& connection, std::string sql)
      : sql_(std::move(sql)), statement_(connection.prepare(sql_.c_str())) {}
  void bind(const std::vector<Param>& params) { statement_->bind(params); }
  bool step() { return statement_->step(); }
  void reset() { statement_->reset(); }
  Statement& row() { return *statement_; }

 private:
  std::string sql_;
  std::unique_ptr<Statement> statement_;
};

std::vector<std::string> list_texts(Connection& connection, std::string sql,
                                    const std::vector<Param>& params) {
  Query query(connection, std::move(sql));
  query.bind(params);
  std::vector<std::string> texts;
  while (query.step()) texts.emplace_back(query.row().text(0));
  return texts;
}

std::int64_t count_rows(Connection& connection, const std::string& table) {
  Query query(connection, "SELECT count(*) FROM " + table);
  query.step();
  return query.row().integer(0);
}

Param::Kind kind_of(const std::string& type, const std::string& column) {
  if (type == "bigint") return Param::Kind::integer;
  if (type == "text") return Param::Kind::text;
  if (type == "bytea") return Param::Kind::blob;
  if (type == "double precision") return Param::Kind::real;
  throw StoreError("column " + column + " has a type that is not moved: " + type);
}

/// From the catalogue of PostgreSQL: names that are safe in a statement, since migrations made
/// them.
TableShape shape_of(Connection& postgres, const std::string& table) {
  TableShape shape;
  shape.name = table;
  Query columns(postgres,
                "SELECT column_name::text, data_type::text FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND table_name = $1"
                " ORDER BY ordinal_position");
  columns.bind({Param(table)});
  while (columns.step()) {
    shape.columns.emplace_back(columns.row().text(0));
    shape.kinds.push_back(kind_of(std::string(columns.row().text(1)), shape.columns.back()));
  }
  const auto key =
      list_texts(postgres,
                 "SELECT a.attname::text FROM pg_index i"
                 " CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)"
                 " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
                 " WHERE i.indisprimary AND i.indrelid = to_regclass($1) ORDER BY k.place",
                 {Param(table)});
  for (const std::string& name : key) {
    const auto found = std::find(shape.columns.begin(), shape.columns.end(), name);
    CHECK(found != shape.columns.end());
    shape.key.push_back(static_cast<std::size_t>(found - shape.columns.begin()));
  }
  if (shape.key.empty()) throw StoreError("table " + table + " has no primary key");
  return shape;
}

std::vector<std::string> list_tables(Connection& postgres) {
  return list_texts(postgres,
                    "SELECT table_name::text FROM information_schema.tables"
                    " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
                    " ORDER BY table_name::text COLLATE \"C\"",
                    {});
}

/// The values of some rows, in the order of the key, with the memory that their Params view.
struct Page {
  std::deque<std::string> memory;
  std::vector<std::vector<Param>> rows;
  std::size_t bytes = 0;

  void add(const TableShape& shape, const Statement& row) {
    std::vector<Param>& values = rows.emplace_back();
    for (std::size_t i = 0; i < shape.columns.size(); ++i) {
      const int column = static_cast<int>(i);
      values.push_back(value_of(row, column, shape.kinds[i]));
      values.back().null = row.is_null(column);
    }
  }

 private:
  Param value_of(const Statement& row, int column, Param::Kind kind) {
    if (kind == Param::Kind::integer || kind == Param::Kind::real) {
      bytes += sizeof(std::int64_t);
      return kind == Param::Kind::integer ? Param(row.integer(column)) : Param(row.real(column));
    }
    std::string_view octets;
    if (!row.is_null(column)) {
      octets = kind == Param::Kind::text ? row.text(column) : row.blob(column);
    }
    bytes += octets.size();
    const std::string& kept = memory.emplace_back(octets);
    return kind == Param::Kind::text ? Param(kept) : Param(Blob{kept});
  }
};

std::string list_of(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

/// Walks a table in the order of its key, page by page.
class Walk {
 public:
  Walk(Connection& connection, const TableShape& shape)
      : shape_(shape),
        first_(connection, select(shape, false)),
        next_(connection, select(shape, true)) {}

  /// The rows after those of `before`, or the first ones; none at the end.
  Page after(const Page& before) {
    Query& query = before.rows.empty() ? first_ : next_;
    std::vector<Param> params = {Param(static_cast<std::int64_t>(batch_rows))};
    if (!before.rows.empty()) {
      for (const std::size_t place : shape_.key) params.push_back(before.rows.back()[place]);
    }
    query.bind(params);
    Page page;
    while (page.bytes < batch_bytes && query.step()) page.add(shape_, query.row());
    query.reset();
    return page;
  }

 private:
  static std::string select(const TableShape& shape, bool later) {
    std::vector<std::string> key;
    std::vector<std::string> places;
    for (const std::size_t place : shape.key) {
      key.push_back(shape.columns[place]);
      places.push_back("$" + std::to_string(places.size() + 2));
    }
    return "SELECT " + list_of(shape.columns) + " FROM " + shape.name +
           (later ? " WHERE (" + list_of(key) + ") > (" + list_of(places) + ")" : "") +
           " ORDER BY " + list_of(key) + " LIMIT $1";
  }

  const TableShape& shape_;
  Query first_;
  Query next_;
};

void append_number(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

/// Unambiguous: of each value its kind, its length and its octets.
void append_row(std::string& out, const std::vector<Param>& row) {
  for (const Param& value : row) {
    out.push_back(value.null ? 'n' : static_cast<char>('0' + static_cast<int>(value.kind)));
    if (value.null) continue;
    if (value.kind == Param::Kind::integer) {
      append_number(out, static_cast<std::uint64_t>(value.integer));
    } else if (value.kind == Param::Kind::real) {
      append_number(out, std::bit_cast<std::uint64_t>(value.real));
    } else {
      append_number(out, value.view.size());
      out += value.view;
    }
  }
}

TransferredTable read_whole(Connection& connection, const TableShape& shape) {
  TransferredTable table;
  table.name = shape.name;
  crypto::Sha256Stream content;
  Walk walk(connection, shape);
  std::string octets;
  for (Page page = walk.after({}); !page.rows.empty(); page = walk.after(page)) {
    for (const auto& row : page.rows) {
      octets.clear();
      append_row(octets, row);
      content.add(octets);
    }
    table.rows += static_cast<std::int64_t>(page.rows.size());
  }
  table.content = content.finish();
  return table;
}

void insert_page(Connection& to, Query& insert, const TableShape& shape, const Page& page) {
  std::vector<Column> columns(shape.columns.size());
  for (const auto& row : page.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) columns[i].add(row[i]);
  }
  const std::vector<Param> params(columns.begin(), columns.end());
  to.begin();
  insert.bind(params);
  while (insert.step()) {
  }
  insert.reset();
  to.commit();
}

std::string insert_text(const TableShape& shape) {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    places.push_back("$" + std::to_string(i + 1));
  }
  return "INSERT INTO " + shape.name + " (" + list_of(shape.columns) + ") SELECT * FROM unnest(" +
         list_of(places) + ")";
}

/// Returns how many rows were there before.
std::int64_t move_table(Connection& from, Connection& to, const TableShape& shape,
                        const TransferProgress& progress) {
  const std::int64_t before = count_rows(to, shape.name);
  // They went over in this order, whole batches at a time.
  Walk walk(from, shape);
  Query insert(to, insert_text(shape));
  std::int64_t passed = 0;
  for (Page page = walk.after({}); !page.rows.empty(); page = walk.after(page)) {
    const auto rows = static_cast<std::int64_t>(page.rows.size());
    passed += rows;
    if (passed <= before) continue;
    if (passed - rows < before) throw StoreError("table " + shape.name + " was begun otherwise");
    insert_page(to, insert, shape, page);
    if (progress) progress(shape.name, passed);
  }
  return before;
}

/// What tells one store from another: its secrets are random, and sealed in them.
std::string identity_of(Connection& connection) {
  Query secrets(connection, "SELECT name, sealed FROM secrets ORDER BY name");
  std::string all;
  while (secrets.step()) {
    all += secrets.row().text(0);
    all += secrets.row().blob(1);
  }
  if (all.empty()) throw StoreError("no server has run on this store yet: there is nothing in it");
  return crypto::sha256(all).text();
}

void run_alone(Connection& connection, const std::vector<std::string>& statements) {
  connection.begin_alone();
  for (const std::string& sql : statements) connection.run(sql.c_str());
  connection.commit();
}

/// Marks the database as the target of a transfer from `identity`, or finds that mark.
void claim(Connection& to, const std::string& identity) {
  const auto tables = list_tables(to);
  if (std::find(tables.begin(), tables.end(), "transfer") != tables.end()) {
    const auto sources = list_texts(to, "SELECT source FROM transfer", {});
    if (sources == std::vector<std::string>{identity}) return;
    throw StoreError("another store is being copied into this database");
  }
  if (!tables.empty()) throw StoreError("the database is not empty");
  // Hexadecimal digits alone, which need no quoting.
  run_alone(to, {"CREATE TABLE transfer (source text PRIMARY KEY)",
                 "INSERT INTO transfer (source) VALUES ('" + identity + "')"});
}

/// The schema, without the rows that migrations put there: those of the store take their place.
void prepare(Connection& to, const std::vector<TableShape>& shapes) {
  Query begun(to, "SELECT count(*) FROM secrets");
  begun.step();
  if (begun.row().integer(0) > 0) return;
  to.begin();
  for (const TableShape& shape : shapes) {
    if (append_only.contains(shape.name)) continue;
    to.run(("DELETE FROM " + shape.name).c_str());
  }
  to.commit();
}

}  // namespace

bool is_transfer_unfinished(Connection& connection) {
  if (connection.engine() != Engine::postgres) return false;
  Query found(connection,
              "SELECT 1 FROM information_schema.tables"
              " WHERE table_schema = current_schema() AND table_name = 'transfer'");
  return found.step();
}

Transfer transfer_store(Connection& from, Connection& to, const TransferProgress& progress) {
  migrate(from);
  claim(to, identity_of(from));
  migrate(to);
  std::vector<TableShape> shapes;
  for (const std::string& table : list_tables(to)) {
    if (!left_behind.contains(table)) shapes.push_back(shape_of(to, table));
  }
  // The secrets go first, so that a second run knows that rows of migrations are gone.
  std::stable_partition(shapes.begin(), shapes.end(),
                        [](const TableShape& shape) { return shape.name == "secrets"; });
  prepare(to, shapes);
  Transfer transfer;
  for (const TableShape& shape : shapes) {
    transfer.rows_before += move_table(from, to, shape, progress);
  }
  for (const TableShape& shape : shapes) {
    TransferredTable sent = read_whole(from, shape);
    const TransferredTable arrived = read_whole(to, shape);
    if (sent.rows != arrived.rows || sent.content != arrived.content) {
      throw StoreError("table " + shape.name +
                       " differs after the copy: the store was changed since it began. Empty the "
                       "database and copy again");
    }
    transfer.tables.push_back(std::move(sent));
  }
  run_alone(to, {"DROP TABLE transfer"});
  if (to.engine() == Engine::postgres) {
    // Not when autovacuum comes: without statistics the first pages would be planned blindly.
    for (const TableShape& shape : shapes) to.run(("ANALYZE " + shape.name).c_str());
  }
  return transfer;
}

}  // namespace muster::store
