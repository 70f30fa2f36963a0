// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/ids.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"
#include "model/agent.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

struct MatchCount {
  std::size_t opened = 0;
  std::size_t resolved = 0;
};
/// Brings a host's findings in line with all that is known of it: opens what holds, and resolves
/// what no longer does. Also for what depends on its system and its other software.
MatchCount match_host(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                      KnownPackages& packages, const model::Host& host, Instant now);

}  // namespace muster::fleet
