// SPDX-License-Identifier: Apache-2.0
#include "main/feed_keeper.h"

#include <algorithm>
#include <utility>

#include "fleet/catalogue.h"

namespace muster {

namespace {

/// How late the schedule may be, and what another server imported before hosts of this one follow.
constexpr Duration latest = std::chrono::seconds(30);

}  // namespace

FeedKeeper::FeedKeeper(endpoints::Wiring& wiring, fleet::FeedSources sources, egress::Client client,
                       const Clock& clock, Rng& rng, Log& log)
    : wiring_(wiring),
      sources_(std::move(sources)),
      client_(std::move(client)),
      clock_(clock),
      rng_(rng),
      log_(log),
      thread_([this] { run(); }) {}

FeedKeeper::~FeedKeeper() {
  stop();
  thread_.join();
}

void FeedKeeper::stop() {
  wiring_.app.catalogue.stop_matching();
  wiring_.feed_syncs.stop();
}

void FeedKeeper::run() {
  fleet::SyncWorld world;
  world.fetch = [this](const http::FetchOrder& order) { return client_.fetch(order); };
  world.now = [this] { return clock_.now(); };
  const Duration look_every =
      std::min<Duration>(latest, std::chrono::seconds(wiring_.app.config.presence_check_seconds));
  do {
    try {
      wiring_.finish_matching(clock_.now());
      wiring_.feed_syncs.run_due(sources_, world, rng_, log_);
    } catch (const std::exception& failure) {
      // The store is away, or there is no memory left: what was wanted still is.
      log_.write(LogLevel::error, "feed_sync_broken",
                 [&](JsonWriter& fields) { fields.member("what", failure.what()); });
    }
  } while (wiring_.feed_syncs.await_request(look_every));
}

}  // namespace muster
