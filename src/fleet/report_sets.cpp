// SPDX-License-Identifier: Apache-2.0
#include "fleet/report_sets.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

bool takes_away(const InventoryReport::Removal& removal, const model::Package& package) {
  return package.name == removal.name &&
         (!removal.version || package.version == *removal.version) &&
         (!removal.vendor || package.vendor == *removal.vendor);
}

/// What is left of `base` after the delta's removals. Only a delta that removes something pays
/// for reading the packages of its host.
PackageIds without_removed(store::Tx& tx, const InventoryReport& report, const PackageIds& base) {
  if (report.removals.empty()) return base;
  std::unordered_set<std::string_view> names;
  for (const auto& removal : report.removals) names.insert(removal.name);
  PackageIds left;
  for (const PackageId id : base) {
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

void sort_unique(PackageIds& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

/// The same software in another version is one of `lost` and one of `gained` with the same name and
/// vendor. Returns those of `lost` that have no such other half.
PackageIds without_updated(store::Tx& tx, OrgId org, const PackageIds& gained,
                           const PackageIds& lost) {
  if (gained.empty() || lost.empty()) return lost;
  const auto name_of = [&](PackageId id) {
    const auto row = store::find_package(tx, org, id);
    CHECK(row.has_value());
    return row->package.name + '\n' + row->package.vendor;
  };
  std::unordered_map<std::string, std::size_t> halves;
  for (const PackageId id : gained) ++halves[name_of(id)];
  PackageIds gone;
  for (const PackageId id : lost) {
    const auto half = halves.find(name_of(id));
    if (half == halves.end() || half->second == 0) {
      gone.push_back(id);
    } else {
      --half->second;
    }
  }
  return gone;
}

}  // namespace

PackageIds difference(const PackageIds& from, const PackageIds& without) {
  PackageIds out;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                      std::back_inserter(out));
  return out;
}

PackageIds unite(const PackageIds& one, const PackageIds& other) {
  PackageIds out;
  out.reserve(one.size() + other.size());
  std::set_union(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(out));
  return out;
}

Reported intern_reported(store::Tx& tx, const Inventory& inventory, const Knowledge& knowledge,
                         const InventoryReport& report, const model::Host& host,
                         ReportOutcome& outcome) {
  // A delta need not repeat which system it is of.
  const bool of_known_system = report.distro.empty() && !host.distro.empty();
  const bool to_hash = !report.delta && report.names_hashes();
  Reported reported;
  std::unordered_set<PackageId> hashed;
  reported.ids.reserve(report.packages.size());
  for (std::size_t i = 0; i < report.packages.size(); ++i) {
    std::string_view canonical = report.packages.canonical(i);
    std::string completed;
    if (of_known_system) canonical = completed = with_distro(canonical, host.distro);
    const auto package = inventory.packages.intern(tx, report.org, canonical);
    if (to_hash && hashed.insert(package.id).second) reported.hash.add(canonical);
    const Verdict& verdict = inventory.packages.verdict(tx, knowledge, report.org, package.id);
    outcome.processed += 1;
    outcome.created += package.created ? 1 : 0;
    outcome.matched += verdict.identified ? 1 : 0;
    outcome.vulnerabilities += static_cast<std::int64_t>(verdict.hits.size());
    reported.ids.push_back(package.id);
  }
  sort_unique(reported.ids);
  return reported;
}

LaidReport lay_report(store::Tx& tx, const InventoryReport& report, const PackageIds& base,
                      const PackageIds& reported, ReportOutcome& outcome) {
  // A delta is laid over what its removals leave; a full report starts from nothing.
  const PackageIds left = report.delta ? without_removed(tx, report, base) : PackageIds{};
  LaidReport laid;
  laid.next = unite(left, reported);
  const PackageIds gained = difference(laid.next, report.delta ? left : base);
  const PackageIds lost = difference(base, report.delta ? left : laid.next);
  const PackageIds unpaired = without_updated(tx, report.org, gained, lost);
  outcome.added = static_cast<std::int64_t>(gained.size());
  outcome.removed = static_cast<std::int64_t>(lost.size());
  outcome.updated = static_cast<std::int64_t>(lost.size() - unpaired.size());
  // What a delta takes away and gives again at once is not gone.
  laid.gone = report.delta ? difference(unpaired, laid.next) : unpaired;
  return laid;
}

}  // namespace muster::fleet
