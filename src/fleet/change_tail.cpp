// SPDX-License-Identifier: Apache-2.0
#include "fleet/change_tail.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "fleet/nodes.h"
#include "fleet/presence.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

struct ByPrefix {
  std::string_view prefix;
  Topics topics;
};

constexpr std::array actions = {
    ByPrefix{"agents.", Topic::agents | Topic::hosts},
    ByPrefix{"tasks.", Topic::tasks},
    ByPrefix{"findings.", Topic::findings | Topic::images},
    ByPrefix{"feeds.", Topic::feeds},
    ByPrefix{"settings.", Topic::settings},
    ByPrefix{"views.", Topic::settings},
    ByPrefix{"alerts.", Topic::alerts},
    ByPrefix{"webhooks.", Topic::alerts},
    ByPrefix{"software.", Topic::settings | Topic::hosts | Topic::findings},
    ByPrefix{"tokens.", Topic::access},
    ByPrefix{"identity.", Topic::access},
    ByPrefix{"keys.", Topic::access},
    ByPrefix{"operators.", Topic::access},
    ByPrefix{"orgs.", Topic::access},
    ByPrefix{"passkey.", Topic::access},
    ByPrefix{"sign_in", Topic::access},
    ByPrefix{"sign_out", Topic::access},
    ByPrefix{"releases.", Topic::releases},
    ByPrefix{"binaries.", Topic::releases},
    ByPrefix{"scripts.", Topic::releases},
};

constexpr std::array events = {
    ByPrefix{"task_", Topic::tasks},
    ByPrefix{"feed_", Topic::feeds},
    ByPrefix{"finding_", Topic::findings | Topic::images},
    ByPrefix{"acceptance_", Topic::findings | Topic::images},
    ByPrefix{"became_exploited", Topic::findings | Topic::images},
    ByPrefix{"alert_", Topic::alerts},
    ByPrefix{"report_held", Topic::hosts},
    ByPrefix{"enrol", Topic::agents | Topic::hosts | Topic::access},
    ByPrefix{"re_enrolled", Topic::agents | Topic::hosts | Topic::access},
    ByPrefix{"update_", Topic::agents | Topic::hosts | Topic::releases},
    ByPrefix{"version_updated", Topic::agents | Topic::hosts | Topic::releases},
    ByPrefix{"uninstalled", Topic::agents | Topic::hosts | Topic::tasks},
};

template <std::size_t N>
Topics topics_of(const std::array<ByPrefix, N>& table, std::string_view word, Topics otherwise) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const ByPrefix& row) {
    return word.starts_with(row.prefix);
  });
  return found == table.end() ? otherwise : found->topics;
}

/// Spreads an id over 64 bits (splitmix64's finisher), so that a sum of them tells sets apart.
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::map<OrgId, std::uint64_t> marks_of_online(const PresenceTable& presence, const Config& config,
                                               Instant now) {
  const Instant started = presence.server_started();
  const Duration limit = presence.offline_after(config);
  std::map<OrgId, std::uint64_t> marks;
  std::pair<OrgId, std::uint64_t*> last{{}, nullptr};  // most agents are of the same organisation
  presence.for_each_agent([&](AgentId agent, const AgentPresence& state) {
    if (last.second == nullptr || last.first != state.org) {
      last = {state.org, &marks[state.org]};
    }
    if (!state.called) return;
    if (model::presence_of(state.last_seen, started, limit, now) != model::Presence::online) return;
    *last.second += spread(std::hash<Uuid>{}(agent.uuid));
  });
  return marks;
}

}  // namespace

Topics topics_of_action(std::string_view action) {
  // An action that nobody thought of here may have changed anything.
  return Topic::audit | topics_of(actions, action, Topics::all());
}

Topics topics_of_event(std::string_view type) {
  return Topic::events | topics_of(events, type, Topic::agents | Topic::hosts);
}

void ChangeTail::look(store::Store& store, const Nodes& nodes, Changes& changes, Instant now) {
  const std::uint64_t commits = store.figures().commits;
  if (nodes.alone() && commits_ == commits) return;
  store.read([&](store::Reader& reader) {
    const Instant from = now - late;
    follow(store::list_recent_events(reader, NumberIds::first<EventId>(from), rows_max),
           seen_events_, topics_of_event, changes);
    follow(store::list_recent_audit(reader, NumberIds::first<AuditId>(from), rows_max), seen_audit_,
           topics_of_action, changes);
    follow_feeds(store::list_feed_states(reader), changes);
  });
  commits_ = commits;
}

void ChangeTail::follow(const std::vector<store::RecentRow>& rows, Seen& seen,
                        Topics (*topics_of)(std::string_view), Changes& changes) {
  for (const store::RecentRow& row : rows) {
    if (!seen.contains(row.id)) changes.note(row.org, topics_of(row.kind));
  }
  // Between the oldest of so many and the last look there may be others.
  if (rows.size() == static_cast<std::size_t>(rows_max) && !seen.contains(rows.back().id)) {
    changes.note(OrgId{0}, Topics::all());
  }
  seen.clear();
  for (const store::RecentRow& row : rows) seen.insert(row.id);
}

void ChangeTail::follow_feeds(std::vector<store::FeedState> feeds, Changes& changes) {
  if (feeds_ == feeds) return;
  const bool only_syncs =
      feeds_ && std::equal(feeds.begin(), feeds.end(), feeds_->begin(), feeds_->end(),
                           [](const store::FeedState& a, const store::FeedState& b) {
                             return a.feed == b.feed && a.imported_at == b.imported_at &&
                                    a.matched == b.matched;
                           });
  changes.note(OrgId{0}, only_syncs || !feeds_
                             ? Topics(Topic::feeds)
                             : Topic::feeds | Topic::findings | Topic::images | Topic::hosts);
  feeds_ = std::move(feeds);
}

void ChangeTail::look_at_presence(const PresenceTable& presence, const Config& config,
                                  Changes& changes, Instant now) {
  if (presence_at_ && std::chrono::abs(now - *presence_at_) < presence_every) return;
  std::map<OrgId, std::uint64_t> online = marks_of_online(presence, config, now);
  if (presence_at_) {
    for (const auto& [org, mark] : online) {
      const auto before = online_.find(org);
      if (before == online_.end() || before->second != mark) {
        changes.note(org, Topic::agents | Topic::hosts);
      }
    }
  }
  presence_at_ = now;
  online_ = std::move(online);
}

}  // namespace muster::fleet
