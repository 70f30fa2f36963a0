// SPDX-License-Identifier: Apache-2.0
// Feeds: their files, their syncs and their state.
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/feed_age.h"
#include "fleet/feed_import.h"
#include "fleet/feed_syncs.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

Result<feeds::FeedKind> kind_param(const Request& request) {
  const auto kind = feeds::parse_feed_kind(request.params[0]);
  if (!kind) return Error{Errc::not_found, "There is no such feed."};
  return *kind;
}

void write_progress(JsonWriter& json, const fleet::SyncProgress& progress) {
  json.begin_object()
      .member("file", progress.file)
      .member("files", progress.files)
      .member("bytes", progress.bytes)
      .member("bytes_of", progress.bytes_of)
      .member("records", progress.records)
      .end_object();
}

std::string encode_status(const fleet::FeedStatus& feed, bool stale,
                          const std::optional<fleet::SyncProgress>& running, Instant now) {
  const bool runs = running && running->kind == feed.kind;
  JsonWriter json;
  json.begin_object()
      .member("kind", feeds::feed_name(feed.kind))
      .member("records", feed.records)
      .member("published", feed.published)
      .member("imported_at", feed.imported_at)
      .key("age_seconds");
  if (feed.imported_at) {
    json.value((now - *feed.imported_at).count() / 1000);
  } else {
    json.null();
  }
  json.member("stale", stale)
      .member("state", runs          ? "running"
                       : feed.wanted ? "waiting"
                                     : "idle")
      .member("source", feed.source)
      .member("etag", feed.etag)
      .member("last_modified", feed.last_modified)
      .member("checked_at", feed.checked_at)
      .member("failures", feed.failures)
      .member("failed_at", feed.failed_at)
      .member("failure", feed.failure)
      .member("next_sync_at", feed.next_at)
      .key("progress");
  if (runs) {
    write_progress(json, *running);
  } else {
    json.null();
  }
  return json.end_object().take();
}

}  // namespace

Result<Reply> import_feed(App& app, const Request& request) {
  const feeds::FeedKind kind = TRY(kind_param(request));
  const fleet::ImportOutcome outcome =
      TRY(fleet::import_feed(app.store, app.ids, app.catalogue, app.packages, actor_of(request),
                             kind, {std::string(request.body)}, request.now));
  app.feed_syncs.count();
  JsonWriter json;
  json.begin_object().member("kind", outcome.feed);
  fleet::write_import(json, outcome);
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> sync_feed(App& app, const Request& request) {
  const feeds::FeedKind kind = TRY(kind_param(request));
  Fields fields(TRY(decode_optional_body(request)));
  const bool full = fields.optional_boolean("full").value_or(false);
  TRY(fields.finish());
  app.feed_syncs.request(kind, full, actor_of(request), request.now);
  JsonWriter json;
  json.begin_object()
      .member("kind", feeds::feed_name(kind))
      .member("state", "waiting")
      .end_object();
  return Reply(http::json_response(202, json.take()));
}

Result<Reply> list_feeds(App& app, const Request& request) {
  std::vector<Listed> all;
  // Before the rows: what ends between is shown as ended, not as waiting.
  const auto running = app.feed_syncs.running();
  const auto ages = fleet::list_feed_ages(app.store, app.config, request.now);
  for (const fleet::FeedStatus& feed : fleet::list_feed_status(app.store)) {
    const bool stale = ages.at(static_cast<std::size_t>(feed.kind)).stale;
    all.push_back({std::string(feeds::feed_name(feed.kind)),
                   encode_status(feed, stale, running, request.now)});
  }
  return page_of(all, request);
}

}  // namespace muster::endpoints
