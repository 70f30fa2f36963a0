// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/time.h"
#include "fleet/inventory.h"
#include "fleet/report_sets.h"
#include "model/agent.h"

namespace muster::store {
class Tx;
}

/// The stored software of a host and the findings that follow it.
namespace muster::fleet {

/// Replaces `present`, which the host has, by `next`: package_set and package_count of `host`,
/// which the caller stores, and its findings. Returns the findings resolved.
std::int64_t set_software(store::Tx& tx, const Inventory& inventory, const Knowledge& knowledge,
                          model::Host& host, const PackageIds& present, const PackageIds& next,
                          Instant now);

/// Where some package's verdict depends on the host, any change of the host may change it: the host
/// is matched as a whole. Returns the findings resolved.
std::int64_t settle_conditions(store::Tx& tx, const Inventory& inventory,
                               const Knowledge& knowledge, const model::Host& host,
                               const PackageIds& packages, Instant now);

}  // namespace muster::fleet
