// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "fleet/fleet.h"
#include "model/audit_chain.h"
#include "sim/ledger.h"

namespace muster::sim {

/// The claims that are held against a store; each function is one of claims.def and tells `ledger`
/// what does not hold.

// After every start and at rest.
void check_results_are_kept(store::Reader& reader, Ledger& ledger, Instant now);
void check_orders_are_kept(store::Reader& reader, Ledger& ledger, Instant now);
void check_enrolments_are_kept(store::Reader& reader, Ledger& ledger, Instant now);
/// `former` is what the last call saw, and becomes what this one sees.
void check_last_seen_in_store(store::Reader& reader, std::map<AgentId, Instant>& former,
                              Ledger& ledger, Instant now);
/// `former` likewise: the heads that the chains must go through.
void check_audit_chain(store::Reader& reader, std::vector<model::AuditHead>& former, Ledger& ledger,
                       Instant now);
void check_audit(store::Reader& reader, Ledger& ledger, Instant now);

// At rest only.
void check_runs_are_reported_once(store::Reader& reader, Ledger& ledger, Instant now);
void check_work_is_delivered(store::Reader& reader, const std::vector<AgentId>& living,
                             Ledger& ledger, Instant now);
void check_work_ends(store::Reader& reader, Ledger& ledger, Instant now);
void check_findings(store::Reader& reader, Ledger& ledger, Instant now);
void check_outages(store::Reader& reader, const Config& config, Ledger& ledger, Instant now);
/// Presence was flushed right before.
void check_memory(store::Reader& reader, fleet::Fleet& fleet, Ledger& ledger, Instant now);
/// "name version arch" of the host's stored packages, sorted.
std::vector<std::string> stored_software(store::Reader& reader, const model::Host& host);

}  // namespace muster::sim
