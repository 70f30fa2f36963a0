// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_records.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "feeds/decompress.h"
#include "fleet/acceptances.h"
#include "store/sql/feed_syncs.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Records written in one transaction, so that agents' writes go on in between: about 10 ms.
constexpr std::size_t records_per_batch = 2000;

/// Writes the records of an import aside, some at a time. They are in force only once the feed's
/// row names their generation; until then a crash or a failure leaves rows that no reader sees and
/// the next import deletes.
class Generation {
 public:
  Generation(store::Store& store, feeds::FeedKind kind, std::int64_t number)
      : store_(store), kind_(kind), number_(number) {}

  /// As feeds::WantRecord: false if one that was changed later came before. One that does not say
  /// when it was changed is somebody's correction, and holds over what came before it.
  bool wants(std::string_view id, std::string_view modified) {
    if (modified.ends_with('Z')) modified.remove_suffix(1);
    const auto [found, first] = seen_.try_emplace(std::string(id), modified);
    if (first) return true;
    std::string& former = found->second;
    if (modified == former && !former.empty()) return false;
    if (modified != former) ++superseded_;
    if (!modified.empty() && modified < former) return false;
    former = modified;
    forget(found->first);
    return true;
  }
  void add(model::Advisory advisory) {
    advisories_.push_back(std::move(advisory));
    if (advisories_.size() == records_per_batch) flush();
  }
  void add(model::EpssScore score) {
    scores_.push_back(std::move(score));
    if (scores_.size() == records_per_batch) flush();
  }
  void flush() {
    if (advisories_.empty() && scores_.empty() && forgotten_.empty()) return;
    store_.write([&](store::Tx& tx) {
      store::delete_advisories(tx, feed(), number_, forgotten_);
      store::set_advisories(tx, number_, advisories_);
      store::set_epss_scores(tx, number_, scores_);
    });
    forgotten_.clear();
    advisories_.clear();
    scores_.clear();
  }

  /// Beside what is in force, in place of the records that were seen; those that say nothing now
  /// are gone.
  void lay_over(store::Tx& tx, const store::FeedRow& former) const {
    std::vector<std::string> ids;
    ids.reserve(seen_.size());
    for (const auto& [id, modified] : seen_) ids.push_back(id);
    store::delete_superseded_advisories(tx, feed(), number_, ids);
    store::insert_feed_layer(tx, feed(), former.generation);
    store::delete_empty_feed_layers(tx, feed());
  }
  /// Once it is in force.
  void delete_former() {
    constexpr int batch = static_cast<int>(records_per_batch);
    while (store_.write([&](store::Tx& tx) {
      return kind_ == feeds::FeedKind::epss
                 ? store::delete_old_epss_scores(tx, number_, batch)
                 : store::delete_old_advisories(tx, feed(), number_, batch);
    }) == batch) {
    }
  }
  std::size_t superseded() const { return superseded_; }

 private:
  std::string_view feed() const { return feeds::feed_name(kind_); }

  /// What was kept of a record until now.
  void forget(const std::string& id) {
    std::erase_if(advisories_, [&](const model::Advisory& each) { return each.id == id; });
    forgotten_.push_back(id);
  }

  store::Store& store_;
  feeds::FeedKind kind_;
  std::int64_t number_;
  std::unordered_map<std::string, std::string> seen_;  // ids, and when each was changed
  std::size_t superseded_ = 0;
  std::vector<std::string> forgotten_;
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
    end_acceptances_of_exploited(tx, ids, entry.cve, now);
    for (const store::OpenHosts& open : store::count_hosts_with_cve(tx, entry.cve)) {
      record_event(
          tx, ids, open.org, model::EventType::became_exploited, std::nullopt, std::nullopt,
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

std::optional<store::FeedRow> find_feed(store::Reader& reader, std::string_view name) {
  for (store::FeedRow& row : store::list_feeds(reader)) {
    if (row.feed == name) return std::move(row);
  }
  return std::nullopt;
}

/// Brings `generation` in force, of which `row` speaks.
Result<void> put_in_force(store::Tx& tx, const Generation& generation, ImportMode mode,
                          store::FeedRow row) {
  const auto former = find_feed(tx, row.feed);
  if (former && former->generation >= row.generation) {
    return Error{Errc::illegal_transition,
                 "Another import of this feed began later and is in force already."};
  }
  if (mode == ImportMode::merge && former) {
    row.published = std::max(row.published, former->published);
    generation.lay_over(tx, *former);
  } else {
    store::delete_feed_layers(tx, row.feed);
    // Nothing is known any more of what is in force.
    store::delete_feed_files(tx, row.feed);
    store::FeedSyncRow sync = store::get_feed_sync(tx, row.feed);
    if (!std::exchange(sync.reached, {}).empty()) store::set_feed_sync(tx, sync);
  }
  store::set_feed(tx, row);
  if (mode != ImportMode::merge || !former) return {};
  row.records = store::count_advisories(tx, row.feed);
  store::set_feed(tx, row);
  return {};
}

}  // namespace

Result<ImportOutcome> store_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                 const Actor& actor, feeds::FeedKind kind, ImportMode mode,
                                 const NextFile& next, Instant now) {
  // The later one would be in force first, and the earlier one in vain.
  const std::lock_guard alone(catalogue.storing(kind));
  CHECK(mode == ImportMode::replace || feeds::comes_in_parts(kind));
  const std::int64_t number = ids.next<GenerationId>(now).value;
  Generation generation(store, kind, number);
  std::vector<model::KevEntry> kev_entries;
  feeds::RecordSink sink;
  sink.advisory = [&](model::Advisory&& advisory) { generation.add(std::move(advisory)); };
  sink.kev_entry = [&](model::KevEntry&& entry) { kev_entries.push_back(std::move(entry)); };
  sink.epss_score = [&](model::EpssScore&& score) { generation.add(std::move(score)); };
  sink.wants = [&](std::string_view id, std::string_view modified) {
    return generation.wants(id, modified);
  };
  ImportOutcome outcome;
  outcome.feed = feeds::feed_name(kind);
  while (auto file = TRY(next())) {
    const std::string text = TRY(feeds::decompress(*std::move(file), limits::feed_text_bytes));
    file = std::nullopt;
    add_summary(outcome, TRY(feeds::parse_feed(kind, text, sink)));
  }
  generation.flush();
  outcome.superseded = generation.superseded();
  const Result<void> stored = store.write([&](store::Tx& tx) -> Result<void> {
    TRY(put_in_force(
        tx, generation, mode,
        {outcome.feed, now, outcome.published, static_cast<std::int64_t>(outcome.records), number,
         kind == feeds::FeedKind::epss}));
    if (kind == feeds::FeedKind::kev) set_exploited(tx, ids, kev_entries, now);
    record_audit(
        tx, ids, OrgId{0}, actor, "feeds.import", outcome.feed,
        [&](JsonWriter& details) {
          details.member("records", outcome.records).member("published", outcome.published);
          if (mode == ImportMode::merge) details.member("merged", true);
        },
        now);
    return {};
  });
  TRY(stored);
  generation.delete_former();
  return outcome;
}

}  // namespace muster::fleet
