// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_import.h"

#include <algorithm>
#include <unordered_set>

#include "base/limits.h"
#include "feeds/decompress.h"
#include "fleet/image_findings.h"
#include "fleet/rematch.h"
#include "fleet/software.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Records written in one transaction, for the same reason: about 10 ms.
constexpr std::size_t records_per_batch = 2000;

/// Writes the records of an import aside, some at a time, so that agents' writes go on in between.
/// They are in force only once the feed's row names their generation; until then a crash or a
/// failure leaves rows that no reader sees and the next import deletes.
class Generation {
 public:
  Generation(store::Store& store, std::int64_t number) : store_(store), number_(number) {}

  void add(model::Advisory advisory) {
    advisories_.push_back(std::move(advisory));
    if (advisories_.size() == records_per_batch) flush();
  }
  void add(model::EpssScore score) {
    scores_.push_back(std::move(score));
    if (scores_.size() == records_per_batch) flush();
  }
  void flush() {
    if (advisories_.empty() && scores_.empty()) return;
    store_.write([&](store::Tx& tx) {
      store::set_advisories(tx, number_, advisories_);
      store::set_epss_scores(tx, number_, scores_);
    });
    advisories_.clear();
    scores_.clear();
  }
  /// Once it is in force.
  void delete_former(feeds::FeedKind kind) {
    constexpr int batch = static_cast<int>(records_per_batch);
    while (store_.write([&](store::Tx& tx) {
      return kind == feeds::FeedKind::epss
                 ? store::delete_old_epss_scores(tx, number_, batch)
                 : store::delete_old_advisories(tx, feeds::feed_name(kind), number_, batch);
    }) == batch) {
    }
  }

 private:
  store::Store& store_;
  std::int64_t number_;
  std::vector<model::Advisory> advisories_;
  std::vector<model::EpssScore> scores_;
};

/// Replaces the catalogue of exploited flaws. One that came new and is open somewhere is one event
/// for each organisation, not one for each host (mission rule 16); the first catalogue is no news.
void set_exploited(store::Tx& tx, NumberIds& ids, const std::vector<model::KevEntry>& entries,
                   Instant now) {
  std::unordered_set<std::string> former;
  store::for_each_kev_entry(tx,
                            [&](model::KevEntry entry) { former.insert(std::move(entry.cve)); });
  store::delete_kev_entries(tx);
  store::set_kev_entries(tx, entries);
  if (former.empty()) return;
  for (const model::KevEntry& entry : entries) {
    if (former.contains(entry.cve)) continue;
    for (const store::OpenHosts& open : store::count_hosts_with_cve(tx, entry.cve)) {
      record_event(
          tx, ids, open.org, "became_exploited", std::nullopt, std::nullopt,
          [&](JsonWriter& details) {
            details.member("cve", entry.cve)
                .member("name", entry.name)
                .member("due_date", entry.due_date)
                .member("hosts", open.hosts);
          },
          now);
    }
  }
}

void add_summary(ImportOutcome& outcome, const feeds::FeedSummary& file) {
  const std::string& published = file.edition.empty() ? file.released : file.edition;
  outcome.published = std::max(outcome.published, published);
  outcome.records += file.records;
  outcome.skipped += file.skipped;
  for (const std::string& remark : file.remarks) {
    if (outcome.remarks.size() < feeds::FeedSummary::remarks_max) outcome.remarks.push_back(remark);
  }
}

/// The hosts follow these imports. Not one that came meanwhile: whoever made it sees to that.
void mark_matched(store::Store& store, const std::vector<store::FeedRow>& imports) {
  store.write([&](store::Tx& tx) {
    for (store::FeedRow& feed : store::list_feeds(tx)) {
      const bool same = std::any_of(imports.begin(), imports.end(), [&](const auto& row) {
        return row.feed == feed.feed && row.generation == feed.generation;
      });
      if (!same || feed.matched) continue;
      feed.matched = true;
      store::set_feed(tx, feed);
    }
  });
}

/// Puts an import in force in the store.
Result<void> set_import(store::Tx& tx, NumberIds& ids, const Actor& actor,
                        const store::FeedRow& feed, Instant now) {
  for (const store::FeedRow& former : store::list_feeds(tx)) {
    if (former.feed != feed.feed || former.generation < feed.generation) continue;
    return Error{Errc::illegal_transition,
                 "Another import of this feed began later and is in force already."};
  }
  store::set_feed(tx, feed);
  record_audit(
      tx, ids, OrgId{0}, actor, "feeds.import", feed.feed,
      [&](JsonWriter& details) {
        details.member("records", feed.records).member("published", feed.published);
      },
      now);
  return {};
}

}  // namespace

Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now) {
  const Catalogue::Import running(catalogue);
  const std::int64_t number = ids.next<GenerationId>(now).value;
  Generation generation(store, number);
  std::vector<model::KevEntry> kev_entries;
  feeds::RecordSink sink;
  sink.advisory = [&](model::Advisory&& advisory) { generation.add(std::move(advisory)); };
  sink.kev_entry = [&](model::KevEntry&& entry) { kev_entries.push_back(std::move(entry)); };
  sink.epss_score = [&](model::EpssScore&& score) { generation.add(std::move(score)); };
  ImportOutcome outcome;
  outcome.feed = feeds::feed_name(kind);
  for (std::string& file : files) {
    const std::string text = TRY(feeds::decompress(std::move(file), limits::feed_text_bytes));
    file = {};
    add_summary(outcome, TRY(feeds::parse_feed(kind, text, sink)));
  }
  generation.flush();
  const store::FeedRow row{outcome.feed,
                           now,
                           outcome.published,
                           static_cast<std::int64_t>(outcome.records),
                           number,
                           feeds::only_joins(kind)};
  const Result<void> stored = store.write([&](store::Tx& tx) -> Result<void> {
    TRY(set_import(tx, ids, actor, row, now));
    if (kind == feeds::FeedKind::kev) set_exploited(tx, ids, kev_entries, now);
    return {};
  });
  TRY(stored);
  generation.delete_former(kind);
  const Adoption adoption = adopt_feeds(store, catalogue, packages);
  const RematchCount count = rematch_hosts(store, ids, catalogue, packages, *adoption.changed, now);
  const MatchCount images = rematch_images(store, ids, catalogue, packages, *adoption.changed, now);
  outcome.hosts_matched = count.hosts;
  outcome.findings_opened = count.opened + images.opened;
  outcome.findings_resolved = count.resolved + images.resolved;
  mark_matched(store, {row});
  return outcome;
}

std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now) {
  if (catalogue.importing()) return 0;
  const std::size_t ordered = finish_identity_orders(store, ids, catalogue, packages, now);
  const auto feeds = store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  const bool followed = holds_imports(*catalogue.current(), feeds);
  const bool matched =
      std::all_of(feeds.begin(), feeds.end(), [](const auto& feed) { return feed.matched; });
  if (followed && matched) return ordered;
  const Adoption adoption = adopt_feeds(store, catalogue, packages);
  if (matched) {
    rematch_images(store, ids, catalogue, packages, *adoption.changed, now);
    return ordered + rematch_hosts(store, ids, catalogue, packages, *adoption.changed, now).hosts;
  }
  const std::size_t hosts = rematch_all_hosts(store, ids, catalogue, packages, now).hosts;
  rematch_all_images(store, ids, catalogue, packages, now);
  mark_matched(store, adoption.knowledge->feeds);
  return ordered + hosts;
}

std::vector<FeedStatus> list_feed_status(store::Store& store) {
  std::vector<FeedStatus> status = {
#define FEED(name) {feeds::FeedKind::name, 0, {}, {}},
#include "feeds/feeds.def"
#undef FEED
  };
  for (const store::FeedRow& row :
       store.read([](store::Reader& reader) { return store::list_feeds(reader); })) {
    for (FeedStatus& feed : status) {
      if (feeds::feed_name(feed.kind) != row.feed) continue;
      feed.records = row.records;
      feed.published = row.published;
      feed.imported_at = row.imported_at;
    }
  }
  return status;
}

}  // namespace muster::fleet
