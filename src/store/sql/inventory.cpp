// SPDX-License-Identifier: Apache-2.0
#include "store/sql/inventory.h"

#include "store/sql/host_search.h"
#include "store/sql/identity_overrides.h"
#include "store/sql/patterns.h"
#include "store/store.h"

namespace muster::store {

using model::Package;

namespace {

#define PACKAGE_COLUMNS \
  "name, version, vendor, ecosystem, distro, source_name, source_version, arch, cpe"
#define PACKAGE_ROW                                                                  \
  "p.org_id, p.package_id, p.content_id, p.name, p.version, p.vendor, p.ecosystem, " \
  "p.distro, p.source_name, p.source_version, p.arch, p.cpe, o.skipped, o.products"  \
  " FROM packages p LEFT JOIN identity_overrides o ON o.org_id = p.org_id"           \
  " AND o.name = p.name AND o.vendor = p.vendor AND o.cleared = 0"

Blob content_blob(const ContentId& content) {
  return {{reinterpret_cast<const char*>(content.data()), sizeof content}};
}

Blob hash_blob(const crypto::KeyHash& hash) {
  return {{reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()}};
}

Package read_package(const Rows& rows, int first) {
  Package package;
  package.name = rows.string(first);
  package.version = rows.string(first + 1);
  package.vendor = rows.string(first + 2);
  package.ecosystem = model::parse_ecosystem(rows.text(first + 3));
  package.distro = rows.string(first + 4);
  package.source_name = rows.string(first + 5);
  package.source_version = rows.string(first + 6);
  package.arch = rows.string(first + 7);
  package.cpe = rows.string(first + 8);
  if (!rows.is_null(first + 9)) {
    package.identity = decode_identity(rows.boolean(first + 9), rows.text(first + 10));
  }
  return package;
}

PackageRow read_package_row(const Rows& rows) {
  PackageRow row{rows.number_id<OrgId>(0), rows.number_id<PackageId>(1), {}, read_package(rows, 3)};
  std::memcpy(row.content.data(), rows.blob(2).data(), sizeof row.content);
  return row;
}

/// Ascending ids as variable-length differences, seven bits an octet.
std::string encode_ids(const std::vector<PackageId>& ids) {
  std::string out;
  out.reserve(ids.size() * 2);
  std::int64_t last = 0;
  for (const PackageId id : ids) {
    CHECK(id.value > last);
    auto step = static_cast<std::uint64_t>(id.value - last);
    last = id.value;
    for (; step >= 0x80; step >>= 7) out.push_back(static_cast<char>(0x80 | (step & 0x7F)));
    out.push_back(static_cast<char>(step));
  }
  return out;
}

void decode_ids(std::string_view bytes, std::vector<PackageId>& ids) {
  ids.clear();
  ids.reserve(bytes.size());
  std::int64_t last = 0;
  std::uint64_t step = 0;
  int shift = 0;
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    if (shift > 56) throw StoreError("package_sets: damaged members");
    step |= static_cast<std::uint64_t>(octet & 0x7F) << shift;
    shift += 7;
    if ((octet & 0x80) != 0) continue;
    last += static_cast<std::int64_t>(step);
    ids.push_back({last});
    step = 0;
    shift = 0;
  }
  if (shift != 0) throw StoreError("package_sets: damaged members");
}

#define PACKAGE_FILTER                                            \
  "($1 IS NULL OR p.org_id = $1) AND ($2 IS NULL OR p.name = $2)" \
  " AND ($3 IS NULL OR p.vendor = $3)"                            \
  " AND ($4 IS NULL OR lower(p.name) LIKE $4 ESCAPE '!')"

}  // namespace

PackageId insert_package(Tx& tx, OrgId org, const ContentId& content, const Package& package) {
  Rows rows = tx.query(
      "INSERT INTO packages (org_id, package_id, content_id, " PACKAGE_COLUMNS
      ") VALUES ($1, (SELECT coalesce(max(package_id), 0) + 1 FROM packages WHERE org_id = $1),"
      " $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING package_id",
      org, content_blob(content), package.name, package.version, package.vendor,
      model::ecosystem_name(package.ecosystem), package.distro, package.source_name,
      package.source_version, package.arch, package.cpe);
  CHECK(rows.next());
  return rows.number_id<PackageId>(0);
}

std::optional<PackageRow> find_package(Reader& reader, OrgId org, PackageId id) {
  Rows rows =
      reader.query("SELECT " PACKAGE_ROW " WHERE p.org_id = $1 AND p.package_id = $2", org, id);
  if (!rows.next()) return std::nullopt;
  return read_package_row(rows);
}

std::optional<PackageId> find_package_by_content(Reader& reader, OrgId org,
                                                 const ContentId& content) {
  Rows rows = reader.query("SELECT package_id FROM packages WHERE org_id = $1 AND content_id = $2",
                           org, content_blob(content));
  if (!rows.next()) return std::nullopt;
  return rows.number_id<PackageId>(0);
}

void for_each_package(Reader& reader, const std::function<void(const PackageRow&)>& each) {
  Rows rows = reader.query("SELECT " PACKAGE_ROW);
  while (rows.next()) each(read_package_row(rows));
}

std::vector<PackageRow> list_packages(Reader& reader, const PackageFilter& filter, int count) {
  std::vector<PackageRow> packages;
  Rows rows = reader.query("SELECT " PACKAGE_ROW " WHERE " PACKAGE_FILTER
                           " AND (p.org_id, p.package_id) > ($5, $6)"
                           " ORDER BY p.org_id, p.package_id LIMIT $7",
                           filter.org, filter.name, filter.vendor, anywhere(filter.text),
                           filter.after_org, filter.after, count);
  while (rows.next()) packages.push_back(read_package_row(rows));
  return packages;
}

Total count_packages(Reader& reader, const PackageFilter& filter) {
  return read_total(reader.query(
      "SELECT count(*) FROM (SELECT 1 FROM packages p WHERE " PACKAGE_FILTER
      " LIMIT $5) AS counted",
      filter.org, filter.name, filter.vendor, anywhere(filter.text), limits::counted_rows + 1));
}

std::int64_t count_open_findings_of_package(Reader& reader, OrgId org, PackageId package) {
  Rows rows = reader.query(
      "SELECT count(*) FROM findings WHERE org_id = $1 AND package_id = $2 AND status = 'open'",
      org, package);
  rows.next();
  return rows.integer(0);
}

std::vector<PackageId> list_packages_after(Reader& reader, OrgId org, PackageId after) {
  std::vector<PackageId> ids;
  Rows rows = reader.query(
      "SELECT package_id FROM packages WHERE org_id = $1 AND package_id > $2 ORDER BY package_id",
      org, after);
  while (rows.next()) ids.push_back(rows.number_id<PackageId>(0));
  return ids;
}

std::vector<PackageId> get_package_set(Reader& reader, OrgId org, const crypto::KeyHash& set) {
  Rows rows = reader.query("SELECT members FROM package_sets WHERE org_id = $1 AND set_hash = $2",
                           org, hash_blob(set));
  if (!rows.next()) throw StoreError("package_sets: a host's set is missing");
  std::vector<PackageId> ids;
  decode_ids(rows.blob(0), ids);
  return ids;
}

void for_each_package_set(Reader& reader, const std::function<void(const PackageSetRow&)>& each) {
  constexpr int page = 4096;
  OrgId org{-1};
  crypto::KeyHash hash;
  std::vector<PackageId> members;
  for (int read = page; read == page;) {
    Rows rows = reader.query(
        "SELECT org_id, set_hash, members FROM package_sets WHERE (org_id, set_hash) > ($1, $2)"
        " ORDER BY org_id, set_hash LIMIT $3",
        org, hash, page);
    for (read = 0; rows.next(); ++read) {
      org = rows.number_id<OrgId>(0);
      hash = rows.key_hash(1);
      decode_ids(rows.blob(2), members);
      each({org, hash, members});
    }
  }
}

void for_each_package_set(
    Reader& reader, OrgId org,
    const std::function<void(const crypto::KeyHash&, const std::vector<PackageId>&)>& each) {
  constexpr int page = 4096;
  crypto::KeyHash hash;
  std::vector<PackageId> members;
  for (int read = page; read == page;) {
    Rows rows = reader.query(
        "SELECT set_hash, members FROM package_sets WHERE org_id = $1 AND set_hash > $2"
        " ORDER BY set_hash LIMIT $3",
        org, hash, page);
    for (read = 0; rows.next(); ++read) {
      hash = rows.key_hash(0);
      decode_ids(rows.blob(1), members);
      each(hash, members);
    }
  }
}

void for_each_host_set(Reader& reader,
                       const std::function<void(OrgId, HostId, const crypto::KeyHash&)>& each) {
  Rows rows =
      reader.query("SELECT org_id, host_id, package_set FROM hosts WHERE package_set IS NOT NULL");
  while (rows.next()) {
    each(rows.number_id<OrgId>(0), rows.number_id<HostId>(1), rows.key_hash(2));
  }
}

crypto::KeyHash insert_package_set(Tx& tx, OrgId org, const std::vector<PackageId>& ids) {
  const std::string members = encode_ids(ids);
  crypto::KeyHash hash;
  hash.bytes =
      crypto::content_hash({reinterpret_cast<const std::uint8_t*>(members.data()), members.size()});
  tx.post(
      "INSERT INTO package_sets (org_id, set_hash, members, hosts) VALUES ($1, $2, $3, 1)"
      " ON CONFLICT (org_id, set_hash) DO UPDATE SET hosts = package_sets.hosts + 1",
      org, hash_blob(hash), Blob{members});
  return hash;
}

void release_package_set(Tx& tx, OrgId org, const crypto::KeyHash& set) {
  tx.post("UPDATE package_sets SET hosts = hosts - 1 WHERE org_id = $1 AND set_hash = $2", org,
          hash_blob(set));
  tx.post("DELETE FROM package_sets WHERE org_id = $1 AND set_hash = $2 AND hosts <= 0", org,
          hash_blob(set));
}

}  // namespace muster::store
