// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/cpe.h"
#include "model/package.h"
#include "vuln/cpe_index.h"
#include "vuln/product_finder.h"

namespace muster::vuln {

/// What a package can be looked up by.
struct Identity {
  /// In order of trust: a distribution's own advisories, an ecosystem's, a CPE, nothing.
  enum class Kind : std::uint8_t { distribution, ecosystem, cpe, none };
  /// Where the CPE came from.
  enum class Source : std::uint8_t { none, reported, table, vocabulary, overridden };

  Kind kind = Kind::none;
  Source cpe_source = Source::none;
  /// 2.3 formatted string with the package's version; empty if no CPE is known. Packages of kind
  /// distribution may have one too: it is shown, and never matched (mission rule 15).
  std::string cpe;
  /// Further products under which the same software has advisories, where NVD split or renamed it.
  std::vector<CpeName> others;
};

std::string_view identity_kind_name(Identity::Kind kind);
std::string_view cpe_source_name(Identity::Source source);

/// The names by which NVD knows a package's product.
struct ProductNames {
  Identity::Source source = Identity::Source::none;
  /// With the package's version; nothing if no product is known, or CPE cannot spell the version.
  std::optional<model::Cpe> main;
  /// The reporter's name states a version of its own, which `main` has.
  bool states_version = false;
  std::vector<CpeName> others;  // as Identity::others
};
/// As identify(), of which this is the part about CPE.
ProductNames find_product_names(const model::Package& package, const CpeIndex& index);

/// Says what `package` can be looked up by: the distribution if it comes from one, its ecosystem,
/// a valid reported CPE (a hint: its version gives way to the package's where it is a wildcard),
/// our table of common products (aliases.def), or for programs the product among those that `index`
/// has advisories about (product_finder.h). Prefers none to a wrong product. Of the last three, an
/// operator's word overrules all. Pure; what it returns has views into `package` and `index`.
Identity identify(const model::Package& package, const CpeIndex& index);

/// What the package's origin says of its kind, without looking for its product: cpe is then "if it
/// has one".
Identity::Kind identity_kind(const model::Package& package);

}  // namespace muster::vuln
