// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "model/package.h"
#include "vuln/index.h"

namespace muster::vuln {

/// What two snapshots say differently, by what packages are looked up by: what one look-up yields
/// can have changed only if some advisory about it was added, changed or taken away, so a new
/// edition of a feed costs the packages that it is about and not those of the fleet.
///
/// Both snapshots must outlive it. Used by one thread at a time.
class IndexDiff {
 public:
  IndexDiff(const Index& before, const Index& after);

  /// Nothing differs.
  bool empty() const { return !names_differ_ && !cpe_differs_; }

  /// Whether match(), or settle() on some host, may answer differently for this package; false
  /// only if neither can. True for packages whose name means other products than before, too.
  bool touches(const model::Package& package);

 private:
  void compare_names();
  void compare_coverage();
  void compare_cpe();
  void add_products(const CpeIndex& index, const CpeIndex::Row& row);
  bool touches_name(model::Ecosystem ecosystem, std::string_view distro,
                    std::string_view name) const;
  bool touches_distribution(const model::Package& package) const;
  bool touches_products(const model::Package& package);

  const Index& before_;
  const Index& after_;
  std::unordered_set<std::uint64_t> names_;  // hashes of ecosystem, distribution release and name
  std::unordered_set<std::string> distros_;  // covered by one alone
  std::uint32_t ecosystems_ = 0;             // covered by one alone; a bit each
  bool names_differ_ = false;
  bool cpe_differs_ = false;
  bool every_product_ = false;
  std::unordered_set<std::uint64_t> products_;
  /// By what identifies a program: its versions are many and mean one product.
  std::unordered_map<std::string, bool> known_;
};

/// A hash of all that match() says of a package, with what settle() decides on and the names under
/// which it is other packages' surroundings. Two snapshots that give one fingerprint give a host
/// the same findings on this package; but a host that has another package of two different ones may
/// settle differently.
std::uint64_t fingerprint(const Index& index, const model::Package& package);

}  // namespace muster::vuln
