// SPDX-License-Identifier: Apache-2.0
#include "store/sql/alerts.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define ALERT_COLUMNS                                                                      \
  "org_id, alert_id, name, query, comparison, threshold, hold_ms, created_at, created_by," \
  " state, since, hosts, hosts_exact, evaluated_at, failure, acknowledged_at,"             \
  " acknowledged_by, muted_until, muted_by"

AlertRow read_alert(const Rows& rows) {
  AlertRow alert;
  alert.org = rows.number_id<OrgId>(0);
  alert.id = rows.number_id<AlertId>(1);
  alert.name = rows.string(2);
  alert.query = rows.string(3);
  const auto comparison = model::parse_alert_comparison(rows.text(4));
  CHECK(comparison.has_value());
  alert.condition = {*comparison, rows.integer(5), Duration(rows.integer(6))};
  alert.created_at = rows.instant(7);
  alert.created_by = rows.string(8);
  const auto state = model::parse_alert_state(rows.text(9));
  CHECK(state.has_value());
  alert.course = {*state, rows.instant(10), rows.maybe_instant(13)};
  if (!rows.is_null(11)) alert.hosts = model::HostCount{rows.integer(11), rows.boolean(12)};
  alert.failure = rows.string(14);
  alert.acknowledged_at = rows.maybe_instant(15);
  alert.acknowledged_by = rows.string(16);
  alert.muted_until = rows.maybe_instant(17);
  alert.muted_by = rows.string(18);
  return alert;
}

std::vector<AlertRow> read_alerts(Rows rows) {
  std::vector<AlertRow> alerts;
  while (rows.next()) alerts.push_back(read_alert(rows));
  return alerts;
}

std::optional<AlertRow> read_one(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return read_alert(rows);
}

std::optional<std::int64_t> count_of(const AlertRow& alert) {
  return alert.hosts ? std::optional(alert.hosts->value) : std::nullopt;
}

bool is_exact(const AlertRow& alert) {
  return !alert.hosts || alert.hosts->exact;
}

}  // namespace

void insert_alert(Tx& tx, const AlertRow& alert) {
  tx.post("INSERT INTO alerts (" ALERT_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
          " $18, $19)",
          alert.org, alert.id, alert.name, alert.query,
          model::alert_comparison_name(alert.condition.comparison), alert.condition.threshold,
          alert.condition.hold.count(), alert.created_at, alert.created_by,
          model::alert_state_name(alert.course.state), alert.course.since, count_of(alert),
          is_exact(alert), alert.course.evaluated_at, alert.failure, alert.acknowledged_at,
          alert.acknowledged_by, alert.muted_until, alert.muted_by);
}

void set_alert_course(Tx& tx, const AlertRow& alert) {
  tx.post(
      "UPDATE alerts SET state = $3, since = $4, hosts = $5, hosts_exact = $6, evaluated_at = $7,"
      " failure = $8, acknowledged_at = $9, acknowledged_by = $10, muted_until = $11,"
      " muted_by = $12 WHERE org_id = $1 AND alert_id = $2",
      alert.org, alert.id, model::alert_state_name(alert.course.state), alert.course.since,
      count_of(alert), is_exact(alert), alert.course.evaluated_at, alert.failure,
      alert.acknowledged_at, alert.acknowledged_by, alert.muted_until, alert.muted_by);
}

void delete_alert(Tx& tx, OrgId org, AlertId id) {
  tx.post("DELETE FROM alerts WHERE org_id = $1 AND alert_id = $2", org, id);
}

std::optional<AlertRow> find_alert(Reader& reader, OrgId org, AlertId id) {
  return read_one(reader.query(
      "SELECT " ALERT_COLUMNS " FROM alerts WHERE org_id = $1 AND alert_id = $2", org, id));
}

std::optional<AlertRow> find_alert_anywhere(Reader& reader, AlertId id) {
  return read_one(
      reader.query("SELECT " ALERT_COLUMNS
                   " FROM alerts WHERE org_id IN (SELECT org_id FROM orgs) AND alert_id = $1",
                   id));
}

std::vector<AlertRow> list_alerts(Reader& reader, std::optional<OrgId> org) {
  return read_alerts(reader.query("SELECT " ALERT_COLUMNS
                                  " FROM alerts WHERE ($1 IS NULL OR org_id = $1)"
                                  " ORDER BY org_id, alert_id",
                                  org));
}

#undef ALERT_COLUMNS

}  // namespace muster::store
