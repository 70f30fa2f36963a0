// SPDX-License-Identifier: Apache-2.0
#include "fleet/nodes.h"

#include <map>
#include <stdexcept>

#include "fleet/announcements.h"
#include "store/sql/nodes.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr int renewals_between_prunings = 60;

}  // namespace

Nodes::Nodes(store::Store& store, Credentials& credentials, NodeTime time)
    : store_(store), credentials_(credentials), time_(std::move(time)), alone_(store.node() == 0) {}

void Nodes::load(store::Reader& reader) {
  followed_ = store::get_newest_announcement(reader);
}

void Nodes::refuse_company() {
  if (alone_) return;
  CHECK(time_.uptime && time_.pause);
  std::map<std::int64_t, model::NodeWatch> watches;
  for (bool waits = true; waits;) {
    waits = false;
    const model::Uptime looked = time_.uptime();
    for (const store::NodeRow& node :
         store_.read([](store::Reader& reader) { return store::list_nodes(reader); })) {
      if (node.lapsed) continue;
      const auto [watch, first] = watches.try_emplace(node.id);
      if (!first && watch->second.renewals != node.renewals) {
        throw std::runtime_error(
            "another server runs on this database; several on one are not supported yet");
      }
      if (watch->second.has_lapsed(node.renewals, looked) && store_.write([&](store::Tx& tx) {
            return store::set_node_lapsed(tx, node.id, node.renewals);
          })) {
        continue;
      }
      waits = true;
    }
    if (waits) time_.pause(limits::node_look);
  }
}

void Nodes::join(Instant now) {
  if (alone_) return;
  store_.write([&](store::Tx& tx) {
    store::insert_node(tx, {store_.node(), 0, followed_, false, now});
  });
  renew(now);
}

void Nodes::renew(Instant now) {
  if (alone_) return;
  while (follow(now)) {
    // What was followed is in memory now: the row says so at once, for somebody may wait for it.
  }
  if (renewals_until_pruning_-- > 0) return;
  renewals_until_pruning_ = renewals_between_prunings;
  store_.write([&](store::Tx& tx) { store::prune_nodes(tx, now - limits::node_row_age); });
}

/// One renewal; true if there was something to follow.
bool Nodes::follow(Instant now) {
  const model::Uptime asked = time_.uptime();
  bool found = false;
  const bool known = store_.write([&](store::Tx& tx) {
    // First, since it locks the row: what is read afterwards is at least as new as the row that
    // others saw when they gave this server up.
    if (!store::renew_node(tx, store_.node(), followed_, now)) return false;
    const std::int64_t newest = store::get_newest_announcement(tx);
    const auto announced =
        store::list_announcements(tx, followed_, newest, limits::announcements_per_read);
    found = !announced.empty();
    for (const store::AnnouncementRow& one : announced) {
      if (one.node != store_.node()) follow_announcement(tx, credentials_, one);
    }
    const bool whole = announced.size() < limits::announcements_per_read;
    tx.on_commit([this, asked, whole, reached = whole ? newest : announced.back().id] {
      followed_ = reached;
      if (whole) lease_until_.store(model::NodeLease::renewed(asked).until.count());
    });
    return true;
  });
  if (!known) throw std::runtime_error("this server's place on its database is gone");
  return found;
}

void Nodes::leave() {
  if (alone_) return;
  lease_until_.store(0);
  store_.write([&](store::Tx& tx) { store::delete_node(tx, store_.node()); });
}

void Nodes::await_followers() {
  if (alone_) return;
  const model::Uptime begun = time_.uptime();
  const std::int64_t target =
      store_.read([](store::Reader& reader) { return store::get_newest_announcement(reader); });
  std::map<std::int64_t, model::NodeWatch> watches;
  for (;;) {
    const model::Uptime looked = time_.uptime();
    bool waits = false;
    for (const store::NodeRow& node :
         store_.read([](store::Reader& reader) { return store::list_nodes(reader); })) {
      if (node.id == store_.node() || node.followed >= target) continue;
      const bool over = node.lapsed || watches[node.id].has_lapsed(node.renewals, looked);
      // By a write, also for a row that lapsed before: a renewal on its way holds the row, and may
      // have read what there was to follow before `target`.
      if (over && store_.write([&](store::Tx& tx) {
            return store::set_node_lapsed(tx, node.id, node.renewals);
          })) {
        continue;
      }
      waits = true;
    }
    if (!waits) return;
    if (looked - begun > limits::node_patience) {
      throw store::StoreError("other servers do not follow in time");
    }
    time_.pause(limits::node_look);
  }
}

}  // namespace muster::fleet
