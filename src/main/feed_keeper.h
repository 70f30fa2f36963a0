// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "egress/client.h"
#include "fleet/feed_syncs.h"

namespace muster {

/// Syncs feeds on a thread of its own, when they are due and when operators ask for it, through the
/// one way out of the server. What is given as a reference outlives this.
class FeedKeeper {
 public:
  FeedKeeper(fleet::FeedSyncs& syncs, fleet::FeedSources sources, egress::Client client,
             const Clock& clock, Rng& rng, Log& log);
  /// Ends what is under way: at once while something is fetched, else once what is stored or
  /// matched now is.
  ~FeedKeeper();
  FeedKeeper(const FeedKeeper&) = delete;
  FeedKeeper& operator=(const FeedKeeper&) = delete;

 private:
  void run();

  fleet::FeedSyncs& syncs_;
  const fleet::FeedSources sources_;
  const egress::Client client_;
  const Clock& clock_;
  Rng& rng_;
  Log& log_;
  std::thread thread_;
};

}  // namespace muster
