// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/announcement.h"

namespace muster::store {

class Reader;
class Tx;

/// A server on a database that several may share (model/node_lease.h).
struct NodeRow {
  std::int64_t id = 0;
  std::int64_t renewals = 0;
  std::int64_t followed = 0;          // the newest announcement that is in its memory
  bool lapsed = false;                // another server saw its lease end
  Instant renewed_at;                 // of its own clock, to be shown
  std::optional<std::int64_t> place;  // of its ids (NumberIds); a former release's has none
  // The imports that all it stored follows (fleet::imports_mark); a former release has none.
  std::optional<std::int64_t> imports;
};

void insert_node(Tx& tx, const NodeRow& node);
std::vector<NodeRow> list_nodes(Reader& reader);
/// Counts one renewal, with what `followed` and `imports` are by now. False when there is no such
/// row any more.
bool renew_node(Tx& tx, std::int64_t id, std::int64_t followed, std::int64_t imports, Instant now);
/// False when the row was renewed since it had `renewals`.
bool set_node_lapsed(Tx& tx, std::int64_t id, std::int64_t renewals);
void delete_node(Tx& tx, std::int64_t id);
/// Lapsed rows last renewed before `before`, and announcements that every row has followed.
void prune_nodes(Tx& tx, Instant before);

/// First in a transaction: waits until no other server writes, and keeps the others waiting until
/// its end. What is read afterwards is all that was committed. Nothing on an embedded store.
void take_turn(Tx& tx);
/// Whether this server's connection is the one that does what is to be done once for all servers;
/// from then on it stays so until the connection ends or stop_leading(). Always on an embedded
/// store.
bool try_lead(Tx& tx);
void stop_leading(Tx& tx);
/// With the commit, wakes every server that listens (store/postgres/postgres_wakes.h) but `node`.
void wake_nodes(Tx& tx, std::int64_t node);

/// Numbers what `node` announces, and wakes the others. Called once in a transaction, at its end:
/// until it is over, no other server's numbers are given out, so that no number becomes visible
/// after a higher one.
void insert_announcements(Tx& tx, std::int64_t node, const std::vector<Announcement>& announced);
std::int64_t get_newest_announcement(Reader& reader);

struct AnnouncementRow {
  std::int64_t id = 0;
  std::int64_t node = 0;
  std::string kind;
  OrgId org;
  std::string subject;
};
/// Those after `after` up to and with `until`, in their order.
std::vector<AnnouncementRow> list_announcements(Reader& reader, std::int64_t after,
                                                std::int64_t until, int count);

}  // namespace muster::store
