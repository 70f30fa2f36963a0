// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "fleet/changes.h"
#include "store/sql/changes.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

class Nodes;
class PresenceTable;

/// What changes whenever a row of the audit log or an event is written, by its action or type.
Topics topics_of_action(std::string_view action);
Topics topics_of_event(std::string_view type);

/// Finds what changed by what is written down anyway, whichever server wrote it: the ends of the
/// audit log and of the events, where each feed stands; and by the presence in memory. For one
/// thread, once a second while somebody watches.
class ChangeTail {
 public:
  /// How far back a row may appear: ids are made before the commit, by servers whose clocks differ.
  static constexpr Duration late = std::chrono::seconds(30);
  /// Of each history in one look: some 60 a second are followed exactly, of more it is said that
  /// they may be of any organisation.
  static constexpr int rows_max = 2'000;
  /// Walking 100,000 agents takes some milliseconds, so it is not done in each look.
  static constexpr Duration presence_every = std::chrono::seconds(5);

  /// Notes in `changes` what is new since the last look; in the first, all of the last `late`.
  /// Throws store::StoreError.
  void look(store::Store& store, const Nodes& nodes, Changes& changes, Instant now);

  /// Notes whose agents went online or offline since the last look; nothing in the first, and
  /// nothing within presence_every.
  void look_at_presence(const PresenceTable& presence, const Config& config, Changes& changes,
                        Instant now);

 private:
  using Seen = std::unordered_set<std::int64_t>;
  static void follow(const std::vector<store::RecentRow>& rows, Seen& seen,
                     Topics (*topics_of)(std::string_view), Changes& changes);
  void follow_feeds(std::vector<store::FeedState> feeds, Changes& changes);

  std::optional<std::uint64_t> commits_;  // of this server, before the last look
  Seen seen_events_;
  Seen seen_audit_;
  std::optional<std::vector<store::FeedState>> feeds_;
  std::optional<Instant> presence_at_;
  std::map<OrgId, std::uint64_t> online_;  // a mark of which agents are
};

}  // namespace muster::fleet
