// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_syncs.h"

#include <algorithm>

#include "store/sql/feed_syncs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::string_view wants_full = "full";
constexpr std::string_view wants_changes = "changes";
constexpr Duration first_retry = std::chrono::minutes(15);

struct Due {
  feeds::FeedKind kind;
  bool full;
};

/// What operators asked for first.
std::vector<Due> list_due(store::Store& store, bool scheduled, Instant now) {
  std::vector<Due> due;
  store.read([&](store::Reader& reader) {
    for (const auto kind : feeds::feed_kinds) {
      const auto row = store::get_feed_sync(reader, feeds::feed_name(kind));
      if (!row.wanted.empty()) {
        due.insert(due.begin(), {kind, row.wanted == wants_full});
      } else if (scheduled && (!row.next_at || *row.next_at <= now)) {
        due.push_back({kind, false});
      }
    }
  });
  return due;
}

}  // namespace

Instant next_sync(Instant now, Duration every, std::int64_t failures, std::uint64_t draw) {
  Duration wait = every;
  if (failures > 0)
    wait = std::min(every, first_retry * (1 << std::min<std::int64_t>(failures - 1, 10)));
  const auto tenth = static_cast<std::uint64_t>(wait.count() / 10 + 1);
  return now + wait + Duration(static_cast<Duration::rep>(draw % tenth));
}

void request_feed_sync(store::Tx& tx, NumberIds& ids, const Actor& actor, feeds::FeedKind kind,
                       bool full, Instant now) {
  store::FeedSyncRow row = store::get_feed_sync(tx, feeds::feed_name(kind));
  if (row.wanted != wants_full) row.wanted = full ? wants_full : wants_changes;
  store::set_feed_sync(tx, row);
  record_audit(
      tx, ids, OrgId{0}, actor, "feeds.sync", row.feed,
      [&](JsonWriter& details) { details.member("full", full); }, now);
}

FeedSyncs::FeedSyncs(const FeedTarget& target, const Nodes& nodes, Duration every)
    : target_(target), nodes_(nodes), every_(every) {}

void FeedSyncs::request(feeds::FeedKind kind, bool full, const Actor& actor, Instant now) {
  target_.store.write(
      [&](store::Tx& tx) { request_feed_sync(tx, target_.ids, actor, kind, full, now); });
  const std::lock_guard lock(mutex_);
  requested_ = true;
  changed_.notify_all();
}

std::optional<SyncProgress> FeedSyncs::running() const {
  return running_.with([](const auto& running) { return running; });
}

std::vector<FeedNumbers> FeedSyncs::numbers() const {
  return numbers_.with([](const auto& numbers) { return numbers; });
}

void FeedSyncs::count() {
  std::vector<FeedNumbers> fresh;
  for (const FeedStatus& feed : list_feed_status(target_.store)) {
    fresh.push_back({feed.kind, feed.imported_at, feed.checked_at, feed.records, feed.failures});
  }
  numbers_.with([&](auto& numbers) { numbers = std::move(fresh); });
}

void FeedSyncs::run_due(const FeedSources& sources, SyncWorld world, Rng& rng, Log& log) {
  world.pause = [this](Duration time) { return pause(time); };
  world.goes_on = [this](const SyncProgress& progress) {
    running_.with([&](auto& running) { running = progress; });
    const std::lock_guard lock(mutex_);
    return !stopping_;
  };
  if (!nodes_.leads()) return;
  for (const Due& due : list_due(target_.store, every_ > Duration(0), world.now())) {
    run_one(sources, world, due.kind, due.full, rng, log);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

void FeedSyncs::run_one(const FeedSources& sources, const SyncWorld& world, feeds::FeedKind kind,
                        bool full, Rng& rng, Log& log) {
  struct Running {
    Guarded<std::optional<SyncProgress>>& state;
    ~Running() {
      state.with([](auto& running) { running.reset(); });
    }
  } const ends{running_};
  SyncProgress begun;
  begun.kind = kind;
  if (!world.goes_on(begun)) return;
  const auto done = sync_feed(target_, sources, world, Actor::server(), kind, full);
  if (!done.ok() && !world.goes_on(begun)) return;  // the next start takes it up again
  target_.store.write([&](store::Tx& tx) {
    store::FeedSyncRow row = store::get_feed_sync(tx, feeds::feed_name(kind));
    if (full || row.wanted != wants_full) row.wanted.clear();  // it may have come meanwhile
    row.next_at.reset();
    if (every_ > Duration(0)) {
      row.next_at = next_sync(world.now(), every_, row.failures, rng.next_u64());
    }
    store::set_feed_sync(tx, row);
  });
  count();
  log.write(done.ok() ? LogLevel::info : LogLevel::warning,
            done.ok() ? "feed_synced" : "feed_sync_failed", [&](JsonWriter& fields) {
              fields.member("feed", feeds::feed_name(kind));
              if (!done.ok()) {
                fields.member("what", done.error().message);
                return;
              }
              fields.member("changed", done->changed)
                  .member("source", done->source)
                  .member("bytes", done->bytes)
                  .member("records", done->imported.records)
                  .member("findings_opened", done->imported.findings_opened)
                  .member("findings_resolved", done->imported.findings_resolved);
            });
}

bool FeedSyncs::await_request(Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return requested_ || stopping_; });
  requested_ = false;
  return !stopping_;
}

bool FeedSyncs::pause(Duration time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [&] { return stopping_; });
  return !stopping_;
}

void FeedSyncs::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace muster::fleet
