// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "fleet/catalogue.h"
#include "fleet/known_packages.h"
#include "fleet/package_marks.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

/// What a change of what is known costs: the packages that it is about are judged again, once for
/// all that have them, and those whose verdict differs lead to their owners. Nothing is kept for
/// this: the stored sets of a fleet of 100,000 hosts are read through in less time than an index of
/// them would take to keep.
namespace muster::fleet {

/// Adds the packages on which two snapshots differ, reading all that `reader` sees. Returns the
/// last package of each organisation that it saw.
using LastPackages = std::unordered_map<OrgId, PackageId>;
LastPackages find_changed_packages(store::Reader& reader, const Knowledge& before,
                                   const Knowledge& after, PackageMarks& changed);
/// The stored sets that have one of them. They belong to hosts and images.
using PackageSets = std::set<std::pair<OrgId, crypto::KeyHash>>;
PackageSets find_sets_with(store::Reader& reader, const PackageMarks& packages);
/// The hosts that have one of them.
using HostNames = std::vector<std::pair<OrgId, HostId>>;
HostNames find_hosts_with(store::Reader& reader, const PackageMarks& packages);

/// A snapshot that was put in force.
struct Adoption {
  std::shared_ptr<const Knowledge> knowledge;
  /// The packages on which the verdict is another than before, or may be. Whoever owns packages has
  /// to see to these of them; until then it has what followed from the old verdict.
  std::shared_ptr<const PackageMarks> changed;
};

/// Puts in force what the store holds, and says what that changed. Readers see the old snapshot
/// until the new one is whole; it is put in force between two writes, so that each of them sees one
/// snapshot alone. Of two at once, the one that read less than the store has now reads again: no
/// older snapshot replaces a newer one.
Adoption adopt_feeds(store::Store& store, Catalogue& catalogue, KnownPackages& packages);

struct RematchCount {
  std::size_t hosts = 0;  // that were looked at
  std::size_t opened = 0;
  std::size_t resolved = 0;
};

/// Brings the findings of the hosts that have one of the `changed` packages in line with what is
/// known, some hosts at a time, so that agents' writes go on in between. Touches no other host.
/// Ends early, as all that matches again does, when the catalogue stops_matching().
RematchCount rematch_hosts(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                           KnownPackages& packages, const PackageMarks& changed, Instant now);

/// Every host, whatever changed: for when nobody knows what did.
RematchCount rematch_all_hosts(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                               KnownPackages& packages, Instant now);

}  // namespace muster::fleet
