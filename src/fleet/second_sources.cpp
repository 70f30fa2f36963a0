// SPDX-License-Identifier: Apache-2.0
#include "fleet/second_sources.h"

#include <algorithm>

#include "fleet/report_sets.h"
#include "fleet/set_hashes.h"
#include "store/store.h"

namespace muster::fleet {

bool any_is_live(const std::vector<model::Agent>& agents) {
  return std::any_of(agents.begin(), agents.end(),
                     [](const model::Agent& agent) { return !model::is_ended(agent.status); });
}

Error send_full_report() {
  return {Errc::unknown_host, "Asset not found. Send full inventory first."};
}

Result<ReportOutcome> record_second_source(store::Tx& tx, const Inventory& inventory,
                                           const InventoryReport& report, const model::Host& host,
                                           Instant now) {
  const auto former = store::find_host_source(tx, host.org, host.id, report.key);
  if (report.delta && !former) return send_full_report();
  PackageIds base;
  if (former) base = store::get_package_set(tx, host.org, former->package_set);
  ReportOutcome outcome;
  outcome.second_source = true;
  outcome.host = host.id;
  outcome.hostname = host.hostname;
  std::optional<model::SetHash> hash;
  if (report.delta && report.names_hashes()) {
    hash = former->set_hash ? *former->set_hash : hash_of_set(tx, host.org, base);
    const Footing footing = footing_of(report, *hash);
    outcome.set_hash = hash;
    outcome.refused = footing == Footing::elsewhere;
    if (footing != Footing::sound) return outcome;
  }
  const auto knowledge = inventory.catalogue.current();
  const Reported reported = intern_reported(tx, inventory, *knowledge, report, host, outcome);
  const LaidReport laid = lay_report(tx, report, base, reported.ids, outcome);
  if (hash) {
    hash = rolled(tx, host.org, *hash, base, laid.next);
  } else if (report.names_hashes()) {
    hash = reported.hash;
  }
  outcome.set_hash = hash;
  outcome.differs = hash && report.set_hash && *report.set_hash != *hash;
  store::HostSource source;
  source.org = host.org;
  source.host = host.id;
  source.key = report.key;
  source.hostname = report.hostname;
  source.package_set = store::insert_package_set(tx, host.org, laid.next);
  source.package_count = static_cast<std::int64_t>(laid.next.size());
  for (const PackageId id : laid.next) {
    const Verdict& verdict = inventory.packages.verdict(tx, *knowledge, host.org, id);
    source.matched += verdict.identified ? 1 : 0;
    source.vulnerabilities += static_cast<std::int64_t>(verdict.hits.size());
  }
  source.reported_at = now;
  // All of it did not help: its sender reckons in another way.
  if (!outcome.differs || report.delta) source.set_hash = hash;
  store::set_host_source(tx, source);
  if (former) store::release_package_set(tx, host.org, former->package_set);
  tx.on_commit([&presence = inventory.presence, org = host.org, id = host.id,
                version = report.agent_version,
                now] { presence.touch_host(org, id, version, now); });
  return outcome;
}

void forget_second_sources(store::Tx& tx, const model::Host& host) {
  for (const auto& [source, name] : store::list_host_sources(tx, host.org, host.id)) {
    store::delete_host_source(tx, host.org, host.id, source.key);
    store::release_package_set(tx, host.org, source.package_set);
  }
}

}  // namespace muster::fleet
