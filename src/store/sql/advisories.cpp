// SPDX-License-Identifier: Apache-2.0
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::store {

void set_feed(Tx& tx, const FeedRow& feed) {
  tx.post(
      "INSERT INTO feeds (feed, imported_at, published, records, generation, matched)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed) DO UPDATE SET"
      " imported_at = excluded.imported_at, published = excluded.published,"
      " records = excluded.records, generation = excluded.generation, matched = excluded.matched",
      feed.feed, feed.imported_at, feed.published, feed.records, feed.generation, feed.matched);
}

void set_feeds_unmatched(Tx& tx) {
  tx.post("UPDATE feeds SET matched = 0 WHERE matched = 1");
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

#define ADVISORY_COLUMNS "feed, generation, ecosystem, distro, package, advisory_id, body"
#define ADVISORY_KEY "feed, generation, ecosystem, distro, package, advisory_id"
#define ADVISORY_REPEATED       \
  " ON CONFLICT (" ADVISORY_KEY \
  ")"                           \
  " DO UPDATE SET body = excluded.body"

void set_advisories(Tx& tx, std::int64_t generation,
                    const std::vector<model::Advisory>& advisories) {
  struct Encoded {
    const model::Advisory* advisory;
    std::string body;
  };
  std::vector<Encoded> encoded;
  encoded.reserve(advisories.size());
  for (const model::Advisory& advisory : advisories) {
    encoded.push_back({&advisory, model::encode_advisory(advisory)});
  }
  tx.post_batch("INSERT INTO advisories (" ADVISORY_COLUMNS
                ") VALUES ($1, $2, $3, $4, $5, $6, $7)" ADVISORY_REPEATED,
                "INSERT INTO advisories (" ADVISORY_COLUMNS ") SELECT DISTINCT ON (" ADVISORY_KEY
                ")"
                " " ADVISORY_COLUMNS
                " FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY"
                " AS given (" ADVISORY_COLUMNS ", place) ORDER BY " ADVISORY_KEY
                ", place DESC" ADVISORY_REPEATED,
                encoded, [&](const Encoded& row) {
                  return std::array<Param, 7>{row.advisory->feed,
                                              generation,
                                              model::ecosystem_name(row.advisory->ecosystem),
                                              row.advisory->distro,
                                              row.advisory->package,
                                              row.advisory->id,
                                              row.body};
                });
}

std::int64_t delete_old_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                                   int count) {
  return tx.execute("DELETE FROM advisories WHERE (" ADVISORY_KEY ") IN (SELECT " ADVISORY_KEY
                    " FROM advisories"
                    " WHERE feed = $1 AND generation < $2 AND generation NOT IN"
                    " (SELECT generation FROM feed_layers WHERE feed = $1) LIMIT $3)",
                    feed, generation, count);
}

void delete_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                       const std::vector<std::string>& ids) {
  tx.post_batch("DELETE FROM advisories WHERE feed = $1 AND generation = $2 AND advisory_id = $3",
                "DELETE FROM advisories WHERE (feed, generation, advisory_id) IN"
                " (SELECT * FROM unnest($1, $2, $3))",
                ids, [&](const std::string& id) {
                  return std::array<Param, 3>{feed, generation, id};
                });
}

void delete_superseded_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                                  const std::vector<std::string>& ids) {
  tx.post_batch("DELETE FROM advisories WHERE feed = $1 AND generation < $2 AND advisory_id = $3",
                "DELETE FROM advisories a USING unnest($1, $2, $3) AS given (feed, generation, id)"
                " WHERE a.feed = given.feed AND a.generation < given.generation AND a.advisory_id "
                "= given.id",
                ids, [&](const std::string& id) {
                  return std::array<Param, 3>{feed, generation, id};
                });
}

void insert_feed_layer(Tx& tx, std::string_view feed, std::int64_t generation) {
  tx.post(
      "INSERT INTO feed_layers (feed, generation) VALUES ($1, $2)"
      " ON CONFLICT (feed, generation) DO NOTHING",
      feed, generation);
}

void delete_feed_layers(Tx& tx, std::string_view feed) {
  tx.post("DELETE FROM feed_layers WHERE feed = $1", feed);
}

void delete_empty_feed_layers(Tx& tx, std::string_view feed) {
  tx.post(
      "DELETE FROM feed_layers WHERE feed = $1 AND NOT EXISTS (SELECT 1 FROM advisories a"
      " WHERE a.feed = feed_layers.feed AND a.generation = feed_layers.generation)",
      feed);
}

// What is in force.
#define LAYERS                          \
  "(SELECT feed, generation FROM feeds" \
  " UNION SELECT feed, generation FROM feed_layers)"

std::int64_t count_advisories(Reader& reader, std::string_view feed) {
  Rows rows = reader.query("SELECT count(*) FROM advisories a JOIN " LAYERS
                           " f ON f.feed = a.feed AND f.generation = a.generation"
                           " WHERE a.feed = $1",
                           feed);
  rows.next();
  return rows.integer(0);
}

void for_each_advisory(Reader& reader, const std::function<void(model::Advisory)>& each) {
  Rows rows = reader.query("SELECT a.body FROM advisories a JOIN " LAYERS
                           " f ON f.feed = a.feed AND f.generation = a.generation");
  while (rows.next()) {
    auto advisory = model::decode_advisory(rows.text(0));
    if (!advisory.ok()) throw StoreError("advisories: " + advisory.error().message);
    each(std::move(*advisory));
  }
}

void delete_kev_entries(Tx& tx) {
  tx.post("DELETE FROM kev_entries");
}

void set_kev_entries(Tx& tx, const std::vector<model::KevEntry>& entries) {
  struct Encoded {
    const model::KevEntry* entry;
    std::string body;
  };
  std::vector<Encoded> encoded;
  encoded.reserve(entries.size());
  for (const model::KevEntry& entry : entries) {
    encoded.push_back({&entry, model::encode_kev_entry(entry)});
  }
  tx.post_batch(
      "INSERT INTO kev_entries (cve, body) VALUES ($1, $2)"
      " ON CONFLICT (cve) DO UPDATE SET body = excluded.body",
      "INSERT INTO kev_entries (cve, body) SELECT DISTINCT ON (cve) cve, body"
      " FROM unnest($1, $2) WITH ORDINALITY AS given (cve, body, place)"
      " ORDER BY cve, place DESC ON CONFLICT (cve) DO UPDATE SET body = excluded.body",
      encoded, [](const Encoded& row) {
        return std::array<Param, 2>{row.entry->cve, row.body};
      });
}

void for_each_kev_entry(Reader& reader, const std::function<void(model::KevEntry)>& each) {
  Rows rows = reader.query("SELECT body FROM kev_entries");
  while (rows.next()) {
    auto entry = model::decode_kev_entry(rows.text(0));
    if (!entry.ok()) throw StoreError("kev_entries: " + entry.error().message);
    each(std::move(*entry));
  }
}

void set_epss_scores(Tx& tx, std::int64_t generation, const std::vector<model::EpssScore>& scores) {
  tx.post_batch(
      "INSERT INTO epss_scores (generation, cve, probability, percentile) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (generation, cve) DO NOTHING",
      "INSERT INTO epss_scores (generation, cve, probability, percentile)"
      " SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT (generation, cve) DO NOTHING",
      scores, [&](const model::EpssScore& score) {
        return std::array<Param, 4>{generation, score.cve, std::int64_t{score.probability},
                                    std::int64_t{score.percentile}};
      });
}

std::vector<model::EpssScore> list_epss_scores(Reader& reader,
                                               const std::vector<std::string>& cves) {
  std::vector<model::EpssScore> scores;
  scores.reserve(cves.size());
  reader.query_batch(
      "SELECT e.cve, e.probability, e.percentile FROM feeds s"
      " JOIN epss_scores e ON e.generation = s.generation WHERE s.feed = 'epss' AND e.cve = $1",
      "SELECT e.cve, e.probability, e.percentile FROM feeds s"
      " JOIN epss_scores e ON e.generation = s.generation WHERE s.feed = 'epss'"
      " AND e.cve IN (SELECT * FROM unnest($1::text[]))",
      cves, [](const std::string& cve) { return std::array<Param, 1>{cve}; },
      [&](const Rows& rows) {
        scores.push_back({rows.string(0), static_cast<std::int32_t>(rows.integer(1)),
                          static_cast<std::int32_t>(rows.integer(2))});
      });
  return scores;
}

std::int64_t delete_old_epss_scores(Tx& tx, std::int64_t generation, int count) {
  return tx.execute(
      "DELETE FROM epss_scores WHERE (generation, cve) IN"
      " (SELECT generation, cve FROM epss_scores WHERE generation < $1 LIMIT $2)",
      generation, count);
}

}  // namespace muster::store
