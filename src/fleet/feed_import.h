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
/// together only as they came), builds the new
/// snapshot and matches every host against it. Readers see the old snapshot until the new one is
/// whole. Fails with invalid_json or invalid_field, and then nothing changes.
Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now);

/// Finishes what an import that was cut short had left: matches every host again if some feed was
/// not matched yet and no import is under way. Returns the number of hosts.
std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now);

}  // namespace muster::fleet
