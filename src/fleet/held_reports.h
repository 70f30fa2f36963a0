// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "fleet/inventory.h"
#include "fleet/report_sets.h"
#include "model/agent.h"
#include "model/package.h"
#include "store/sql/reports.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

/// A broken package manager or a half-written list reports a host that lost nearly everything, and
/// believing it would resolve the host's findings. A report that no longer names more than
/// [inventory] hold_removal_percent of the packages of a host, in any version, is therefore taken
/// but for that: what it adds and what it updates is stored at once, so that nothing new is hidden,
/// and what it leaves out stays with its findings until an operator releases or discards it.
///
/// While a host is held, what it said it has is its software without what is held. Further deltas
/// are laid over that, and take what they name out of the hold or add to it; a further full report
/// replaces it; one that is no mass removal any more ends it. There is one hold for a host. Another
/// reporter (an agent that enrolled on the host, another one after it was set up anew) is believed:
/// it never said what the former one did.
namespace muster::fleet {

/// What a host has of what its reporter tells it has.
struct Reviewed {
  PackageIds next;    // with what is held
  PackageIds told;    // without
  PackageIds former;  // what was told before
};
/// Lays a report over `present`, which its own sender told of. Keeps, changes or ends the hold;
/// sets host.held_packages, which the caller stores.
Reviewed lay_reviewed(store::Tx& tx, const Inventory& inventory, const InventoryReport& report,
                      model::Host& host, const PackageIds& present, const PackageIds& reported,
                      ReportOutcome& outcome, Instant now);
/// What the sender of `present` told of: without what is held of it.
PackageIds told_of(store::Reader& reader, const model::Host& host, const PackageIds& present);
/// Ends a hold whose packages somebody else now speaks for; nothing if there is none.
void end_hold(store::Tx& tx, model::Host& host);

struct ReviewOutcome {
  HostId host;
  std::int64_t packages = 0;  // removed, or kept
  std::int64_t findings_resolved = 0;
};
/// What the host's reports said was gone goes now. Fails with not_found when nothing is held.
Result<ReviewOutcome> release_held_report(store::Tx& tx, const Inventory& inventory,
                                          const Actor& actor, OrgId org, HostId host, Instant now);
/// The host has it all still: asks it for a full report. Fails with not_found when nothing is held.
Result<ReviewOutcome> discard_held_report(store::Tx& tx, const Inventory& inventory,
                                          const Actor& actor, OrgId org, HostId host, Instant now);

struct HoldView {
  store::ListedHold listed;
  std::vector<model::Package> sample;  // of what would go, limits::held_sample at most
};
/// Pages in the order of hosts. Fails with invalid_field for a cursor that is none.
struct HoldPage {
  std::vector<HoldView> holds;
  std::string next_cursor;
  store::Total total;
};
Result<HoldPage> list_hold_page(store::Store& store, std::optional<OrgId> org,
                                std::string_view cursor, int count);

}  // namespace muster::fleet
