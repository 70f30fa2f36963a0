// SPDX-License-Identifier: Apache-2.0
#include "fleet/inventory.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "fleet/announcements.h"
#include "fleet/held_reports.h"
#include "fleet/history.h"
#include "fleet/host_software.h"
#include "fleet/hosts.h"
#include "fleet/report_sets.h"
#include "fleet/second_sources.h"
#include "fleet/set_hashes.h"
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
  created = true;
  return register_host(tx, inventory, report.org, report.hostname, report.machine_id, now);
}

/// Whether the host is another machine from now on: it was installed anew, and a site reports of
/// it. What an agent enrolled with stays: two clones that report as one host would make it flap.
bool is_of_new_machine(store::Reader& reader, const model::Host& host,
                       const InventoryReport& report) {
  if (report.agent || report.machine_id.empty() || report.machine_id == host.machine_id) {
    return false;
  }
  // An id that several machines have names none of them.
  if (!store::list_hosts_of_machine(reader, host.org, report.machine_id, 1).empty()) return false;
  return !any_is_live(store::list_agents_of_host(reader, host.org, host.id));
}

/// Takes over what the report says of the host itself. Returns whether that is anything new.
bool take_facts(store::Reader& reader, model::Host& host, const InventoryReport& report) {
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
  if (is_of_new_machine(reader, host, report)) {
    take(host.machine_id, report.machine_id);
    host.machine_shared = false;
  } else if (host.machine_id.empty()) {
    take_if_said(host.machine_id, report.machine_id);
  }
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

/// What the host's reporter told of before a delta that speaks of it.
model::SetHash told_before(store::Reader& reader, const model::Host& host,
                           const PackageIds& present) {
  if (host.set_hash) return *host.set_hash;
  return hash_of_set(reader, host.org, told_of(reader, host, present));
}

/// A delta that is not of what its reporter told before: a copy of the last one is as good as
/// stored, any other is refused.
ReportOutcome without_footing(store::Tx& tx, const Inventory& inventory,
                              const InventoryReport& report, const model::Host& host,
                              const model::SetHash& told, Instant now) {
  ReportOutcome outcome;
  outcome.host = host.id;
  outcome.hostname = host.hostname;
  outcome.set_hash = told;
  outcome.refused = footing_of(report, told) == Footing::elsewhere;
  if (outcome.refused) {
    record_drift(tx, inventory, host, told, *report.base_set_hash, now);
  }
  tx.on_commit([&presence = inventory.presence, org = host.org, id = host.id,
                version = report.agent_version,
                now] { presence.touch_host(org, id, version, now); });
  return outcome;
}

/// Keeps the hash of what its reporter has told of by now, if it names hashes at all.
void take_hash(store::Tx& tx, const Inventory& inventory, const InventoryReport& report,
               model::Host& host, const std::optional<model::SetHash>& told, ReportOutcome& outcome,
               Instant now) {
  host.set_hash = outcome.set_hash = told;
  outcome.differs = told && report.set_hash && *report.set_hash != *told;
  if (!outcome.differs) return;
  if (report.delta) {
    record_drift(tx, inventory, host, *told, *report.set_hash, now);
  } else {
    host.set_hash.reset();  // all of it did not help: its sender reckons in another way
  }
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
  if (!equal_folded(host.hostname, report.hostname)) {
    TRY(check_hostname_is_free(tx, inventory.presence, inventory.config, report.org,
                               report.hostname, now));
  }
  const bool of_reporter = host.package_set && host.software_agent == reporter_of(report);
  if (report.delta && !of_reporter) return send_full_report();
  PackageIds present;
  if (host.package_set) present = store::get_package_set(tx, report.org, *host.package_set);
  std::optional<model::SetHash> hash;  // of what its reporter told of
  if (report.delta && report.names_hashes()) {
    hash = told_before(tx, host, present);
    if (footing_of(report, *hash) != Footing::sound) {
      return without_footing(tx, inventory, report, host, *hash, now);
    }
  }
  const std::shared_ptr<const Knowledge> knowledge = inventory.catalogue.current();
  const Reported reported = intern_reported(tx, inventory, *knowledge, report, host, outcome);
  Reviewed laid;
  if (of_reporter) {
    laid = lay_reviewed(tx, inventory, report, host, present, reported.ids, outcome, now);
  } else {
    laid.next = lay_report(tx, report, present, reported.ids, outcome).next;
    end_hold(tx, host);
  }
  if (hash) {
    hash = rolled(tx, report.org, *hash, laid.former, laid.told);
  } else if (report.names_hashes()) {
    hash = reported.hash;
  }
  take_hash(tx, inventory, report, host, hash, outcome, now);
  const PackageIds& next = laid.next;
  outcome.findings_resolved += set_software(tx, inventory, *knowledge, host, present, next, now);
  host.software_agent = reporter_of(report);
  if (agent_spoke) forget_second_sources(tx, host);

  const bool facts_changed = take_facts(tx, host, report);
  if (facts_changed || next != present) {
    outcome.findings_resolved += settle_conditions(tx, inventory, *knowledge, host, next, now);
  }
  host.last_seen = std::max(host.last_seen, now);
  host.last_report_at = now;
  if (!report.delta) host.last_full_at = now;
  if (facts_changed) {
    store::set_host(tx, host);
  } else {
    store::set_host_reported(tx, host);
  }
  if (!report.delta) inventory.settings.end_forced_scan(tx, report.org, host.id);
  outcome.host = host.id;
  outcome.hostname = host.hostname;
  announce_host(tx, host.org, host.id);
  tx.on_commit([&marks = inventory.marks, &presence = inventory.presence,
                &directory = inventory.directory, host = std::move(host),
                version = report.agent_version, now] {
    presence.touch_host(host.org, host.id, version, now);
    directory.set(host);
    marks.set(host.id, ReportMarks::of(host));
  });
  return outcome;
}

Result<model::Host> register_host(store::Tx& tx, const Inventory& inventory, OrgId org,
                                  std::string_view hostname, std::string_view machine_id,
                                  Instant now) {
  TRY(check_hostname_is_free(tx, inventory.presence, inventory.config, org, hostname, now));
  model::Host fresh;
  fresh.org = org;
  fresh.id = inventory.ids.next<HostId>(now);
  fresh.hostname = hostname;
  fresh.machine_id = machine_id;
  fresh.os_name = "Unknown";
  fresh.first_seen = now;
  fresh.last_seen = now;
  store::insert_host(tx, fresh);
  record_event(
      tx, inventory.ids, org, model::EventType::host_registered, std::nullopt, fresh.id,
      [&](JsonWriter& details) { details.member("hostname", fresh.hostname); }, now);
  return fresh;
}

}  // namespace muster::fleet
