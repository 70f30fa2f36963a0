// SPDX-License-Identifier: Apache-2.0
#include "feeds/feed.h"

#include "base/text.h"
#include "feeds/debian/debian.h"
#include "feeds/epss/epss.h"
#include "feeds/kev/kev.h"
#include "feeds/nvd/nvd.h"
#include "feeds/osv/osv.h"

namespace muster::feeds {

std::string_view feed_name(FeedKind kind) {
  switch (kind) {
#define FEED(name)     \
  case FeedKind::name: \
    return #name;
#include "feeds/feeds.def"
#undef FEED
  }
  check_failed("a known feed", __FILE__, __LINE__);
}

std::optional<FeedKind> parse_feed_kind(std::string_view text) {
#define FEED(name) \
  if (equal_folded(text, #name)) return FeedKind::name;
#include "feeds/feeds.def"
#undef FEED
  return std::nullopt;
}

namespace {

Result<FeedSummary> feed_kev(std::string_view text, const RecordSink& sink) {
  KevCatalogue catalogue = TRY(parse_kev(text));
  FeedSummary summary;
  summary.edition = catalogue.catalog_version;
  summary.released = catalogue.date_released;
  summary.records = catalogue.entries.size();
  for (model::KevEntry& entry : catalogue.entries) {
    if (sink.kev_entry) sink.kev_entry(std::move(entry));
  }
  return summary;
}

Result<FeedSummary> feed_epss(std::string_view text, const RecordSink& sink) {
  return parse_epss(text, [&](model::EpssScore&& score) {
    if (sink.epss_score) sink.epss_score(std::move(score));
  });
}

Result<FeedSummary> feed_debian(std::string_view text, const RecordSink& sink) {
  return parse_debian(text, [&](model::Advisory&& advisory) {
    if (sink.advisory) sink.advisory(std::move(advisory));
  });
}

Result<FeedSummary> feed_nvd(std::string_view text, const RecordSink& sink) {
  return parse_nvd(
      text,
      [&](model::Advisory&& advisory) {
        if (sink.advisory) sink.advisory(std::move(advisory));
      },
      sink.wants);
}

Result<FeedSummary> feed_osv(std::string_view text, const RecordSink& sink) {
  return parse_osv(
      text,
      [&](model::Advisory&& advisory) {
        if (sink.advisory) sink.advisory(std::move(advisory));
      },
      sink.wants);
}

Result<FeedSummary> parse_of_kind(FeedKind kind, std::string_view text, const RecordSink& sink) {
  switch (kind) {
#define FEED(name)     \
  case FeedKind::name: \
    return feed_##name(text, sink);
#include "feeds/feeds.def"
#undef FEED
  }
  check_failed("a known feed", __FILE__, __LINE__);
}

}  // namespace

Result<FeedSummary> parse_feed(FeedKind kind, std::string_view text, const RecordSink& sink) {
  auto parsed = parse_of_kind(kind, text, sink);
  if (parsed.ok() || parsed.error().code != Errc::invalid_json) return parsed;
  // Whoever imports a file sent no body.
  return Error{Errc::invalid_json, "A file of the feed " + std::string(feed_name(kind)) +
                                       " is not valid JSON in UTF-8."};
}

}  // namespace muster::feeds
