// SPDX-License-Identifier: Apache-2.0
#include "fleet/inventory.h"

#include <algorithm>
#include <string>

#include "fleet/held_reports.h"
#include "fleet/history.h"
#include "fleet/host_software.h"
#include "fleet/hosts.h"
#include "fleet/report_sets.h"
#include "fleet/second_sources.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::optional<model::Host> find_host_of(store::Reader& reader, const InventoryReport& report) {
  if (report.agent) return store::find_host(reader, report.org, report.agent->host);
  if (auto host = store::find_host_by_machine(reader, report.org, report.machine_id)) return host;
  return store::find_host_by_hostname(reader, report.org, report.hostname);
}

Result<model::Host> host_of_report(store::Tx& tx, const Inventory& inventory,
                                   const InventoryReport& report, bool& created, Instant now) {
  auto host = find_host_of(tx, report);
  if (host) return std::move(*host);
  if (report.delta) return send_full_report();
  TRY(check_hostname_is_free(tx, inventory.presence, inventory.config, report.org, report.hostname,
                             now));
  model::Host fresh;
  fresh.org = report.org;
  fresh.id = inventory.ids.next<HostId>(now);
  fresh.hostname = report.hostname;
  fresh.machine_id = report.machine_id;
  fresh.os_name = "Unknown";
  fresh.first_seen = now;
  fresh.last_seen = now;
  store::insert_host(tx, fresh);
  record_event(
      tx, inventory.ids, report.org, "host_registered", std::nullopt, fresh.id,
      [&](JsonWriter& details) { details.member("hostname", fresh.hostname); }, now);
  created = true;
  return fresh;
}

/// Takes over what the report says of the host itself. Returns whether that is anything new.
bool take_facts(model::Host& host, const InventoryReport& report) {
  bool changed = false;
  const auto take = [&](auto& fact, const auto& said) {
    if (fact == said) return;
    fact = said;
    changed = true;
  };
  const auto take_if_said = [&](std::string& fact, const std::string& said) {
    if (!said.empty()) take(fact, said);
  };
  take(host.hostname, report.hostname);
  // What it enrolled with stays: two clones that report as one host would make it flap.
  if (host.machine_id.empty()) take_if_said(host.machine_id, report.machine_id);
  take_if_said(host.os_name, report.os_name);
  take_if_said(host.os_version, report.os_version);
  take_if_said(host.os_kernel, report.os_kernel);
  take_if_said(host.distro, report.distro);
  take_if_said(host.ip_address, report.ip_address);
  if (report.tags) take(host.tags, *report.tags);
  return changed;
}

std::optional<AgentId> reporter_of(const InventoryReport& report) {
  return report.agent ? std::optional(report.agent->id) : std::nullopt;
}

}  // namespace

Result<ReportOutcome> record_report(store::Tx& tx, const Inventory& inventory,
                                    const InventoryReport& report, Instant now) {
  ReportOutcome outcome;
  model::Host host = TRY(host_of_report(tx, inventory, report, outcome.host_created, now));
  const bool agent_spoke = !report.agent && host.software_agent;
  if (agent_spoke && any_is_live(store::list_agents_of_host(tx, host.org, host.id))) {
    return record_second_source(tx, inventory, report, host, now);
  }
  const bool of_reporter = host.package_set && host.software_agent == reporter_of(report);
  if (report.delta && !of_reporter) return send_full_report();
  PackageIds present;
  if (host.package_set) present = store::get_package_set(tx, report.org, *host.package_set);
  const std::shared_ptr<const Knowledge> knowledge = inventory.catalogue.current();
  const PackageIds reported = intern_reported(tx, inventory, *knowledge, report, host, outcome);
  const PackageIds next =
      of_reporter ? lay_reviewed(tx, inventory, report, host, present, reported, outcome, now)
                  : lay_report(tx, report, present, reported, outcome).next;
  if (!of_reporter) end_hold(tx, host);
  outcome.findings_resolved += set_software(tx, inventory, *knowledge, host, present, next, now);
  host.software_agent = reporter_of(report);
  if (agent_spoke) forget_second_sources(tx, host);

  const bool facts_changed = take_facts(host, report);
  if (facts_changed || next != present) {
    outcome.findings_resolved += settle_conditions(tx, inventory, *knowledge, host, next, now);
  }
  host.last_seen = std::max(host.last_seen, now);
  host.last_report_at = now;
  if (facts_changed) {
    store::set_host(tx, host);
  } else {
    store::set_host_reported(tx, host);
  }
  if (!report.delta) inventory.settings.end_forced_scan(tx, report.org, host.id);
  outcome.host = host.id;
  outcome.hostname = host.hostname;
  tx.on_commit([&presence = inventory.presence, &directory = inventory.directory,
                host = std::move(host), version = report.agent_version, now] {
    presence.touch_host(host.org, host.id, version, now);
    directory.set(host);
  });
  return outcome;
}

}  // namespace muster::fleet
