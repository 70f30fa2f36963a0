// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"

namespace muster::feeds {

/// Whose files can be imported; feeds.def is the list.
enum class FeedKind : std::uint8_t {
#define FEED(name) name,
#include "feeds/feeds.def"
#undef FEED
};

inline constexpr FeedKind feed_kinds[] = {
#define FEED(name) FeedKind::name,
#include "feeds/feeds.def"
#undef FEED
};

/// "kev", "debian": also the `feed` of the advisories it gives.
std::string_view feed_name(FeedKind kind);
std::optional<FeedKind> parse_feed_kind(std::string_view text);
/// Whether its records join the findings of other feeds by CVE, and make none.
constexpr bool only_joins(FeedKind kind) {
  return kind == FeedKind::kev || kind == FeedKind::epss;
}

/// Asked before each record of a feed whose records have an id and a time of change (NVD, OSV),
/// also before one that says nothing: false passes over it. Times of one feed compare as text, "Z"
/// taken off.
using WantRecord = std::function<bool(std::string_view id, std::string_view modified)>;

/// Where the records of a file go, one at a time and in the order of the file, so that a large
/// feed is never held twice. A member that is not set drops its records.
struct RecordSink {
  std::function<void(model::Advisory&&)> advisory;
  std::function<void(model::KevEntry&&)> kev_entry = {};
  std::function<void(model::EpssScore&&)> epss_score = {};
  WantRecord wants = {};
};

/// Whether its files may hold some of its records, each of which stands for itself.
constexpr bool comes_in_parts(FeedKind kind) {
  return kind == FeedKind::nvd || kind == FeedKind::osv;
}

/// What one file held.
struct FeedSummary {
  std::string edition;   // the publisher's version of the file ("2025.08.25"); empty if it has none
  std::string released;  // the publisher's date and time of it; empty if it has none
  std::size_t records = 0;
  /// Rows that could not be read and so say nothing; the first `remarks_max` of them are named.
  std::size_t skipped = 0;
  std::vector<std::string> remarks;
  /// Records that say nothing of any product: rejected, or not analysed yet.
  std::size_t silent = 0;

  static constexpr std::size_t remarks_max = 20;

  /// Counts a row that could not be read, and names it with what is wrong.
  void skip(std::string_view row, std::string_view what) {
    ++skipped;
    if (remarks.size() == remarks_max) return;
    remarks.push_back(std::string(row) + ": " + std::string(what));
  }
};

/// Reads a whole file of the publisher's official format, decompressed (feeds/decompress.h).
/// Fails with invalid_json or with invalid_field or missing_field naming the member; what the sink
/// received before a failure must be thrown away. Unknown members are ignored.
Result<FeedSummary> parse_feed(FeedKind kind, std::string_view text, const RecordSink& sink);

}  // namespace muster::feeds
