// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_download.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace muster::fleet {

namespace {

Error ended() {
  return {Errc::unavailable, "The sync was ended."};
}

void add(ImportOutcome& sum, const ImportOutcome& one) {
  sum.feed = one.feed;
  sum.published = std::max(sum.published, one.published);
  sum.records += one.records;
  sum.skipped += one.skipped;
  sum.superseded += one.superseded;
  for (const std::string& remark : one.remarks) {
    if (sum.remarks.size() < feeds::FeedSummary::remarks_max) sum.remarks.push_back(remark);
  }
}

}  // namespace

Result<SyncRun::Got> SyncRun::get(http::FetchOrder order) {
  for (int retries = 0;; ++retries) {
    Got got;
    order.take = [&](std::string_view piece) { got.content += piece; };
    order.goes_on = [&](std::uint64_t bytes, std::optional<std::uint64_t> of) {
      progress_.bytes = bytes;
      progress_.bytes_of = of;
      given_up_ = given_up_ || !world_.goes_on(progress_);
      return !given_up_;
    };
    auto fetched = world_.fetch(order);
    if (given_up_) return ended();
    if (fetched.ok()) {
      outcome_.bytes += fetched->bytes;
      got.unchanged = fetched->unchanged;
      got.validators = fetched->validators;
      return got;
    }
    const auto wait = fetched.error().retry_after_seconds;
    if (!wait || std::chrono::seconds(*wait) > limits::egress_wait ||
        retries == limits::egress_retries) {
      return std::move(fetched).error();
    }
    if (!pause(std::chrono::seconds(*wait))) return ended();
  }
}

Result<void> SyncRun::store(ImportMode mode, const NextFile& next) {
  const ImportOutcome one = TRY(store_feed(target_.store, target_.ids, target_.catalogue, actor_,
                                           outcome_.kind, mode, next, now()));
  add(outcome_.imported, one);
  // NVD leaves the zone out.
  const bool zoned = one.published.ends_with('Z');
  if (const auto at = parse_rfc3339(one.published + (zoned ? "" : "Z")); at.ok()) {
    oldest_published_ = std::min(oldest_published_.value_or(*at), *at);
  }
  outcome_.changed = true;
  progress_.records += static_cast<std::int64_t>(one.records);
  return {};
}

Result<void> SyncRun::store(ImportMode mode, std::string content) {
  bool given = false;
  return store(mode, [&]() -> Result<std::optional<std::string>> {
    if (std::exchange(given, true)) return std::optional<std::string>();
    return std::optional(std::move(content));
  });
}

void SyncRun::begin_file(const std::string& name) {
  progress_.file = name;
  progress_.bytes = 0;
  progress_.bytes_of.reset();
}

void SyncRun::end_file() {
  ++outcome_.files;
  ++progress_.files;
}

Result<void> SyncRun::check_goes_on() {
  given_up_ = given_up_ || !world_.goes_on(progress_);
  if (given_up_) return ended();
  return {};
}

}  // namespace muster::fleet
