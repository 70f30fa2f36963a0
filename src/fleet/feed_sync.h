// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/feed_import.h"
#include "http/fetch.h"

namespace muster::fleet {

/// Where feeds come from: [feeds] of the configuration.
struct FeedSources {
  explicit FeedSources(const Config& config);
  /// With the key that the configuration names a file of. Fails with not_found.
  static Result<FeedSources> read(const Config& config);

  /// Tried in order.
  const std::vector<std::string>& of(feeds::FeedKind kind) const;
  std::vector<std::string>& of(feeds::FeedKind kind);
  /// Only files of this directory, for every kind.
  void use_directory(const std::string& path);

  std::vector<std::string> osv_ecosystems;
  std::string nvd_api;      // empty: changes come in files only
  std::string nvd_api_key;  // empty: none

 private:
  std::vector<std::vector<std::string>> sources_;  // by kind
};

/// How far a sync has come.
struct SyncProgress {
  feeds::FeedKind kind{};
  std::string file;  // that is fetched, or read
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> bytes_of = std::nullopt;
  std::size_t files = 0;     // done
  std::int64_t records = 0;  // stored
};

/// What a sync needs of the world.
struct SyncWorld {
  http::Fetch fetch;
  std::function<Instant()> now;
  /// Returns after the time; at once with false when the sync is to end.
  std::function<bool(Duration)> pause;
  /// Hears of progress; false gives up.
  std::function<bool(const SyncProgress&)> goes_on;
};

struct SyncOutcome {
  feeds::FeedKind kind{};
  bool changed = false;  // something was imported
  std::string source;    // that answered
  std::uint64_t bytes = 0;
  std::size_t files = 0;  // that were imported
  ImportOutcome imported{};
};

/// The parts of a fleet that an import works on.
struct FeedTarget {
  store::Store& store;
  NumberIds& ids;
  Catalogue& catalogue;
  KnownPackages& packages;
};

/// Brings one feed up to date from the first source that answers, asking only for what changed
/// since the last time (`full`: for everything, which then replaces what is there), matches the
/// hosts, and keeps what came of it: feed status, and an event when it begins to fail or works
/// again. A feed of several files is imported file by file, so that the next sync goes on where
/// this one ended. Fails with what the last source failed with, unless it was given up (SyncWorld),
/// which keeps nothing. Throws store::StoreError. One at a time.
Result<SyncOutcome> sync_feed(const FeedTarget& target, const FeedSources& sources,
                              const SyncWorld& world, const Actor& actor, feeds::FeedKind kind,
                              bool full);

}  // namespace muster::fleet
