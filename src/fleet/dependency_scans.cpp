// SPDX-License-Identifier: Apache-2.0
#include "fleet/dependency_scans.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/limits.h"
#include "fleet/announcements.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/sql/reports.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using PackageIds = std::vector<PackageId>;

Result<model::Host> host_of_scan(store::Tx& tx, const Inventory& inventory,
                                 const DependencyScan& scan, Instant now) {
  std::optional<model::Host> host;
  if (scan.host) {
    host = store::find_host(tx, scan.org, *scan.host);
  } else {
    host = store::find_host_by_machine(tx, scan.org, scan.machine_id);
    if (!host) host = store::find_host_by_hostname(tx, scan.org, scan.hostname);
  }
  if (host) return *std::move(host);
  if (scan.hostname.empty()) {
    return Error{Errc::missing_field, "hostname or project_name required", "hostname"};
  }
  return register_host(tx, inventory, scan.org, scan.hostname, scan.machine_id, now);
}

/// What a scan finds, over all its files.
class Tally {
 public:
  Tally(store::Tx& tx, const Inventory& inventory, DependencyScanOutcome& outcome)
      : tx_(tx),
        inventory_(inventory),
        knowledge_(inventory.catalogue.current()),
        outcome_(outcome) {}

  /// Counts the packages of a file, and returns its row but for its set.
  store::HostLockfile take(OrgId org, const DependencyScan::File& file, PackageIds& ids) {
    store::HostLockfile row;
    row.path = file.path;
    for (std::size_t i = 0; i < file.packages.size(); ++i) {
      const PackageId id = inventory_.packages.intern(tx_, org, file.packages.canonical(i)).id;
      const Verdict& verdict = inventory_.packages.verdict(tx_, *knowledge_, org, id);
      ids.push_back(id);
      row.direct += file.direct[i] ? 1 : 0;
      row.vulnerable += verdict.hits.empty() ? 0 : 1;
      row.vulnerabilities += static_cast<std::int64_t>(verdict.hits.size());
      count(id, file.packages.canonical(i), file.direct[i], verdict);
    }
    row.package_count = static_cast<std::int64_t>(ids.size());
    std::sort(ids.begin(), ids.end());
    CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    return row;
  }

 private:
  struct Seen {
    bool direct = false;
    std::optional<std::size_t> vulnerable;  // its place in the outcome
  };

  void count(PackageId id, std::string_view canonical, bool direct, const Verdict& verdict) {
    const auto [at, fresh] = seen_.try_emplace(id);
    Seen& seen = at->second;
    if (fresh) {
      outcome_.packages += 1;
      outcome_.vulnerabilities += static_cast<std::int64_t>(verdict.hits.size());
      if (!verdict.hits.empty()) {
        seen.vulnerable = outcome_.vulnerable.size();
        outcome_.vulnerable.push_back({parse_canonical(canonical), false, verdict.hits});
      }
    }
    if (!direct || seen.direct) return;
    seen.direct = true;
    outcome_.direct += 1;
    if (seen.vulnerable) outcome_.vulnerable[*seen.vulnerable].direct = true;
  }

  store::Tx& tx_;
  const Inventory& inventory_;
  std::shared_ptr<const Knowledge> knowledge_;
  DependencyScanOutcome& outcome_;
  std::map<PackageId, Seen> seen_;
};

void forget(store::Tx& tx, const store::HostLockfile& row) {
  store::delete_host_lockfile(tx, row.org, row.host, row.path);
  store::release_package_set(tx, row.org, row.package_set);
}

/// Of `former`, what is gone, or too much with `fresh` new ones.
void forget_others(store::Tx& tx, std::vector<store::HostLockfile> former, bool complete,
                   std::size_t fresh) {
  std::sort(former.begin(), former.end(),
            [](const auto& a, const auto& b) { return a.reported_at > b.reported_at; });
  const std::size_t kept = complete ? 0 : std::min(former.size(), limits::host_lockfiles - fresh);
  for (std::size_t i = kept; i < former.size(); ++i) forget(tx, former[i]);
}

}  // namespace

Result<DependencyScanOutcome> record_dependency_scan(store::Tx& tx, const Inventory& inventory,
                                                     const DependencyScan& scan, Instant now) {
  model::Host host = TRY(host_of_scan(tx, inventory, scan, now));
  DependencyScanOutcome outcome;
  outcome.host = host.id;
  outcome.files = static_cast<std::int64_t>(scan.files.size());
  std::vector<store::HostLockfile> former = store::list_host_lockfiles(tx, scan.org, host.id);
  Tally tally(tx, inventory, outcome);
  for (const DependencyScan::File& file : scan.files) {
    PackageIds ids;
    store::HostLockfile row = tally.take(scan.org, file, ids);
    row.org = scan.org;
    row.host = host.id;
    row.package_set = store::insert_package_set(tx, scan.org, ids);
    row.reported_at = now;
    store::set_host_lockfile(tx, row);
    const auto same = std::find_if(former.begin(), former.end(),
                                   [&](const auto& each) { return each.path == row.path; });
    if (same == former.end()) continue;
    store::release_package_set(tx, scan.org, same->package_set);
    former.erase(same);
  }
  forget_others(tx, std::move(former), scan.complete, scan.files.size());
  announce_host(tx, host.org, host.id);
  tx.on_commit([&presence = inventory.presence, &directory = inventory.directory,
                host = std::move(host), now] {
    presence.touch_host(host.org, host.id, "", now);
    directory.set(host);
  });
  return outcome;
}

}  // namespace muster::fleet
