// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "fleet/inventory.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

class Credentials;

/// Deletes a host that is no more: its software, findings, images, what was accepted on it and set
/// for it. Its events, tasks and results stay, and so do the rows of its agents, whose keys open
/// nothing from then on. A machine that still reports is registered anew, as another host.
///
/// Fails with not_found, and with illegal_transition while an agent of it is live: that one is
/// decommissioned first.
Result<void> delete_host(store::Tx& tx, const Inventory& inventory, Credentials& credentials,
                         const Actor& actor, OrgId org, HostId id, Instant now);

}  // namespace muster::fleet
