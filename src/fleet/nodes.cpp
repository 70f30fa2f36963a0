// SPDX-License-Identifier: Apache-2.0
#include "fleet/nodes.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fleet/catalogue.h"
#include "fleet/known_packages.h"
#include "fleet/presence.h"
#include "store/sql/inventory.h"
#include "store/sql/nodes.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr int renewals_between_prunings = 60;

[[noreturn]] void fail_place_gone() {
  throw std::runtime_error("this server's place on its database is gone");
}

/// One that no server has. Of those that ended without a word the one that did so first gives up
/// its own, and with it its row: should it come back, it has to start anew.
std::int64_t find_place(store::Tx& tx) {
  std::set<std::int64_t> taken;
  std::optional<store::NodeRow> first_lapsed;
  for (const store::NodeRow& node : store::list_nodes(tx)) {
    if (!node.place) continue;
    taken.insert(*node.place);
    const bool earlier = !first_lapsed || node.renewed_at < first_lapsed->renewed_at;
    if (node.lapsed && earlier) first_lapsed = node;
  }
  for (std::int64_t place = 0; place < NumberIds::places; ++place) {
    if (!taken.contains(place)) return place;
  }
  if (!first_lapsed) {
    throw std::runtime_error(std::to_string(NumberIds::places) +
                             " servers are on this database, and no more can be");
  }
  store::delete_node(tx, first_lapsed->id);
  return *first_lapsed->place;
}

/// A server goes. What it stored before it knew of an import, and did not match itself, is left to
/// whoever leads.
void match_what_is_left(store::Tx& tx, std::optional<std::int64_t> imports) {
  if (imports != imports_mark(store::list_feeds(tx))) store::set_feeds_unmatched(tx);
}

}  // namespace

Nodes::Nodes(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
             const SharedMemory& memory, NodeTime time)
    : store_(store),
      ids_(ids),
      catalogue_(catalogue),
      memory_(memory),
      time_(std::move(time)),
      alone_(store.node() == 0 || !time_.uptime) {}

void Nodes::load(store::Reader& reader) {
  if (alone_) return;
  followed_ = store::get_newest_announcement(reader);
  memory_.presence.give_up_samples();
  store_.read_before_writes([this](store::Reader& now) { catch_up(now); });
}

/// What is announced is committed: memory may have it at once, whatever becomes of this
/// transaction.
void Nodes::catch_up(store::Reader& reader) {
  memory_.packages.forget_unstored();
  while (store::get_newest_announcement(reader) != followed_) {
    const auto announced =
        store::list_announcements(reader, followed_, std::numeric_limits<std::int64_t>::max(),
                                  limits::announcements_per_read);
    if (announced.empty() || announced.front().id != followed_ + 1) {
      place_gone_ = true;
      throw store::StoreError("announcements are gone that this server did not follow");
    }
    follow_announcements(reader, memory_, store_.node(), announced);
    followed_ = announced.back().id;
  }
}

void Nodes::join(Instant now) {
  if (alone_) return;
  const bool whole = store_.write([&](store::Tx& tx) {
    if (store::get_newest_announcement(tx) != followed_) return false;
    const std::int64_t place = find_place(tx);
    store::insert_node(tx, {store_.node(), 0, followed_, false, now, place, catalogue_.followed()});
    tx.on_commit([this, place] { ids_.keep_to(place); });
    return true;
  });
  if (!whole) fail_place_gone();
  renew(now);
}

void Nodes::renew(Instant now) {
  if (alone_) return;
  const model::Uptime asked = time_.uptime();
  const std::int64_t imports = catalogue_.followed();
  try {
    bool leads = false;
    const bool known = store_.write([&](store::Tx& tx) {
      // Memory has followed all that was committed before this transaction's turn.
      if (!store::renew_node(tx, store_.node(), followed_, imports, now)) return false;
      leads = store::try_lead(tx);
      look_at_others(tx, asked, now);
      tx.on_commit(
          [this, asked] { lease_until_.store(model::NodeLease::renewed(asked).until.count()); });
      return true;
    });
    if (!known) fail_place_gone();
    follow_leading(leads);
  } catch (const store::StoreError&) {
    if (place_gone_) fail_place_gone();
    throw;
  }
  if (renewals_until_pruning_-- > 0) return;
  renewals_until_pruning_ = renewals_between_prunings;
  store_.write([&](store::Tx& tx) { store::prune_nodes(tx, now - limits::node_row_age); });
}

/// Counts the servers that live, and marks those whose lease is over.
void Nodes::look_at_others(store::Tx& tx, model::Uptime looked, Instant now) {
  std::map<std::int64_t, model::NodeWatch> watches;
  std::int64_t live = 1;
  for (const store::NodeRow& node : store::list_nodes(tx)) {
    if (node.id == store_.node() || node.lapsed) continue;
    const auto known = watches_.find(node.id);
    model::NodeWatch watch = known == watches_.end() ? model::NodeWatch{} : known->second;
    if (watch.has_lapsed(node.renewals, looked)) {
      if (store::set_node_lapsed(tx, node.id, node.renewals)) match_what_is_left(tx, node.imports);
      continue;
    }
    watches.emplace(node.id, watch);
    ++live;
  }
  watches_ = std::move(watches);
  tx.on_commit([this, live, now] {
    const std::int64_t before = live_.exchange(live);
    if (live > 1) company_ = true;
    memory_.presence.set_shared(live > 1);
    // What the server that is gone had heard since its last flush, nobody knows: as after a
    // restart of this one, nobody is offline until a full interval has passed.
    if (live < before) memory_.presence.resume_listening(now);
  });
}

void Nodes::follow_leading(bool leads) {
  if (leads == leads_) return;
  if (leads) {
    store_.read([&](store::Reader& reader) { memory_.presence.take_over_samples(reader); });
  } else {
    memory_.presence.give_up_samples();
  }
  leads_ = leads;
}

void Nodes::leave() {
  if (alone_) return;
  lease_until_.store(0);
  leads_ = false;
  store_.write([&](store::Tx& tx) {
    match_what_is_left(tx, catalogue_.followed());
    store::delete_node(tx, store_.node());
    store::stop_leading(tx);
  });
}

std::int64_t Nodes::share_of(std::int64_t per_minute) const {
  const std::int64_t servers = live();
  return (per_minute + servers - 1) / servers;
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

void Nodes::await_known() {
  if (alone_) return;
  const auto list = [this] {
    return store_.read([](store::Reader& reader) { return store::list_nodes(reader); });
  };
  const model::Uptime begun = time_.uptime();
  // Turns exclude each other, so a renewal that is not counted yet begins after join() committed.
  std::map<std::int64_t, std::int64_t> renewals_then;
  for (const store::NodeRow& node : list()) renewals_then[node.id] = node.renewals;
  std::map<std::int64_t, model::NodeWatch> watches;
  for (;;) {
    const model::Uptime looked = time_.uptime();
    const auto rows = list();
    const bool waits = std::any_of(rows.begin(), rows.end(), [&](const store::NodeRow& node) {
      const auto then = renewals_then.find(node.id);
      return node.id != store_.node() && !node.lapsed && then != renewals_then.end() &&
             node.renewals == then->second && !watches[node.id].has_lapsed(node.renewals, looked);
    });
    if (!waits) return;
    if (looked - begun > limits::node_patience) {
      throw store::StoreError("other servers do not renew in time");
    }
    time_.pause(limits::node_look);
  }
}

void Nodes::when_followed(UniqueFunction<void()> then) {
  if (alone_ || live() == 1) {
    then();
    return;
  }
  const std::lock_guard lock(waiting_mutex_);
  waiting_.push_back({time_.uptime(), -1, std::move(then)});
  if (wake_) wake_();
}

void Nodes::wake_by(std::function<void()> wake) {
  const std::lock_guard lock(waiting_mutex_);
  wake_ = std::move(wake);
}

bool Nodes::tell_followed() {
  std::size_t asked = 0;
  {
    const std::lock_guard lock(waiting_mutex_);
    asked = waiting_.size();
  }
  if (asked == 0) return false;
  struct Seen {
    std::int64_t newest = 0;
    std::int64_t followed_by_all = std::numeric_limits<std::int64_t>::max();
  };
  // One moment: the newest announcement is at least that of all who waited before it.
  const Seen seen = store_.read([this](store::Reader& reader) {
    Seen found;
    found.newest = store::get_newest_announcement(reader);
    for (const store::NodeRow& node : store::list_nodes(reader)) {
      if (node.id == store_.node() || node.lapsed) continue;
      found.followed_by_all = std::min(found.followed_by_all, node.followed);
    }
    return found;
  });
  const model::Uptime now = time_.uptime();
  std::vector<UniqueFunction<void()>> ready;
  bool more = false;
  {
    const std::lock_guard lock(waiting_mutex_);
    for (std::size_t i = 0; i < asked; ++i) {
      if (waiting_[i].target < 0) waiting_[i].target = seen.newest;
    }
    std::erase_if(waiting_, [&](Waiting& one) {
      const bool followed = one.target >= 0 && one.target <= seen.followed_by_all;
      if (!followed && now - one.since < limits::follow_patience) return false;
      ready.push_back(std::move(one.then));
      return true;
    });
    more = !waiting_.empty();
  }
  for (auto& then : ready) then();
  return more;
}

void Nodes::tell_all() {
  std::deque<Waiting> all;
  {
    const std::lock_guard lock(waiting_mutex_);
    all.swap(waiting_);
  }
  for (Waiting& one : all) one.then();
}

}  // namespace muster::fleet
