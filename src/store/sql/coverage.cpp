// SPDX-License-Identifier: Apache-2.0
#include "store/sql/coverage.h"

#include "store/store.h"

namespace muster::store {

void set_set_coverage(Tx& tx, OrgId org, const crypto::KeyHash& set, const SetCoverage& coverage) {
  tx.post(
      "UPDATE package_sets SET not_assessed = $3, distribution_silent = $4, reasons = $5"
      " WHERE org_id = $1 AND set_hash = $2",
      org, set, coverage.not_assessed, coverage.distribution_silent, coverage.reasons);
}

std::optional<SetCoverage> find_set_coverage(Reader& reader, OrgId org,
                                             const crypto::KeyHash& set) {
  Rows rows = reader.query(
      "SELECT not_assessed, distribution_silent, reasons FROM package_sets"
      " WHERE org_id = $1 AND set_hash = $2 AND not_assessed IS NOT NULL",
      org, set);
  if (!rows.next()) return std::nullopt;
  return SetCoverage{rows.integer(0), rows.integer(1), rows.string(2)};
}

std::vector<CoverageTotal> list_coverage_totals(Reader& reader) {
  std::vector<CoverageTotal> totals;
  Rows rows = reader.query(
      "SELECT h.org_id, h.distro, count(*), CAST(sum(h.package_count) AS bigint),"
      " CAST(sum(coalesce(s.not_assessed, h.package_count)) AS bigint),"
      " CAST(sum(s.distribution_silent) AS bigint)"
      " FROM hosts h JOIN package_sets s"
      " ON s.org_id = h.org_id AND s.set_hash = h.package_set"
      " WHERE h.package_set IS NOT NULL GROUP BY h.org_id, h.distro ORDER BY h.org_id, h.distro");
  while (rows.next()) {
    totals.push_back({rows.number_id<OrgId>(0), rows.string(1), rows.integer(2), rows.integer(3),
                      rows.integer(4), rows.integer(5)});
  }
  return totals;
}

std::vector<StaleFeed> list_stale_feeds(Reader& reader) {
  std::vector<StaleFeed> feeds;
  Rows rows = reader.query("SELECT feed, since FROM stale_feeds ORDER BY feed");
  while (rows.next()) feeds.push_back({rows.string(0), rows.instant(1)});
  return feeds;
}

void set_stale_feed(Tx& tx, const StaleFeed& stale) {
  tx.post(
      "INSERT INTO stale_feeds (feed, since) VALUES ($1, $2)"
      " ON CONFLICT (feed) DO UPDATE SET since = excluded.since",
      stale.feed, stale.since);
}

void delete_stale_feed(Tx& tx, std::string_view feed) {
  tx.post("DELETE FROM stale_feeds WHERE feed = $1", feed);
}

}  // namespace muster::store
