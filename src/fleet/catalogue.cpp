// SPDX-License-Identifier: Apache-2.0
#include "fleet/catalogue.h"

#include <map>

#include "base/json_write.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/identify.h"
#include "vuln/index.h"
#include "vuln/index_file.h"
#include "vuln/match.h"
#include "vuln/origin.h"

namespace muster::fleet {

namespace {

/// What a finding keeps of a match: all that a person needs to check it by hand.
std::string encode_match(const vuln::Match& match) {
  JsonWriter json;
  json.begin_object()
      .member("aliases", match.aliases)
      .member("fixed_version", match.evidence.range.fixed)
      .member("urgency", match.urgency)
      .member("disputed", match.disputed)
      .key("score_tenths");
  if (match.score_tenths) {
    json.value(static_cast<int>(*match.score_tenths));
  } else {
    json.null();
  }
  json.member("summary", match.summary)
      .key("evidence")
      .raw(vuln::encode_evidence(match.evidence))
      .end_object();
  return json.take();
}

Verdict::Hit hit_of(const vuln::Match& match) {
  return {match.feed, match.id, match.cve, match.severity, encode_match(match)};
}

bool has_advisories(const store::FeedRow& feed) {
  const auto kind = feeds::parse_feed_kind(feed.feed);
  return !kind || !feeds::only_joins(*kind);
}

/// Of the feeds that `counts` is true for.
template <typename F>
bool same_imports(const std::vector<store::FeedRow>& a, const std::vector<store::FeedRow>& b,
                  F&& counts) {
  const auto imports = [&](const std::vector<store::FeedRow>& feeds) {
    std::map<std::string_view, std::int64_t> generations;
    for (const store::FeedRow& feed : feeds) {
      if (counts(feed)) generations.emplace(feed.feed, feed.generation);
    }
    return generations;
  };
  return imports(a) == imports(b);
}

/// Names the imports that an index is built from: no two have one generation, not even those of
/// another store that was put in the place of this one. Empty for none.
std::string key_of(const std::vector<store::FeedRow>& feeds) {
  std::map<std::string_view, const store::FeedRow*> sorted;
  for (const store::FeedRow& feed : feeds) {
    if (has_advisories(feed)) sorted.emplace(feed.feed, &feed);
  }
  std::string key;
  for (const auto& [name, feed] : sorted) {
    key.append(name).append(" ").append(std::to_string(feed->generation));
    key.append(" ").append(std::to_string(feed->records)).append(";");
  }
  return key;
}

}  // namespace

std::int64_t imports_mark(const std::vector<store::FeedRow>& feeds) {
  std::int64_t sum = 0;
  for (const store::FeedRow& feed : feeds) sum += feed.generation;
  return sum;
}

bool holds_imports(const Knowledge& knowledge, const std::vector<store::FeedRow>& feeds) {
  return same_imports(knowledge.feeds, feeds, [](const store::FeedRow&) { return true; });
}

Verdict assess(const Knowledge& knowledge, const model::Package& package) {
  Verdict verdict;
  vuln::Verdict found = vuln::match(*knowledge.index, package);
  verdict.reason = found.reason;
  verdict.of_distribution = vuln::identity_kind(package) == vuln::Identity::Kind::distribution &&
                            vuln::origin_of(package) == vuln::Origin::distribution;
  verdict.identified =
      found.reason != vuln::Reason::no_identity && found.reason != vuln::Reason::skipped;
  for (const vuln::Match& match : found.matches) verdict.hits.push_back(hit_of(match));
  verdict.conditional = std::move(found.conditional);
  return verdict;
}

std::vector<Verdict::Hit> settle(const Knowledge& knowledge, const model::Package& package,
                                 const Verdict& verdict, const vuln::Surroundings& surroundings) {
  vuln::Verdict open;
  open.conditional = verdict.conditional;
  std::vector<Verdict::Hit> hits;
  for (const vuln::Match& match :
       vuln::settle(*knowledge.index, package, std::move(open), surroundings).matches) {
    hits.push_back(hit_of(match));
  }
  return hits;
}

Catalogue::Catalogue(std::filesystem::path index_file) : index_file_(std::move(index_file)) {
  auto empty = std::make_shared<Knowledge>();
  empty->index = vuln::Index::build({});
  current_.with([&](auto& current) { current = std::move(empty); });
}

void Catalogue::load(store::Reader& reader) {
  publish(read(reader, *current()));
  note_followed(*current());
}

std::shared_ptr<const vuln::Index> Catalogue::read_index(
    store::Reader& reader, const std::vector<store::FeedRow>& feeds) const {
  const std::string key = key_of(feeds);
  const bool kept = !index_file_.empty() && !key.empty();
  if (kept) {
    if (auto index = vuln::read_index(key, index_file_)) return index;
  }
  vuln::Index::Builder builder;
  store::for_each_advisory(reader, [&](const model::Advisory& advisory) { builder.add(advisory); });
  auto index = builder.finish();
  if (kept) vuln::write_index(*index, key, index_file_);
  return index;
}

std::shared_ptr<Knowledge> Catalogue::read(store::Reader& reader, const Knowledge& known) const {
  auto fresh = std::make_shared<Knowledge>();
  fresh->feeds = store::list_feeds(reader);
  if (same_imports(known.feeds, fresh->feeds, has_advisories)) {
    fresh->index = known.index;
  } else {
    fresh->index = read_index(reader, fresh->feeds);
  }
  store::for_each_kev_entry(reader, [&](model::KevEntry entry) {
    std::string cve = entry.cve;
    fresh->kev.emplace(std::move(cve), std::move(entry));
  });
  return fresh;
}

void Catalogue::publish(std::shared_ptr<Knowledge> fresh) {
  current_.with([&](std::shared_ptr<const Knowledge>& current) {
    fresh->number = current->number + 1;
    current = std::move(fresh);
  });
}

std::shared_ptr<const Knowledge> Catalogue::current() const {
  return current_.with([](const auto& current) { return current; });
}

void write_import(JsonWriter& json, const ImportOutcome& outcome) {
  json.member("published", outcome.published)
      .member("records", outcome.records)
      .member("skipped", outcome.skipped)
      .member("superseded", outcome.superseded)
      .member("remarks", outcome.remarks)
      .member("hosts_matched", outcome.hosts_matched)
      .member("findings_opened", outcome.findings_opened)
      .member("findings_resolved", outcome.findings_resolved);
}

}  // namespace muster::fleet
