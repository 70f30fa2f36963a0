// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

enum class ImportMode : std::uint8_t {
  replace,  // the files are all that the feed says
  merge,  // they replace the records that they hold, and leave the others: a rejected one vanishes
};

/// Gives the next file of an import as it came (plain, gzip, zstd or zip), then nothing. What it
/// fails with fails the import.
using NextFile = std::function<Result<std::optional<std::string>>()>;

/// Stores the records of files of one publisher and brings them in force, all together in one
/// transaction at the end: whatever fails before leaves what was in force as it was. Of a record
/// that comes several times, the one that was changed last counts. The catalogue is not built and
/// no host is matched yet (fleet/feed_import.h). Only feeds that come in parts can be merged. Fails
/// with invalid_json, invalid_field, invalid_encoding or body_too_large, and with
/// illegal_transition when another server began an import of this feed later and it is in force
/// already. Waits while another thread stores the same feed. Throws store::StoreError.
Result<ImportOutcome> store_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                 const Actor& actor, feeds::FeedKind kind, ImportMode mode,
                                 const NextFile& next, Instant now);

}  // namespace muster::fleet
