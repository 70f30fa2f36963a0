// SPDX-License-Identifier: Apache-2.0
#include "store/sql/nodes.h"

#include <array>

#include "store/store.h"

namespace muster::store {

void insert_node(Tx& tx, const NodeRow& node) {
  tx.post(
      "INSERT INTO nodes (node_id, renewals, followed, lapsed, renewed_at, place, imports)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      node.id, node.renewals, node.followed, node.lapsed, node.renewed_at, node.place,
      node.imports);
}

std::vector<NodeRow> list_nodes(Reader& reader) {
  std::vector<NodeRow> nodes;
  Rows rows = reader.query(
      "SELECT node_id, renewals, followed, lapsed, renewed_at, place, imports FROM nodes"
      " ORDER BY node_id");
  while (rows.next()) {
    nodes.push_back({rows.integer(0), rows.integer(1), rows.integer(2), rows.boolean(3),
                     rows.instant(4), rows.maybe_integer(5), rows.maybe_integer(6)});
  }
  return nodes;
}

bool renew_node(Tx& tx, std::int64_t id, std::int64_t followed, std::int64_t imports, Instant now) {
  return tx.execute(
             "UPDATE nodes SET renewals = renewals + 1, followed = $2, imports = $3, lapsed = 0,"
             " renewed_at = $4 WHERE node_id = $1",
             id, followed, imports, now) == 1;
}

bool set_node_lapsed(Tx& tx, std::int64_t id, std::int64_t renewals) {
  return tx.execute("UPDATE nodes SET lapsed = 1 WHERE node_id = $1 AND renewals = $2", id,
                    renewals) == 1;
}

void delete_node(Tx& tx, std::int64_t id) {
  tx.post("DELETE FROM nodes WHERE node_id = $1", id);
}

void prune_nodes(Tx& tx, Instant before) {
  tx.post("DELETE FROM nodes WHERE lapsed = 1 AND renewed_at < $1", before);
  tx.post("DELETE FROM announcements WHERE announcement_id <= (SELECT min(followed) FROM nodes)");
}

namespace {

// Any numbers, as long as all servers take the same ones; another than that of migrations.
constexpr Sql take_turn_lock = "SELECT pg_advisory_xact_lock(7887323050)";
constexpr Sql try_lead_lock = "SELECT pg_try_advisory_lock(7887323051)";
constexpr Sql release_lead_lock = "SELECT pg_advisory_unlock_all()";

}  // namespace

void take_turn(Tx& tx) {
  if (tx.engine() == Engine::postgres) tx.post(take_turn_lock);
}

bool try_lead(Tx& tx) {
  if (tx.engine() != Engine::postgres) return true;
  Rows rows = tx.query(try_lead_lock);
  return rows.next() && rows.boolean(0);
}

void stop_leading(Tx& tx) {
  if (tx.engine() == Engine::postgres) tx.post(release_lead_lock);
}

void wake_nodes(Tx& tx, std::int64_t node) {
  if (tx.engine() != Engine::postgres) return;
  tx.post("SELECT pg_notify('muster', $1)", std::to_string(node));
}

std::int64_t get_newest_announcement(Reader& reader) {
  Rows rows = reader.query("SELECT announcement_id FROM newest_announcement");
  CHECK(rows.next());
  return rows.integer(0);
}

void insert_announcements(Tx& tx, std::int64_t node, const std::vector<Announcement>& announced) {
  if (announced.empty()) return;
  const auto count = static_cast<std::int64_t>(announced.size());
  tx.execute("UPDATE newest_announcement SET announcement_id = announcement_id + $1", count);
  wake_nodes(tx, node);
  std::int64_t next = get_newest_announcement(tx) - count;
  std::vector<AnnouncementRow> numbered;
  numbered.reserve(announced.size());
  for (const Announcement& one : announced) {
    numbered.push_back({++next, node, std::string(one.kind), one.org, one.subject});
  }
  tx.post_batch(
      "INSERT INTO announcements (announcement_id, node_id, kind, org_id, subject)"
      " VALUES ($1, $2, $3, $4, $5)",
      "INSERT INTO announcements (announcement_id, node_id, kind, org_id, subject)"
      " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])",
      numbered, [](const AnnouncementRow& row) {
        return std::array<Param, 5>{row.id, row.node, row.kind, row.org, row.subject};
      });
}

std::vector<AnnouncementRow> list_announcements(Reader& reader, std::int64_t after,
                                                std::int64_t until, int count) {
  std::vector<AnnouncementRow> found;
  Rows rows = reader.query(
      "SELECT announcement_id, node_id, kind, org_id, subject FROM announcements"
      " WHERE announcement_id > $1 AND announcement_id <= $2 ORDER BY announcement_id LIMIT $3",
      after, until, count);
  while (rows.next()) {
    found.push_back({rows.integer(0), rows.integer(1), rows.string(2), rows.number_id<OrgId>(3),
                     rows.string(4)});
  }
  return found;
}

}  // namespace muster::store
