// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/ids.h"
#include "crypto/keyed_hash.h"
#include "fleet/catalogue.h"
#include "fleet/package_marks.h"
#include "store/sql/inventory.h"

namespace muster::fleet {

/// The package dictionary of every organisation with the verdict on each package, so that a fleet
/// costs its distinct packages and not its hosts. Belongs to the writer: used inside transactions
/// only. Follows the store on commit.
class KnownPackages {
 public:
  explicit KnownPackages(const crypto::KeyedHash& keyed_hash) : keyed_hash_(keyed_hash) {}

  void load(store::Reader& reader);

  /// What memory alone knows.
  std::optional<PackageId> find(OrgId org, const store::ContentId& content) const;
  std::size_t size() const;

  struct Interned {
    PackageId id;
    bool created = false;  // the organisation did not know it
  };
  /// The id of a package by its canonical text.
  Interned intern(store::Tx& tx, OrgId org, std::string_view canonical);
  /// The verdict under `knowledge`, judged once; valid until the next call.
  const Verdict& verdict(store::Reader& reader, const Knowledge& knowledge, OrgId org,
                         PackageId id);
  /// Judges these again when they are next asked for: an operator said what they are.
  void forget_verdicts(const PackageMarks& packages);
  /// As forget_verdicts(), of all packages of an organisation: another server was told so.
  void forget_verdicts_of(OrgId org);
  /// Before a transaction reads: another server may have given the ids of packages that no commit
  /// of ours stored to other packages.
  void forget_unstored();
  /// How often that happened. May be asked from any thread.
  std::uint64_t times_forgotten() const { return times_forgotten_; }
  /// Goes over to the snapshot `after`, which replaced `before`: verdicts on other packages than
  /// `changed` hold under both.
  void follow(const Knowledge& before, const Knowledge& after, const PackageMarks& changed);

 private:
  struct ContentHash {
    std::size_t operator()(const store::ContentId& id) const noexcept {
      return static_cast<std::size_t>(id[0]);
    }
  };
  struct OfOrg {
    boost::unordered_flat_map<store::ContentId, PackageId, ContentHash> ids;
    std::vector<std::optional<Verdict>> verdicts;  // by id: ids are dense
    std::int64_t stored = 0;                       // the highest id of `ids`
    std::int64_t judged = 0;                       // the highest id with a verdict, or above

    void add(const store::ContentId& content, PackageId id) {
      ids.emplace(content, id);
      stored = std::max(stored, id.value);
    }
  };

  const crypto::KeyedHash& keyed_hash_;
  std::unordered_map<OrgId, OfOrg> orgs_;
  std::atomic<std::uint64_t> times_forgotten_ = 0;
  std::uint64_t knowledge_ = 0;  // number of the snapshot that the verdicts are of
};

}  // namespace muster::fleet
