// SPDX-License-Identifier: Apache-2.0
#include "fleet/inventory.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_set>

#include "fleet/findings.h"
#include "fleet/history.h"
#include "fleet/hosts.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using Ids = std::vector<PackageId>;

Error unknown_host() {
  return {Errc::unknown_host, "Asset not found. Send full inventory first."};
}

std::optional<model::Host> find_host_of(store::Reader& reader, OrgId org, std::optional<HostId> own,
                                        std::string_view machine_id, std::string_view hostname) {
  if (own) return store::find_host(reader, org, *own);
  if (auto host = store::find_host_by_machine(reader, org, machine_id)) return host;
  return store::find_host_by_hostname(reader, org, hostname);
}

Result<model::Host> host_of_report(store::Tx& tx, const Inventory& inventory,
                                   const InventoryReport& report, bool& created, Instant now) {
  auto host = find_host_of(tx, report.org, report.host, report.machine_id, report.hostname);
  if (host) return std::move(*host);
  if (report.delta) return unknown_host();
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

bool takes_away(const InventoryReport::Removal& removal, const model::Package& package) {
  return package.name == removal.name &&
         (!removal.version || package.version == *removal.version) &&
         (!removal.vendor || package.vendor == *removal.vendor);
}

/// What is left of `present` after the delta's removals. Only a delta that removes something pays
/// for reading the packages of its host.
Ids without_removed(store::Tx& tx, const InventoryReport& report, const Ids& present) {
  if (report.removals.empty()) return present;
  std::unordered_set<std::string_view> names;
  for (const auto& removal : report.removals) names.insert(removal.name);
  Ids left;
  for (const PackageId id : present) {
    const auto row = store::find_package(tx, report.org, id);
    CHECK(row.has_value());
    const bool removed =
        names.contains(row->package.name) &&
        std::any_of(report.removals.begin(), report.removals.end(),
                    [&](const auto& removal) { return takes_away(removal, row->package); });
    if (!removed) left.push_back(id);
  }
  return left;
}

void sort_unique(Ids& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

Ids difference(const Ids& from, const Ids& without) {
  Ids out;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                      std::back_inserter(out));
  return out;
}

/// Pairs of one added and one removed package of the same name and vendor: the same software in
/// another version.
std::int64_t count_updated(store::Tx& tx, OrgId org, const Ids& added, const Ids& removed) {
  if (added.empty() || removed.empty()) return 0;
  const auto name_of = [&](PackageId id) {
    const auto row = store::find_package(tx, org, id);
    CHECK(row.has_value());
    return row->package.name + '\n' + row->package.vendor;
  };
  std::unordered_multiset<std::string> gone;
  for (const PackageId id : removed) gone.insert(name_of(id));
  std::int64_t pairs = 0;
  for (const PackageId id : added) {
    const auto found = gone.find(name_of(id));
    if (found == gone.end()) continue;
    gone.erase(found);
    ++pairs;
  }
  return pairs;
}

/// The ids of the packages in a report, ascending, and what it says about them.
Ids intern_reported(store::Tx& tx, const Inventory& inventory, const Knowledge& knowledge,
                    const InventoryReport& report, const model::Host& host,
                    ReportOutcome& outcome) {
  // A delta need not repeat which system it is of.
  const bool of_known_system = report.distro.empty() && !host.distro.empty();
  Ids ids;
  ids.reserve(report.packages.size());
  for (std::size_t i = 0; i < report.packages.size(); ++i) {
    const std::string_view canonical = report.packages.canonical(i);
    const auto package = inventory.packages.intern(
        tx, report.org, of_known_system ? with_distro(canonical, host.distro) : canonical);
    const Verdict& verdict = inventory.packages.verdict(tx, knowledge, report.org, package.id);
    outcome.processed += 1;
    outcome.created += package.created ? 1 : 0;
    outcome.matched += verdict.identified ? 1 : 0;
    outcome.vulnerabilities += static_cast<std::int64_t>(verdict.hits.size());
    ids.push_back(package.id);
  }
  sort_unique(ids);
  return ids;
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

/// Where some package's verdict depends on the host, any change of the host may change it: the host
/// is matched as a whole. Returns the findings resolved.
std::int64_t settle_conditions(store::Tx& tx, const Inventory& inventory,
                               const Knowledge& knowledge, const model::Host& host,
                               const Ids& packages, Instant now) {
  const bool conditional = std::any_of(packages.begin(), packages.end(), [&](PackageId id) {
    return !inventory.packages.verdict(tx, knowledge, host.org, id).conditional.empty();
  });
  if (!conditional) return 0;
  const MatchCount count = match_host(tx, inventory.ids, knowledge, inventory.packages, host, now);
  return static_cast<std::int64_t>(count.resolved);
}

}  // namespace

Result<ReportOutcome> record_report(store::Tx& tx, const Inventory& inventory,
                                    const InventoryReport& report, Instant now) {
  ReportOutcome outcome;
  model::Host host = TRY(host_of_report(tx, inventory, report, outcome.host_created, now));
  Ids present;
  if (host.package_set) {
    present = store::get_package_set(tx, report.org, *host.package_set);
  } else if (report.delta) {
    return unknown_host();
  }
  const std::shared_ptr<const Knowledge> knowledge = inventory.catalogue.current();
  const Ids reported = intern_reported(tx, inventory, *knowledge, report, host, outcome);

  // A delta is laid over what its removals leave; a full report starts from nothing.
  const Ids left = report.delta ? without_removed(tx, report, present) : Ids{};
  Ids next = left;
  next.insert(next.end(), reported.begin(), reported.end());
  sort_unique(next);
  const Ids gained = difference(next, report.delta ? left : present);
  const Ids lost = difference(present, report.delta ? left : next);
  outcome.added = static_cast<std::int64_t>(gained.size());
  outcome.removed = static_cast<std::int64_t>(lost.size());
  outcome.updated = count_updated(tx, report.org, gained, lost);

  const Ids added = difference(next, present);
  const Ids removed = difference(present, next);
  if (!added.empty() || !removed.empty() || !host.package_set) {
    const auto former = host.package_set;
    host.package_set = store::insert_package_set(tx, report.org, next);
    if (former) store::release_package_set(tx, report.org, *former);
  }
  for (const PackageId id : removed) {
    outcome.findings_resolved +=
        store::resolve_findings_of_package(tx, report.org, host.id, id, "package_removed", now);
  }
  for (const PackageId id : added) {
    open_findings(tx, inventory.ids, report.org, host.id, id,
                  inventory.packages.verdict(tx, *knowledge, report.org, id), now);
  }

  const bool facts_changed = take_facts(host, report);
  if (facts_changed || !added.empty() || !removed.empty()) {
    outcome.findings_resolved += settle_conditions(tx, inventory, *knowledge, host, next, now);
  }
  host.last_seen = std::max(host.last_seen, now);
  host.last_report_at = now;
  host.package_count = static_cast<std::int64_t>(next.size());
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
