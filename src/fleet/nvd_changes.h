// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "fleet/feed_download.h"

namespace muster::fleet {

/// How far NVD's changes were followed: all until `from` are here, and of those until `to` the
/// first `index` of `total`.
struct NvdReached {
  Instant from;
  std::optional<Instant> to = std::nullopt;
  std::int64_t index = 0;
  std::int64_t total = 0;
  friend bool operator==(const NvdReached&, const NvdReached&) = default;
};
/// "2026-03-21T14:30:00Z", or "FROM TO INDEX TOTAL" within a window.
std::string format_nvd_reached(const NvdReached& reached);
/// Nothing for any other text.
std::optional<NvdReached> parse_nvd_reached(std::string_view text);

/// Asks the API of NVD (https://nvd.nist.gov/developers/vulnerabilities, version 2.0) for what
/// changed since `reached`, in windows of at most 120 days and pages of 2,000, at the pace that NVD
/// asks for: 5 requests in 30 seconds, 50 with a key. Every page is stored as it comes and
/// `reached` kept, so that the next sync goes on behind it. A window that changed while it was read
/// is read again.
Result<void> follow_nvd_changes(SyncRun& run, const FeedSources& sources, NvdReached reached);

}  // namespace muster::fleet
