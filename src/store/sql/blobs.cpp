// SPDX-License-Identifier: Apache-2.0
#include "store/sql/blobs.h"

#include "store/store.h"

namespace muster::store {

bool begin_blob(Tx& tx, const BlobName& name, std::size_t size, Instant delete_at) {
  Rows rows = tx.query(
      "INSERT INTO blobs (org_id, sha256, size, delete_at) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (org_id, sha256) DO UPDATE SET delete_at ="
      " CASE WHEN blobs.delete_at < excluded.delete_at THEN excluded.delete_at"
      " ELSE blobs.delete_at END"
      " RETURNING stored_at",
      name.org, name.sha256, static_cast<std::int64_t>(size), delete_at);
  CHECK(rows.next());
  return !rows.is_null(0);
}

void insert_chunk(Tx& tx, const BlobName& name, std::int64_t position, std::string_view octets) {
  tx.post(
      "INSERT INTO blob_chunks (org_id, sha256, position, octets) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (org_id, sha256, position) DO NOTHING",
      name.org, name.sha256, position, Blob{octets});
}

bool finish_blob(Tx& tx, const BlobName& name, Instant now) {
  return tx.execute(
             "UPDATE blobs SET stored_at = $3 WHERE org_id = $1 AND sha256 = $2"
             " AND stored_at IS NULL",
             name.org, name.sha256, now) > 0;
}

bool has_blob_row(Reader& reader, const BlobName& name) {
  return reader
      .query("SELECT 1 FROM blobs WHERE org_id = $1 AND sha256 = $2", name.org, name.sha256)
      .next();
}

BlobRoom sum_blobs(Reader& reader, OrgId org, std::int64_t bytes_least) {
  Rows rows = reader.query(
      "SELECT CAST(coalesce(sum(bytes), 0) AS bigint),"
      " CAST(coalesce(sum(CASE WHEN delete_at IS NULL THEN 0 ELSE bytes END), 0) AS bigint)"
      " FROM (SELECT delete_at, CASE WHEN size < $2 THEN $2 ELSE size END AS bytes FROM blobs"
      " WHERE org_id = $1) AS each_blob",
      org, bytes_least);
  CHECK(rows.next());
  return {rows.integer(0), rows.integer(1)};
}

std::optional<std::size_t> keep_blob(Tx& tx, const BlobName& name) {
  Rows rows = tx.query(
      "UPDATE blobs SET delete_at = NULL WHERE org_id = $1 AND sha256 = $2"
      " AND stored_at IS NOT NULL RETURNING size",
      name.org, name.sha256);
  if (!rows.next()) return std::nullopt;
  return static_cast<std::size_t>(rows.integer(0));
}

void let_go_of_blob(Tx& tx, const BlobName& name, Instant delete_at) {
  tx.post("UPDATE blobs SET delete_at = $3 WHERE org_id = $1 AND sha256 = $2", name.org,
          name.sha256, delete_at);
}

std::optional<std::size_t> find_blob(Reader& reader, const BlobName& name) {
  Rows rows = reader.query(
      "SELECT size FROM blobs WHERE org_id = $1 AND sha256 = $2 AND stored_at IS NOT NULL",
      name.org, name.sha256);
  if (!rows.next()) return std::nullopt;
  return static_cast<std::size_t>(rows.integer(0));
}

std::string find_chunk(Reader& reader, const BlobName& name, std::int64_t position) {
  Rows rows = reader.query(
      "SELECT octets FROM blob_chunks WHERE org_id = $1 AND sha256 = $2 AND position = $3",
      name.org, name.sha256, position);
  if (!rows.next()) return {};
  return std::string(rows.blob(0));
}

std::vector<BlobName> list_due_blobs(Reader& reader, Instant now, int count) {
  std::vector<BlobName> due;
  Rows rows =
      reader.query("SELECT org_id, sha256 FROM blobs WHERE delete_at <= $1 LIMIT $2", now, count);
  while (rows.next()) due.push_back({rows.number_id<OrgId>(0), rows.sha256(1)});
  return due;
}

bool delete_some_of_blob(Tx& tx, const BlobName& name, Instant now, int chunks_max) {
  // Who begins to store or use the same content waits for this row, and then finds it as it is.
  const bool referred =
      tx.execute(
          "UPDATE blobs SET delete_at = NULL WHERE org_id = $1 AND sha256 = $2 AND delete_at <= $3"
          " AND (EXISTS (SELECT 1 FROM test_binaries t"
          " WHERE t.org_id = blobs.org_id AND t.sha256 = blobs.sha256)"
          " OR (org_id = 0 AND EXISTS (SELECT 1 FROM releases r WHERE r.sha256 = blobs.sha256))"
          " OR (org_id = 0 AND EXISTS (SELECT 1 FROM agent_scripts s"
          " WHERE s.sha256 = blobs.sha256)))",
          name.org, name.sha256, now) > 0;
  if (referred) return false;
  const bool due = tx.execute(
                       "UPDATE blobs SET stored_at = NULL WHERE org_id = $1 AND sha256 = $2"
                       " AND delete_at <= $3",
                       name.org, name.sha256, now) > 0;
  if (!due) return false;
  const std::int64_t deleted = tx.execute(
      "DELETE FROM blob_chunks WHERE org_id = $1 AND sha256 = $2 AND position > (SELECT"
      " max(position) FROM blob_chunks c WHERE c.org_id = $1 AND c.sha256 = $2) - $3",
      name.org, name.sha256, chunks_max);
  if (deleted > 0) return true;
  tx.post("DELETE FROM blobs WHERE org_id = $1 AND sha256 = $2", name.org, name.sha256);
  return false;
}

namespace {

TestBinary read_test_binary(const Rows& rows) {
  TestBinary binary;
  binary.org = rows.number_id<OrgId>(0);
  binary.test = rows.uuid(1);
  binary.name = rows.string(2);
  binary.sha256 = rows.sha256(3);
  binary.size = rows.integer(4);
  binary.uploaded_at = rows.instant(5);
  binary.uploaded_by = rows.number_id<OperatorId>(6);
  return binary;
}

}  // namespace

void set_test_binary(Tx& tx, const TestBinary& binary) {
  tx.post(
      "INSERT INTO test_binaries (org_id, test_uuid, name, sha256, size, uploaded_at, uploaded_by)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, test_uuid, name) DO UPDATE SET"
      " sha256 = excluded.sha256, size = excluded.size, uploaded_at = excluded.uploaded_at,"
      " uploaded_by = excluded.uploaded_by",
      binary.org, binary.test, binary.name, binary.sha256, binary.size, binary.uploaded_at,
      binary.uploaded_by);
}

bool delete_test_binary(Tx& tx, OrgId org, const Uuid& test, std::string_view name) {
  return tx.execute("DELETE FROM test_binaries WHERE org_id = $1 AND test_uuid = $2 AND name = $3",
                    org, test, name) > 0;
}

#define TEST_BINARY_COLUMNS "org_id, test_uuid, name, sha256, size, uploaded_at, uploaded_by"

std::optional<TestBinary> find_test_binary(Reader& reader, OrgId org, const Uuid& test,
                                           std::string_view name) {
  Rows rows = reader.query("SELECT " TEST_BINARY_COLUMNS
                           " FROM test_binaries WHERE org_id = $1 AND test_uuid = $2"
                           " AND ($3 = '' OR name = $3) ORDER BY uploaded_at DESC, name LIMIT 1",
                           org, test, name);
  if (!rows.next()) return std::nullopt;
  return read_test_binary(rows);
}

std::vector<TestBinary> list_test_binaries(Reader& reader, std::optional<OrgId> org,
                                           std::optional<Uuid> test, const TestBinaryPlace& after,
                                           int count) {
  std::vector<TestBinary> binaries;
  Rows rows = reader.query(
      "SELECT " TEST_BINARY_COLUMNS
      " FROM test_binaries"
      " WHERE ($1 IS NULL OR org_id = $1) AND ($2 IS NULL OR test_uuid = $2)"
      " AND (org_id, test_uuid, name) > ($3, $4, $5) ORDER BY org_id, test_uuid, name LIMIT $6",
      org, test, after.org, after.test, after.name, count);
  while (rows.next()) binaries.push_back(read_test_binary(rows));
  return binaries;
}

Total count_test_binaries(Reader& reader, std::optional<OrgId> org, std::optional<Uuid> test) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM test_binaries WHERE ($1 IS NULL OR org_id = $1)"
      " AND ($2 IS NULL OR test_uuid = $2) LIMIT $3) AS counted",
      org, test, limits::counted_rows + 1));
}

#undef TEST_BINARY_COLUMNS

namespace {

#define SCRIPT_COLUMNS "platform, version, sha256, size, uploaded_at, uploaded_by"

std::vector<AgentScript> read_scripts(Rows rows) {
  std::vector<AgentScript> scripts;
  while (rows.next()) {
    AgentScript& script = scripts.emplace_back();
    script.platform = rows.string(0);
    script.version = rows.string(1);
    script.sha256 = rows.sha256(2);
    script.size = rows.integer(3);
    script.uploaded_at = rows.instant(4);
    script.uploaded_by = rows.number_id<OperatorId>(5);
  }
  return scripts;
}

}  // namespace

void set_agent_script(Tx& tx, const AgentScript& script) {
  tx.post("INSERT INTO agent_scripts (" SCRIPT_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (platform) DO UPDATE SET"
          " version = excluded.version, sha256 = excluded.sha256, size = excluded.size,"
          " uploaded_at = excluded.uploaded_at, uploaded_by = excluded.uploaded_by",
          script.platform, script.version, script.sha256, script.size, script.uploaded_at,
          script.uploaded_by);
}

void delete_agent_script(Tx& tx, std::string_view platform) {
  tx.post("DELETE FROM agent_scripts WHERE platform = $1", platform);
}

std::optional<AgentScript> find_agent_script(Reader& reader, std::string_view platform) {
  auto found = read_scripts(
      reader.query("SELECT " SCRIPT_COLUMNS " FROM agent_scripts WHERE platform = $1", platform));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<AgentScript> list_agent_scripts(Reader& reader) {
  return read_scripts(
      reader.query("SELECT " SCRIPT_COLUMNS " FROM agent_scripts ORDER BY platform"));
}

}  // namespace muster::store
