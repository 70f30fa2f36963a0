// SPDX-License-Identifier: Apache-2.0
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::store {

void set_feed(Tx& tx, const FeedRow& feed) {
  tx.execute(
      "INSERT INTO feeds (feed, imported_at, published, records, generation, matched)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed) DO UPDATE SET"
      " imported_at = excluded.imported_at, published = excluded.published,"
      " records = excluded.records, generation = excluded.generation, matched = excluded.matched",
      feed.feed, feed.imported_at, feed.published, feed.records, feed.generation, feed.matched);
}

std::vector<FeedRow> list_feeds(Reader& reader) {
  std::vector<FeedRow> feeds;
  Rows rows = reader.query(
      "SELECT feed, imported_at, published, records, generation, matched FROM feeds ORDER BY feed");
  while (rows.next()) {
    feeds.push_back({rows.string(0), rows.instant(1), rows.string(2), rows.integer(3),
                     rows.integer(4), rows.boolean(5)});
  }
  return feeds;
}

void set_advisory(Tx& tx, std::int64_t generation, const model::Advisory& advisory) {
  tx.execute(
      "INSERT INTO advisories (feed, generation, distro, package, advisory_id, body)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed, generation, distro, package, "
      "advisory_id)"
      " DO UPDATE SET body = excluded.body",
      advisory.feed, generation, advisory.distro, advisory.package, advisory.id,
      model::encode_advisory(advisory));
}

std::int64_t delete_old_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                                   int count) {
  return tx.execute(
      "DELETE FROM advisories WHERE (feed, generation, distro, package, advisory_id) IN"
      " (SELECT feed, generation, distro, package, advisory_id FROM advisories"
      " WHERE feed = $1 AND generation <> $2 LIMIT $3)",
      feed, generation, count);
}

void for_each_advisory(Reader& reader, const std::function<void(model::Advisory)>& each) {
  Rows rows = reader.query(
      "SELECT a.body FROM advisories a JOIN feeds f ON f.feed = a.feed AND f.generation = "
      "a.generation");
  while (rows.next()) {
    auto advisory = model::decode_advisory(rows.text(0));
    if (!advisory.ok()) throw StoreError("advisories: " + advisory.error().message);
    each(std::move(*advisory));
  }
}

void delete_kev_entries(Tx& tx) {
  tx.execute("DELETE FROM kev_entries");
}

void set_kev_entry(Tx& tx, const model::KevEntry& entry) {
  tx.execute(
      "INSERT INTO kev_entries (cve, body) VALUES ($1, $2)"
      " ON CONFLICT (cve) DO UPDATE SET body = excluded.body",
      entry.cve, model::encode_kev_entry(entry));
}

void for_each_kev_entry(Reader& reader, const std::function<void(model::KevEntry)>& each) {
  Rows rows = reader.query("SELECT body FROM kev_entries");
  while (rows.next()) {
    auto entry = model::decode_kev_entry(rows.text(0));
    if (!entry.ok()) throw StoreError("kev_entries: " + entry.error().message);
    each(std::move(*entry));
  }
}

}  // namespace muster::store
