// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "fleet/inventory.h"
#include "model/agent.h"

namespace muster::store {
class Tx;
}

/// What a report does to a set of packages, before anybody decides what becomes of the host.
namespace muster::fleet {

/// Ids of packages, ascending, each once.
using PackageIds = std::vector<PackageId>;

PackageIds difference(const PackageIds& from, const PackageIds& without);
PackageIds unite(const PackageIds& one, const PackageIds& other);

/// The packages of a report.
struct Reported {
  PackageIds ids;
  model::SetHash hash;  // of a full report that names hashes; else of none
};
/// Gives them ids and counts them in `outcome`, with what is known of them. Those of a delta need
/// not repeat which distribution `host` has.
Reported intern_reported(store::Tx& tx, const Inventory& inventory, const Knowledge& knowledge,
                         const InventoryReport& report, const model::Host& host,
                         ReportOutcome& outcome);

/// A report laid over the set that its sender had told of before.
struct LaidReport {
  PackageIds next;
  PackageIds gone;  // of the set before, named in no version any more
};
/// A full report replaces `base`; a delta takes its removals away first, then adds. Counts what was
/// added, removed and updated in `outcome`.
LaidReport lay_report(store::Tx& tx, const InventoryReport& report, const PackageIds& base,
                      const PackageIds& reported, ReportOutcome& outcome);

}  // namespace muster::fleet
