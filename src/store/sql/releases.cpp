// SPDX-License-Identifier: Apache-2.0
#include "store/sql/releases.h"

#include "store/sql/octets.h"
#include "store/store.h"

namespace muster::store {

using model::Release;
using model::ReleaseId;

namespace {

#define RELEASE_COLUMNS                                                                \
  "release_id, version, os, arch, sha256, size, serial, expires_at, mandatory, notes," \
  " signature, manifest, manifest_signature, signer, published_at, published_by, withdrawn_at"

std::vector<Release> read_releases(Rows rows) {
  std::vector<Release> releases;
  while (rows.next()) {
    Release& release = releases.emplace_back();
    release.id = rows.number_id<ReleaseId>(0);
    release.facts.version = rows.string(1);
    release.facts.os = rows.string(2);
    release.facts.arch = rows.string(3);
    release.facts.sha256 = rows.sha256(4);
    release.facts.size = rows.integer(5);
    release.facts.serial = rows.integer(6);
    release.facts.expires_at = rows.maybe_instant(7);
    release.mandatory = rows.boolean(8);
    release.notes = rows.string(9);
    read_octets(rows, 10, release.signature);
    release.manifest = rows.string(11);
    read_octets(rows, 12, release.manifest_signature);
    read_octets(rows, 13, release.signer);
    release.published_at = rows.instant(14);
    release.published_by = rows.number_id<OperatorId>(15);
    release.withdrawn_at = rows.maybe_instant(16);
  }
  return releases;
}

}  // namespace

void insert_release(Tx& tx, const Release& release) {
  tx.post("INSERT INTO releases (" RELEASE_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
          release.id, release.facts.version, release.facts.os, release.facts.arch,
          release.facts.sha256, release.facts.size, release.facts.serial, release.facts.expires_at,
          release.mandatory, release.notes, octets_of(release.signature), release.manifest,
          octets_of(release.manifest_signature), octets_of(release.signer), release.published_at,
          release.published_by, release.withdrawn_at);
}

void set_release_withdrawn(Tx& tx, ReleaseId id, std::optional<Instant> withdrawn_at) {
  tx.post("UPDATE releases SET withdrawn_at = $2 WHERE release_id = $1", id, withdrawn_at);
}

std::optional<Release> find_release(Reader& reader, ReleaseId id) {
  auto found = read_releases(
      reader.query("SELECT " RELEASE_COLUMNS " FROM releases WHERE release_id = $1", id));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Release> list_platform_releases(Reader& reader, std::string_view os,
                                            std::string_view arch) {
  return read_releases(reader.query(
      "SELECT " RELEASE_COLUMNS " FROM releases WHERE os = $1 AND arch = $2 ORDER BY release_id",
      os, arch));
}

std::vector<Release> list_releases(Reader& reader, ReleaseId before, int count) {
  return read_releases(reader.query("SELECT " RELEASE_COLUMNS " FROM releases WHERE release_id < $1"
                                    " ORDER BY release_id DESC LIMIT $2",
                                    before, count));
}

Total count_releases(Reader& reader) {
  return read_total(
      reader.query("SELECT count(*) FROM (SELECT 1 FROM releases LIMIT $1) AS counted",
                   limits::counted_rows + 1));
}

#undef RELEASE_COLUMNS

}  // namespace muster::store
