// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"
#include "fleet/rematch.h"
#include "model/package.h"
#include "store/total.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// The distinct software of organisations: what each is taken for, and what operators say of it.
namespace muster::fleet {

/// One package of an organisation's dictionary.
struct ListedSoftware {
  OrgId org;
  PackageId id;
  model::Package package;
  std::int64_t hosts = 0;             // that have it now
  std::string identity;               // "distribution", "ecosystem", "cpe", "none"
  std::string method;                 // where the products come from: vuln::cpe_source_name()
  std::string confidence;             // "high", "medium", "none"
  std::vector<std::string> products;  // "vendor:product", the main one first
  std::string state;
  std::string reason;
  std::string reason_text;
  std::int64_t open_findings = 0;  // over all hosts
};
struct SoftwareQuery {
  std::optional<OrgId> org;
  std::optional<std::string> name;
  std::optional<std::string> text;  // part of the name, in any case of letters
  bool unmapped = false;            // only what nothing identifies, and nobody skipped
  std::string cursor;
  int count = 0;
};
struct SoftwarePage {
  std::vector<ListedSoftware> software;
  std::string next_cursor;
  store::Total total;
};
/// In the order in which packages came to be known. A page of what is unmapped may be short and
/// have a next one: it looks at a bounded number of packages. Fails with invalid_field for a cursor
/// that is none.
Result<SoftwarePage> list_software_page(store::Store& store, const Catalogue& catalogue,
                                        const SoftwareQuery& query);

/// What an operator says of software by its reported name and vendor; nothing takes it back.
struct IdentityOrder {
  OrgId org;
  std::string name;
  std::string vendor;  // empty: software without one
  std::optional<model::IdentityOverride> identity;
};
/// "mozilla:firefox", values plain or escaped as CPE does. Fails with invalid_field.
Result<model::ProductName> parse_product_name(std::string_view text);

/// Stores an order; hosts follow with rematch_hosts() of the packages that it returns. Fails with
/// not_found for taking back what nobody said.
Result<PackageMarks> record_identity_order(store::Tx& tx, NumberIds& ids, KnownPackages& packages,
                                           const Actor& actor, const IdentityOrder& order,
                                           Instant now);

/// record_identity_order(), and the hosts that have such packages follow before it returns. What is
/// cut short in between is finished by finish_identity_orders().
Result<RematchCount> change_identity(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                     KnownPackages& packages, const Actor& actor,
                                     const IdentityOrder& order, Instant now);
/// Lets hosts follow what was ordered and cut short. Returns how many were looked at.
std::size_t finish_identity_orders(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                                   KnownPackages& packages, Instant now);

}  // namespace muster::fleet
