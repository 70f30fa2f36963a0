// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/time.h"
#include "fleet/presence.h"
#include "model/samples.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Keeps what an agent last said of its machine, if it was heard of since its last sample and
/// [history] sample_seconds after it; what is not full yet is stored with presence. Segments are
/// full at another time for each agent, so a flush stores those of a sixteenth of them.
void take_sample(AgentId agent, AgentPresence& state, const Config& config);

/// What an agent said of its machine from `since` on, oldest first.
struct SampleHistory {
  std::vector<model::Sample> samples;
  std::size_t every = 1;  // of more than limits::history_points only each so manyth is here
};
SampleHistory list_samples(store::Store& store, const PresenceTable& presence, OrgId org,
                           AgentId agent, Instant since);

/// Deletes samples older than `keep`, in transactions of limits::prune_rows, at most
/// limits::prune_rounds of them; the next call goes on. Returns the rows. Throws store::StoreError.
std::int64_t prune_samples(store::Store& store, Duration keep, Instant now);

}  // namespace muster::fleet
