// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/ids.h"
#include "crypto/keyed_hash.h"
#include "fleet/catalogue.h"
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

 private:
  struct ContentHash {
    std::size_t operator()(const store::ContentId& id) const noexcept {
      return static_cast<std::size_t>(id[0]);
    }
  };
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  struct Judged {
    std::uint64_t knowledge = never;
    Verdict verdict;
  };
  struct OfOrg {
    boost::unordered_flat_map<store::ContentId, PackageId, ContentHash> ids;
    std::vector<Judged> verdicts;  // by id: ids are dense
  };

  const crypto::KeyedHash& keyed_hash_;
  std::unordered_map<OrgId, OfOrg> orgs_;
};

}  // namespace muster::fleet
