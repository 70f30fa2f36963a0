// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_import.h"

#include <algorithm>
#include <unordered_set>

#include "base/limits.h"
#include "feeds/decompress.h"
#include "fleet/acceptances.h"
#include "fleet/coverage.h"
#include "fleet/exploited_mark.h"
#include "fleet/host_matching.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Hosts matched again in one transaction: keeps the writer free for agents in between.
constexpr int hosts_per_batch = 50;
/// Records written in one transaction, for the same reason: about 10 ms.
constexpr std::size_t records_per_batch = 2000;

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
/// Returns the CVEs that left it.
std::vector<std::string> set_exploited(store::Tx& tx, NumberIds& ids,
                                       const std::vector<model::KevEntry>& entries, Instant now) {
  std::unordered_set<std::string> former;
  store::for_each_kev_entry(tx,
                            [&](model::KevEntry entry) { former.insert(std::move(entry.cve)); });
  store::delete_kev_entries(tx);
  store::set_kev_entries(tx, entries);
  const bool first = former.empty();
  for (const model::KevEntry& entry : entries) {
    if (former.erase(entry.cve) > 0 || first) continue;
    end_acceptances_of_exploited(tx, ids, entry.cve, now);
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
  return {former.begin(), former.end()};
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
  std::vector<std::string> unexploited;
  store.write([&](store::Tx& tx) {
    if (kind == feeds::FeedKind::kev) unexploited = set_exploited(tx, ids, kev_entries, now);
    store::set_feed(tx, {outcome.feed, now, outcome.published,
                         static_cast<std::int64_t>(outcome.records), number, false});
    record_audit(
        tx, ids, OrgId{0}, actor, "feeds.import", outcome.feed,
        [&](JsonWriter& details) {
          details.member("records", outcome.records).member("published", outcome.published);
        },
        now);
  });
  generation.delete_former(kind);
  const auto loaded = load_catalogue(store, catalogue);
  if (kind == feeds::FeedKind::kev) mark_exploited(store, unexploited);
  if (!feeds::only_joins(kind)) {
    outcome.hosts_matched = match_all_hosts(store, ids, catalogue, packages, outcome, now);
  }
  if (!feeds::only_joins(kind)) assess_all_sets(store, catalogue, packages);
  mark_matched(store, loaded);
  return outcome;
}

std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now) {
  if (catalogue.importing()) return 0;
  const auto feeds = store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  if (std::all_of(feeds.begin(), feeds.end(), [](const auto& feed) { return feed.matched; })) {
    return 0;
  }
  const auto loaded = load_catalogue(store, catalogue);
  mark_exploited(store);
  ImportOutcome unused;
  const std::size_t hosts = match_all_hosts(store, ids, catalogue, packages, unused, now);
  assess_all_sets(store, catalogue, packages);
  mark_matched(store, loaded);
  return hosts;
}

}  // namespace muster::fleet
