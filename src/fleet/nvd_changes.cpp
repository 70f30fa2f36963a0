// SPDX-License-Identifier: Apache-2.0
#include "fleet/nvd_changes.h"

#include <algorithm>
#include <vector>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/sql/feed_syncs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr Duration window_max = std::chrono::hours(24 * 120);
constexpr std::int64_t page_records = 2000;
/// Between requests, of which 5 or 50 are allowed in 30 seconds.
constexpr Duration pace = std::chrono::seconds(6);
constexpr Duration pace_with_key = std::chrono::milliseconds(600);
/// NVD's own clock, and records that were being written: asked for once more.
constexpr Duration overlap = std::chrono::minutes(15);
/// Windows that change under our eyes each time: the next sync tries again.
constexpr int restarts_max = 3;

struct Page {
  std::int64_t total = 0;
  std::int64_t records = 0;
};

Result<Page> read_page_numbers(const std::string& content) {
  JsonDocument document;
  const Json page = TRY(document.parse(content));
  const auto total = page.find("totalResults");
  const auto records = page.find("vulnerabilities");
  if (!total || !total->integer() || *total->integer() < 0 || !records || !records->is_array()) {
    return Error{Errc::invalid_field, "The answer is no page of NVD's API."};
  }
  return Page{*total->integer(), static_cast<std::int64_t>(records->size())};
}

void keep(SyncRun& run, const NvdReached& reached) {
  run.database().write([&](store::Tx& tx) {
    store::FeedSyncRow row = store::get_feed_sync(tx, run.feed());
    row.reached = format_nvd_reached(reached);
    store::set_feed_sync(tx, row);
  });
}

http::FetchOrder page_order(const FeedSources& sources, const NvdReached& reached) {
  http::FetchOrder order;
  order.url = sources.nvd_api + "?lastModStartDate=" + format_rfc3339(reached.from - overlap) +
              "&lastModEndDate=" + format_rfc3339(*reached.to) +
              "&resultsPerPage=" + std::to_string(page_records) +
              "&startIndex=" + std::to_string(reached.index);
  if (!sources.nvd_api_key.empty()) order.headers.emplace_back("apiKey", sources.nvd_api_key);
  order.bytes_max = limits::egress_page_bytes;
  order.time_max = limits::egress_file_time;
  return order;
}

}  // namespace

std::string format_nvd_reached(const NvdReached& reached) {
  std::string text = format_rfc3339(reached.from);
  if (!reached.to) return text;
  return text + " " + format_rfc3339(*reached.to) + " " + std::to_string(reached.index) + " " +
         std::to_string(reached.total);
}

std::optional<NvdReached> parse_nvd_reached(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() != 1 && words.size() != 4) return std::nullopt;
  const auto from = parse_rfc3339(words[0]);
  if (!from.ok()) return std::nullopt;
  NvdReached reached{*from};
  if (words.size() == 1) return reached;
  const auto to = parse_rfc3339(words[1]);
  const auto index = parse_int(words[2]);
  const auto total = parse_int(words[3]);
  if (!to.ok() || !index || !total || *index < 0) return std::nullopt;
  return NvdReached{*from, *to, *index, *total};
}

Result<void> follow_nvd_changes(SyncRun& run, const FeedSources& sources, NvdReached reached) {
  const Instant now = run.now();
  bool first = true;
  int restarts = 0;
  while (reached.from < now) {
    if (!reached.to) reached.to = std::min(reached.from + window_max - overlap, now);
    if (!first && !run.pause(sources.nvd_api_key.empty() ? pace : pace_with_key)) {
      return run.check_goes_on();
    }
    first = false;
    run.begin_file("changes until " + format_rfc3339(*reached.to) + " from " +
                   std::to_string(reached.index));
    SyncRun::Got got = TRY(run.get(page_order(sources, reached)));
    const Page page = TRY(read_page_numbers(got.content));
    if (reached.index > 0 && page.total != reached.total) {
      if (++restarts > restarts_max) {
        return Error{Errc::unavailable, "NVD's records changed while they were read."};
      }
      reached.index = 0;
      continue;
    }
    reached.total = page.total;
    if (page.records == 0 && reached.index < page.total) {
      return Error{Errc::unavailable, "NVD's API gave less than it said."};
    }
    if (page.records > 0) TRY(run.store(ImportMode::merge, std::move(got.content)));
    run.end_file();
    reached.index += page.records;
    if (reached.index >= page.total) reached = NvdReached{*reached.to};
    keep(run, reached);
  }
  return {};
}

}  // namespace muster::fleet
