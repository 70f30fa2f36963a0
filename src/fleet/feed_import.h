// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Replaces a feed by `files` (the publisher's own format, each plain, gzip or zstd; they are held
/// together only as they came), puts the new snapshot in force and matches the hosts and images
/// that it concerns (fleet/rematch.h, fleet/image_findings.h). Fails with invalid_json or
/// invalid_field, and with illegal_transition when an import of this feed that began later came
/// first; then nothing changes.
Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now);

/// Finishes what an import that was cut short had left: if some feed was not matched yet and no
/// import is under way, matches every host again. Follows imports of other servers on this store.
/// Returns the number of hosts.
std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now);

/// How old each kind of feed is; a kind that was never imported has no time.
struct FeedStatus {
  feeds::FeedKind kind;
  std::int64_t records = 0;
  std::string published;
  std::optional<Instant> imported_at;
};
std::vector<FeedStatus> list_feed_status(store::Store& store);

}  // namespace muster::fleet
