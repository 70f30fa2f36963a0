// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_software.h"

#include <algorithm>

#include "fleet/host_matching.h"
#include "store/store.h"

namespace muster::fleet {

std::int64_t set_software(store::Tx& tx, const Inventory& inventory, const Knowledge& knowledge,
                          model::Host& host, const PackageIds& present, const PackageIds& next,
                          Instant now) {
  std::int64_t resolved = 0;
  if (next != present || !host.package_set) {
    const auto former = host.package_set;
    host.package_set = store::insert_package_set(tx, host.org, next);
    if (former) store::release_package_set(tx, host.org, *former);
  }
  for (const PackageId id : difference(present, next)) {
    resolved +=
        store::resolve_findings_of_package(tx, host.org, host.id, id, "package_removed", now);
  }
  for (const PackageId id : difference(next, present)) {
    open_findings(tx, inventory.ids, host.org, host.id, id,
                  inventory.packages.verdict(tx, knowledge, host.org, id), now);
  }
  host.package_count = static_cast<std::int64_t>(next.size());
  return resolved;
}

std::int64_t settle_conditions(store::Tx& tx, const Inventory& inventory,
                               const Knowledge& knowledge, const model::Host& host,
                               const PackageIds& packages, Instant now) {
  const bool conditional = std::any_of(packages.begin(), packages.end(), [&](PackageId id) {
    return !inventory.packages.verdict(tx, knowledge, host.org, id).conditional.empty();
  });
  if (!conditional) return 0;
  const MatchCount count =
      match_host(tx, inventory.ids, knowledge, inventory.packages, host, nullptr, now);
  return static_cast<std::int64_t>(count.resolved);
}

}  // namespace muster::fleet
