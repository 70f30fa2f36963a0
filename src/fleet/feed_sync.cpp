// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_sync.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "feeds/source_files.h"
#include "fleet/feed_download.h"
#include "fleet/nvd_changes.h"
#include "store/sql/feed_syncs.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using feeds::FeedKind;
using feeds::SourceFile;

constexpr int first_nvd_year = 2002;
/// NVD's file of what was modified covers eight days.
constexpr Duration modified_days = std::chrono::hours(24 * 7);
/// How old what yearly files say may be when nothing says it: they are made once a day.
constexpr Duration yearly_file_age = std::chrono::hours(24 * 3);
constexpr std::string_view modified_part = "modified";

std::vector<std::string> nvd_years(Instant now) {
  std::vector<std::string> years;
  const int last = static_cast<int>(
      parse_int(std::string_view(format_rfc3339(now)).substr(0, 4)).value_or(first_nvd_year));
  for (int year = first_nvd_year; year <= last; ++year) years.push_back(std::to_string(year));
  return years;
}

using Held = std::map<std::string, store::FeedFileRow>;

Held list_held(SyncRun& run) {
  Held held;
  run.database().read([&](store::Reader& reader) {
    for (auto& row : store::list_feed_files(reader, run.feed())) held[row.part] = std::move(row);
  });
  return held;
}

bool is_imported(SyncRun& run) {
  return run.database().read([&](store::Reader& reader) {
    const auto rows = store::list_feeds(reader);
    return std::any_of(rows.begin(), rows.end(),
                       [&](const store::FeedRow& row) { return row.feed == run.feed(); });
  });
}

void keep_files(SyncRun& run, const std::vector<store::FeedFileRow>& rows) {
  run.database().write([&](store::Tx& tx) {
    for (const store::FeedFileRow& row : rows) store::set_feed_file(tx, run.feed(), row);
  });
}

store::FeedFileRow row_of(const SyncRun& run, const SourceFile& file,
                          const http::Validators& validators) {
  return {file.part, file.at, validators.etag, validators.last_modified, run.now()};
}

/// Files of this machine are all that the feed says; they are read when one of them changed.
Result<void> sync_local(SyncRun& run, const std::string& path, bool full) {
  const auto files = TRY(feeds::local_files(run.kind(), path));
  const Held held = list_held(run);
  std::vector<store::FeedFileRow> rows;
  bool same = held.size() == files.size();
  for (const SourceFile& file : files) {
    rows.push_back(row_of(run, file, {feeds::stamp_of_file(file.at), {}}));
    const auto found = held.find(file.part);
    same = same && found != held.end() && found->second.url == file.at &&
           found->second.etag == rows.back().etag;
  }
  if (same && !full) return {};
  std::size_t read = 0;
  const auto next = [&]() -> Result<std::optional<std::string>> {
    if (read > 0) run.end_file();
    if (read == files.size()) return std::optional<std::string>();
    run.begin_file(files[read].at);
    TRY(run.check_goes_on());
    return std::optional(TRY(read_file(files[read++].at, limits::egress_file_bytes)));
  };
  if (auto stored = run.store(ImportMode::replace, next); !stored.ok()) {
    Error error = std::move(stored).error();
    // Of a directory with many files, the one that is to be looked at.
    const std::string last = read > 0 ? files[read - 1].at : std::string();
    if (!error.message.starts_with(last)) error.message = last + ": " + error.message;
    return error;
  }
  keep_files(run, rows);
  return {};
}

http::FetchOrder order_of(const SourceFile& file) {
  http::FetchOrder order;
  order.url = file.at;
  order.bytes_max = limits::egress_file_bytes;
  order.time_max = limits::egress_file_time;
  return order;
}

/// One file, if it is another than the one that was imported.
Result<void> sync_file(SyncRun& run, const SourceFile& file, const Held& held, ImportMode mode) {
  http::FetchOrder order = order_of(file);
  const auto found = held.find(file.part);
  if (found != held.end() && found->second.url == file.at) {
    order.have = {found->second.etag, found->second.last_modified};
  }
  run.begin_file(file.at);
  SyncRun::Got got = TRY(run.get(std::move(order)));
  if (got.unchanged) return {};
  TRY(run.store(mode, std::move(got.content)));
  run.end_file();
  keep_files(run, {row_of(run, file, got.validators)});
  return {};
}

/// All files anew, in place of all that is there.
Result<void> sync_whole(SyncRun& run, const std::vector<SourceFile>& files) {
  std::vector<store::FeedFileRow> rows;
  const auto next = [&]() -> Result<std::optional<std::string>> {
    if (!rows.empty()) run.end_file();
    if (rows.size() == files.size()) return std::optional<std::string>();
    const SourceFile& file = files[rows.size()];
    run.begin_file(file.at);
    SyncRun::Got got = TRY(run.get(order_of(file)));
    rows.push_back(row_of(run, file, got.validators));
    return std::optional(std::move(got.content));
  };
  TRY(run.store(ImportMode::replace, next));
  keep_files(run, rows);
  return {};
}

Result<void> sync_files(SyncRun& run, const std::vector<SourceFile>& files, bool full) {
  if (files.empty()) return Error{Errc::not_found, "It has no files."};
  const Held held = list_held(run);
  // What is there came from elsewhere, or is more than is wanted now.
  if (held.empty() && is_imported(run)) full = true;
  for (const auto& [part, row] : held) {
    full = full ||
           (part != modified_part &&
            std::none_of(files.begin(), files.end(),
                         [&, &part = part](const SourceFile& file) { return file.part == part; }));
  }
  if (full) return sync_whole(run, files);
  const ImportMode mode = files.size() > 1 ? ImportMode::merge : ImportMode::replace;
  for (const SourceFile& file : files) TRY(sync_file(run, file, held, mode));
  return {};
}

void keep_reached(SyncRun& run, Instant reached) {
  run.database().write([&](store::Tx& tx) {
    store::FeedSyncRow row = store::get_feed_sync(tx, run.feed());
    row.reached = format_nvd_reached({reached});
    store::set_feed_sync(tx, row);
  });
}

/// What changed in the last days, as a file.
Result<void> sync_modified(SyncRun& run, const std::string& source) {
  const auto files = feeds::remote_files(FeedKind::nvd, source, {std::string(modified_part)});
  if (files.front().part != modified_part) {
    return Error{Errc::not_found, "It has no file of changes."};
  }
  TRY(sync_file(run, files.front(), list_held(run), ImportMode::merge));
  if (const auto at = run.oldest_published()) keep_reached(run, *at);
  return {};
}

Result<void> sync_nvd(SyncRun& run, const FeedSources& sources, const std::string& source,
                      bool full) {
  const auto reached = parse_nvd_reached(run.database().read(
      [&](store::Reader& reader) { return store::get_feed_sync(reader, run.feed()).reached; }));
  const bool follows = reached && !full && is_imported(run);
  if (follows && !sources.nvd_api.empty()) {
    auto followed = follow_nvd_changes(run, sources, *reached);
    if (followed.ok()) run.outcome().source = sources.nvd_api;
    if (followed.ok() || run.given_up()) return followed;
    if (run.now() - reached->from > modified_days) return followed;
    // The first failure says more: whoever set no API never comes here.
    return sync_modified(run, source).ok() ? Result<void>() : followed;
  }
  if (follows && run.now() - reached->from <= modified_days) {
    if (sync_modified(run, source).ok() || run.given_up()) return run.check_goes_on();
  }
  TRY(sync_files(run, feeds::remote_files(FeedKind::nvd, source, nvd_years(run.now())), full));
  keep_reached(run, std::min(run.oldest_published().value_or(run.now() - yearly_file_age),
                             run.now() - std::chrono::hours(24)));
  return {};
}

Result<void> sync_from(SyncRun& run, const FeedSources& sources, const std::string& source,
                       bool full) {
  if (feeds::is_local_source(source)) return sync_local(run, feeds::local_path(source), full);
  if (run.kind() == FeedKind::nvd) return sync_nvd(run, sources, source, full);
  const std::vector<std::string> one = {""};
  return sync_files(run,
                    feeds::remote_files(run.kind(), source,
                                        run.kind() == FeedKind::osv ? sources.osv_ecosystems : one),
                    full);
}

/// The first source that answers.
Result<void> sync_from_any(SyncRun& run, const FeedSources& sources, bool full) {
  Error failure{Errc::not_found,
                "[feeds] " + std::string(run.feed()) + " of the configuration names no source."};
  std::string said;
  for (const std::string& source : sources.of(run.kind())) {
    run.outcome().source = source;
    auto done = sync_from(run, sources, source, full);
    if (done.ok() || run.given_up()) return done;
    failure = done.error();
    said.append(said.empty() ? "" : "; ");
    // What a file of this machine lacks is said with its path already.
    if (!failure.message.starts_with(source)) said.append(source).append(": ");
    said.append(failure.message);
  }
  if (!said.empty()) failure.message = std::move(said);
  return failure;
}

void keep_success(const FeedTarget& target, const SyncOutcome& outcome, Instant now) {
  target.store.write([&](store::Tx& tx) {
    store::FeedSyncRow row = store::get_feed_sync(tx, feeds::feed_name(outcome.kind));
    const std::int64_t failures = std::exchange(row.failures, 0);
    row.source = outcome.source;
    row.checked_at = now;
    store::set_feed_sync(tx, row);
    if (failures == 0) return;
    record_event(
        tx, target.ids, OrgId{0}, model::EventType::feed_sync_recovered, std::nullopt, std::nullopt,
        [&](JsonWriter& details) {
          details.member("feed", row.feed)
              .member("source", row.source)
              .member("failures", failures);
        },
        now);
  });
}

void keep_failure(const FeedTarget& target, FeedKind kind, const Error& error, Instant now) {
  target.store.write([&](store::Tx& tx) {
    store::FeedSyncRow row = store::get_feed_sync(tx, feeds::feed_name(kind));
    row.failed_at = now;
    std::string kept;
    row.failure = cut_utf8(well_formed(error.message, kept), limits::detail_bytes);
    ++row.failures;
    store::set_feed_sync(tx, row);
    if (row.failures > 1) return;
    record_event(
        tx, target.ids, OrgId{0}, model::EventType::feed_sync_failed, std::nullopt, std::nullopt,
        [&](JsonWriter& details) {
          details.member("feed", row.feed).member("failure", row.failure);
        },
        now);
  });
}

}  // namespace

FeedSources::FeedSources(const Config& config)
    : osv_ecosystems(config.feeds_osv_ecosystems),
      nvd_api(config.feeds_nvd_api),
      sources_{
#define FEED(name) config.feeds_##name,
#include "feeds/feeds.def"
#undef FEED
      } {
}

Result<FeedSources> FeedSources::read(const Config& config) {
  FeedSources sources(config);
  if (config.feeds_nvd_api_key_file.empty()) return sources;
  const auto key = read_file(config.feeds_nvd_api_key_file, limits::key_bytes);
  if (!key.ok()) return invalid_field("feeds.nvd_api_key_file", key.error().message);
  sources.nvd_api_key = trim(*key);
  return sources;
}

const std::vector<std::string>& FeedSources::of(FeedKind kind) const {
  return sources_[static_cast<std::size_t>(kind)];
}

std::vector<std::string>& FeedSources::of(FeedKind kind) {
  return sources_[static_cast<std::size_t>(kind)];
}

void FeedSources::use_directory(const std::string& path) {
  for (auto& sources : sources_) sources = {path};
}

Result<SyncOutcome> sync_feed(const FeedTarget& target, const FeedSources& sources,
                              const SyncWorld& world, const Actor& actor, FeedKind kind,
                              bool full) {
  const Catalogue::Import running(target.catalogue);
  const bool followed = hosts_follow(target.store, kind);
  SyncRun run(target, world, actor, kind);
  const auto done = sync_from_any(run, sources, full);
  SyncOutcome& outcome = run.outcome();
  // Also what came before a failure; a sync that is to end leaves it to the next start.
  if (outcome.changed && !run.given_up()) {
    match_feed(target.store, target.ids, target.catalogue, target.packages, kind, followed,
               outcome.imported, run.now());
  }
  if (!done.ok() && !run.given_up()) keep_failure(target, kind, done.error(), run.now());
  if (!done.ok()) return done.error();
  keep_success(target, outcome, run.now());
  return std::move(outcome);
}

}  // namespace muster::fleet
