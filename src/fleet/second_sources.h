// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/inventory.h"
#include "model/agent.h"
#include "store/sql/reports.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// Whether one of a host's agents speaks for it: has not ended, be it disabled or silent.
bool any_is_live(const std::vector<model::Agent>& agents);

/// What a reporter is told whose delta has nothing to be laid over: unknown_host, in the words that
/// fielded agents answer with a full report.
Error send_full_report();

/// Keeps what a site's key reports of a host whose agent speaks for it, one set for each key: a
/// delta is laid over that key's own set, never over the host's software. Changes nothing else but
/// when the machine was heard of. Fails with unknown_host for a delta of a key without a set.
Result<ReportOutcome> record_second_source(store::Tx& tx, const Inventory& inventory,
                                           const InventoryReport& report, const model::Host& host,
                                           Instant now);
/// Once sites speak for the host again there is no second source.
void forget_second_sources(store::Tx& tx, const model::Host& host);

}  // namespace muster::fleet
