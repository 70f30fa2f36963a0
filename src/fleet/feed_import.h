// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/catalogue.h"
#include "fleet/feed_records.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Replaces a feed by `files` (the publisher's own format, each plain, gzip, zstd or zip; they are
/// held together only as they came), or merges them into it, puts the new snapshot in force and
/// matches the hosts and images that it concerns (fleet/rematch.h, fleet/image_findings.h). Fails
/// as store_feed(), and then nothing changes.
Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now,
                                  ImportMode mode = ImportMode::replace);

/// Whether hosts were matched with the import of the feed that is stored; an import that was cut
/// short left some of them behind.
bool hosts_follow(store::Store& store, feeds::FeedKind kind);

/// The second half of an import: puts the snapshot of what store_feed() stored in force and matches
/// the hosts and images that it concerns: all of them unless they followed the import before it
/// (`followed`: hosts_follow() before store_feed()), for what differs between the two imports is
/// not all that differs for those left behind. Adds to `outcome`.
void match_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue, KnownPackages& packages,
                feeds::FeedKind kind, bool followed, ImportOutcome& outcome, Instant now);

/// Follows imports of other servers on this store: what was written here under the former snapshot
/// is matched again. If this server `leads`, also finishes what an import that was cut short had
/// left: if some feed was not matched yet and no import is under way here, matches every host
/// again. Returns the number of hosts. What the end of the server cuts short (Catalogue) is left
/// for its next start.
std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, bool leads, Instant now);

/// How old each kind of feed is, and what came of syncing it; a kind that was never imported has no
/// time.
struct FeedStatus {
  feeds::FeedKind kind;
  std::int64_t records = 0;
  std::string published;
  std::optional<Instant> imported_at{};
  std::string source{};                 // that answered last
  std::string etag{};                   // of the file that was fetched last, in its server's words
  std::string last_modified{};          // likewise
  std::optional<Instant> checked_at{};  // when a source last had answered in full
  std::optional<Instant> failed_at{};   // the last failure, and its words
  std::string failure{};
  std::int64_t failures = 0;         // in a row
  std::optional<Instant> next_at{};  // by the schedule
  bool wanted = false;               // an operator asked for it, and it has not ended yet
};
std::vector<FeedStatus> list_feed_status(store::Store& store);

}  // namespace muster::fleet
