// SPDX-License-Identifier: Apache-2.0
#include "store/sql/finding_days.h"

#include "model/advisory.h"
#include "store/store.h"

namespace muster::store {

namespace {

// In the order of model::Severity.
#define COUNTS "unknown, negligible, low, medium, high, critical, known_exploited"
#define SUMS                                                                           \
  "CAST(sum(unknown) AS bigint), CAST(sum(negligible) AS bigint),"                     \
  " CAST(sum(low) AS bigint), CAST(sum(medium) AS bigint), CAST(sum(high) AS bigint)," \
  " CAST(sum(critical) AS bigint), CAST(sum(known_exploited) AS bigint)"

static_assert(static_cast<int>(model::Severity::unknown) == 0 &&
              static_cast<int>(model::Severity::critical) == 5);

std::vector<FindingDay> read_days(Rows rows) {
  std::vector<FindingDay> days;
  while (rows.next()) {
    FindingDay day;
    day.day = rows.integer(0);
    day.counted_at = rows.instant(1);
    int column = 2;
    for (std::int64_t& count : day.open.by_severity) count = rows.integer(column++);
    day.open.known_exploited = rows.integer(column);
    days.push_back(day);
  }
  return days;
}

}  // namespace

OpenFindings count_open_findings(Reader& reader, OrgId org) {
  OpenFindings open;
  // As findings_by_rank is ordered: nothing is sorted, and no row is read.
  Rows rows = reader.query(
      "SELECT known_exploited, severity, count(*) FROM findings"
      " WHERE org_id = $1 AND status = 'open' GROUP BY known_exploited, severity",
      org);
  while (rows.next()) {
    const auto severity = static_cast<std::size_t>(rows.integer(1));
    if (severity >= open.by_severity.size()) throw StoreError("findings: unknown severity");
    open.by_severity[severity] += rows.integer(2);
    if (rows.boolean(0)) open.known_exploited += rows.integer(2);
  }
  return open;
}

void set_finding_day(Tx& tx, OrgId org, const FindingDay& day) {
  const auto& counts = day.open.by_severity;
  tx.post("INSERT INTO finding_days (org_id, day, counted_at, " COUNTS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (org_id, day) DO UPDATE"
          " SET counted_at = excluded.counted_at, unknown = excluded.unknown,"
          " negligible = excluded.negligible, low = excluded.low, medium = excluded.medium,"
          " high = excluded.high, critical = excluded.critical,"
          " known_exploited = excluded.known_exploited",
          org, day.day, day.counted_at, counts[0], counts[1], counts[2], counts[3], counts[4],
          counts[5], day.open.known_exploited);
}

std::optional<FindingDay> find_finding_day(Reader& reader, OrgId org, std::int64_t day) {
  const std::vector<FindingDay> found = read_days(reader.query(
      "SELECT day, counted_at, " COUNTS " FROM finding_days WHERE org_id = $1 AND day = $2", org,
      day));
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::vector<FindingDay> list_finding_days(Reader& reader, std::optional<OrgId> org,
                                          std::int64_t first_day) {
  if (org) {
    return read_days(reader.query("SELECT day, counted_at, " COUNTS
                                  " FROM finding_days WHERE org_id = $1 AND day >= $2 ORDER BY day",
                                  *org, first_day));
  }
  return read_days(reader.query("SELECT day, max(counted_at), " SUMS
                                " FROM finding_days WHERE org_id IN (SELECT org_id FROM orgs)"
                                " AND day >= $1 GROUP BY day ORDER BY day",
                                first_day));
}

void delete_finding_days_before(Tx& tx, OrgId org, std::int64_t day) {
  tx.post("DELETE FROM finding_days WHERE org_id = $1 AND day < $2", org, day);
}

#undef COUNTS
#undef SUMS

}  // namespace muster::store
