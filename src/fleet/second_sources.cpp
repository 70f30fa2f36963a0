// SPDX-License-Identifier: Apache-2.0
#include "fleet/second_sources.h"

#include <algorithm>

#include "fleet/report_sets.h"
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
  const auto knowledge = inventory.catalogue.current();
  const PackageIds reported = intern_reported(tx, inventory, *knowledge, report, host, outcome);
  const LaidReport laid = lay_report(tx, report, base, reported, outcome);
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
  store::set_host_source(tx, source);
  if (former) store::release_package_set(tx, host.org, former->package_set);
  outcome.host = host.id;
  outcome.hostname = host.hostname;
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
