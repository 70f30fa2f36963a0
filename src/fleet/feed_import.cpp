// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_import.h"

#include <algorithm>
#include <utility>

#include "fleet/host_matching.h"
#include "store/sql/agents.h"
#include "store/sql/feed_syncs.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Hosts matched again in one transaction: keeps the writer free for agents in between.
constexpr int hosts_per_batch = 50;

std::size_t match_all_hosts(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                            KnownPackages& packages, ImportOutcome& outcome, Instant now) {
  const std::shared_ptr<const Knowledge> knowledge = catalogue.current();
  std::size_t hosts = 0;
  for (HostId after;;) {
    const std::size_t batch = store.write([&](store::Tx& tx) {
      const auto page = store::list_hosts(tx, std::nullopt, after, hosts_per_batch);
      for (const model::Host& host : page) {
        const MatchCount count = match_host(tx, ids, *knowledge, packages, host, now);
        outcome.findings_opened += count.opened;
        outcome.findings_resolved += count.resolved;
        after = host.id;
      }
      return page.size();
    });
    hosts += batch;
    if (batch < hosts_per_batch) return hosts;
  }
}

/// Builds the snapshot of what is in force, and says which imports that is.
std::vector<store::FeedRow> load_catalogue(store::Store& store, Catalogue& catalogue) {
  return store.read([&](store::Reader& reader) {
    catalogue.load(reader);
    return store::list_feeds(reader);
  });
}

/// Only of what was `loaded`: another import may have come meanwhile, and its hosts still wait.
void mark_matched(store::Store& store, const std::vector<store::FeedRow>& loaded) {
  store.write([&](store::Tx& tx) {
    for (store::FeedRow& feed : store::list_feeds(tx)) {
      const bool same = std::any_of(loaded.begin(), loaded.end(), [&](const auto& row) {
        return row.feed == feed.feed && row.generation == feed.generation;
      });
      if (!same || feed.matched) continue;
      feed.matched = true;
      store::set_feed(tx, feed);
    }
  });
}

}  // namespace

Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now, ImportMode mode) {
  const Catalogue::Import running(catalogue);
  std::size_t given = 0;
  const auto next = [&]() -> Result<std::optional<std::string>> {
    if (given == files.size()) return std::optional<std::string>();
    return std::optional(std::exchange(files[given++], {}));
  };
  ImportOutcome outcome = TRY(store_feed(store, ids, catalogue, actor, kind, mode, next, now));
  match_feed(store, ids, catalogue, packages, kind, outcome, now);
  return outcome;
}

void match_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue, KnownPackages& packages,
                feeds::FeedKind kind, ImportOutcome& outcome, Instant now) {
  const auto loaded = load_catalogue(store, catalogue);
  if (!feeds::only_joins(kind)) {
    outcome.hosts_matched = match_all_hosts(store, ids, catalogue, packages, outcome, now);
  }
  mark_matched(store, loaded);
}

std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now) {
  if (catalogue.importing()) return 0;
  const auto feeds = store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  if (std::all_of(feeds.begin(), feeds.end(), [](const auto& feed) { return feed.matched; })) {
    return 0;
  }
  const auto loaded = load_catalogue(store, catalogue);
  ImportOutcome unused;
  const std::size_t hosts = match_all_hosts(store, ids, catalogue, packages, unused, now);
  mark_matched(store, loaded);
  return hosts;
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
