// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "model/runtime.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// What an agent says of what runs on its host.
struct ToldRuntime {
  std::string hash;  // of its text, as the agent made it
  model::Runtime runtime;
};

/// Stores what was told, if that is news. Gives the hash of what is stored then; empty: nothing is.
std::string record_runtime(store::Tx& tx, OrgId org, HostId host,
                           const std::optional<ToldRuntime>& told, Instant now);

}  // namespace muster::fleet
