// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_import.h"

#include <algorithm>
#include <utility>

#include "fleet/exploited_mark.h"
#include "fleet/image_findings.h"
#include "fleet/rematch.h"
#include "fleet/software.h"
#include "store/sql/agents.h"
#include "store/sql/feed_syncs.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Whether hosts follow these imports. Not one that came meanwhile: whoever made it sees to that.
void mark_matched(store::Store& store, const std::vector<store::FeedRow>& imports,
                  bool matched = true) {
  store.write([&](store::Tx& tx) {
    for (store::FeedRow& feed : store::list_feeds(tx)) {
      const bool same = std::any_of(imports.begin(), imports.end(), [&](const auto& row) {
        return row.feed == feed.feed && row.generation == feed.generation;
      });
      if (!same || feed.matched == matched) continue;
      feed.matched = matched;
      store::set_feed(tx, feed);
    }
  });
}

void cut_short(ImportOutcome& outcome) {
  outcome.remarks.emplace_back("The server ends; its next start matches the hosts that are left.");
}

}  // namespace

bool hosts_follow(store::Store& store, feeds::FeedKind kind) {
  const auto feeds = store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  return std::all_of(feeds.begin(), feeds.end(), [&](const store::FeedRow& row) {
    return row.feed != feeds::feed_name(kind) || row.matched;
  });
}

Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now, ImportMode mode) {
  const Catalogue::Import running(catalogue);
  std::size_t given = 0;
  const auto next = [&]() -> Result<std::optional<std::string>> {
    if (given == files.size()) return std::optional<std::string>();
    return std::optional(std::exchange(files[given++], {}));
  };
  const bool followed = hosts_follow(store, kind);
  ImportOutcome outcome = TRY(store_feed(store, ids, catalogue, actor, kind, mode, next, now));
  match_feed(store, ids, catalogue, packages, kind, followed, outcome, now);
  return outcome;
}

void match_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue, KnownPackages& packages,
                feeds::FeedKind kind, bool followed, ImportOutcome& outcome, Instant now) {
  if (catalogue.stops_matching()) return cut_short(outcome);
  const Adoption adoption = adopt_feeds(store, catalogue, packages);
  if (kind == feeds::FeedKind::kev) mark_exploited(store);
  const RematchCount count =
      followed ? rematch_hosts(store, ids, catalogue, packages, *adoption.changed, now)
               : rematch_all_hosts(store, ids, catalogue, packages, now);
  const MatchCount images =
      followed ? rematch_images(store, ids, catalogue, packages, *adoption.changed, now)
               : rematch_all_images(store, ids, catalogue, packages, now);
  outcome.hosts_matched = count.hosts;
  outcome.findings_opened = count.opened + images.opened;
  outcome.findings_resolved = count.resolved + images.resolved;
  if (catalogue.stops_matching()) return cut_short(outcome);
  std::vector<store::FeedRow> rows = adoption.knowledge->feeds;
  std::erase_if(rows, [&](const auto& row) { return row.feed != feeds::feed_name(kind); });
  mark_matched(store, rows);
}

std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, bool leads, Instant now) {
  if (catalogue.importing() || catalogue.stops_matching()) return 0;
  const std::size_t ordered =
      leads ? finish_identity_orders(store, ids, catalogue, packages, now) : 0;
  const auto feeds = store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  const auto known = catalogue.current();
  const bool followed = holds_imports(*known, feeds);
  const bool matched =
      std::all_of(feeds.begin(), feeds.end(), [](const auto& feed) { return feed.matched; });
  if (catalogue.stops_matching()) return ordered;
  if (followed && (matched || !leads)) {
    // An import that this server began meanwhile may have brought what it holds.
    if (!catalogue.importing()) catalogue.note_followed(*known);
    return ordered;
  }
  const Adoption adoption = adopt_feeds(store, catalogue, packages);
  if (leads) mark_exploited(store);
  if (matched || !leads) {
    rematch_images(store, ids, catalogue, packages, *adoption.changed, now);
    const auto count = rematch_hosts(store, ids, catalogue, packages, *adoption.changed, now);
    // What this server wrote under the former snapshot is left to whoever matches all.
    if (catalogue.stops_matching()) {
      mark_matched(store, adoption.knowledge->feeds, false);
    } else {
      catalogue.note_followed(*adoption.knowledge);
    }
    return ordered + count.hosts;
  }
  const std::size_t hosts = rematch_all_hosts(store, ids, catalogue, packages, now).hosts;
  rematch_all_images(store, ids, catalogue, packages, now);
  if (!catalogue.stops_matching()) mark_matched(store, adoption.knowledge->feeds);
  return ordered + hosts;
}

namespace {

void add_sync(FeedStatus& feed, store::Reader& reader) {
  store::FeedSyncRow sync = store::get_feed_sync(reader, feeds::feed_name(feed.kind));
  feed.source = std::move(sync.source);
  feed.checked_at = sync.checked_at;
  feed.failed_at = sync.failed_at;
  feed.failure = std::move(sync.failure);
  feed.failures = sync.failures;
  feed.next_at = sync.next_at;
  feed.wanted = !sync.wanted.empty();
  Instant newest;
  for (store::FeedFileRow& file : store::list_feed_files(reader, feeds::feed_name(feed.kind))) {
    if (file.fetched_at < newest) continue;
    newest = file.fetched_at;
    feed.etag = std::move(file.etag);
    feed.last_modified = std::move(file.last_modified);
  }
}

}  // namespace

std::vector<FeedStatus> list_feed_status(store::Store& store) {
  return store.read([](store::Reader& reader) {
    std::vector<FeedStatus> status;
    const auto rows = store::list_feeds(reader);
    for (const feeds::FeedKind kind : feeds::feed_kinds) {
      FeedStatus& feed = status.emplace_back(FeedStatus{kind, 0, {}});
      for (const store::FeedRow& row : rows) {
        if (feeds::feed_name(kind) != row.feed) continue;
        feed.records = row.records;
        feed.published = row.published;
        feed.imported_at = row.imported_at;
      }
      add_sync(feed, reader);
    }
    return status;
  });
}

}  // namespace muster::fleet
