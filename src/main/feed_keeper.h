// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "egress/client.h"
#include "endpoints/wiring.h"
#include "fleet/feed_syncs.h"

namespace muster {

/// Finishes what an import left to be matched, and syncs feeds, when they are due and when
/// operators ask for it, through the one way out of the server: on a thread of its own, since
/// either may take long. What is given as a reference outlives this.
class FeedKeeper {
 public:
  FeedKeeper(endpoints::Wiring& wiring, fleet::FeedSources sources, egress::Client client,
             const Clock& clock, Rng& rng, Log& log);
  /// As stop(), and waits for that.
  ~FeedKeeper();
  FeedKeeper(const FeedKeeper&) = delete;
  FeedKeeper& operator=(const FeedKeeper&) = delete;

  /// Ends what is under way, here and in imports that operators sent: at once while something is
  /// fetched, else once what is stored now is, or a batch was matched. Nothing begins any more.
  void stop();

 private:
  void run();

  endpoints::Wiring& wiring_;
  const fleet::FeedSources sources_;
  const egress::Client client_;
  const Clock& clock_;
  Rng& rng_;
  Log& log_;
  std::thread thread_;
};

}  // namespace muster
