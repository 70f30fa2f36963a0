// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/package.h"

namespace muster::vuln {

/// A product in CPE's words, escaped as in a formatted string.
struct CpeName {
  std::string_view vendor;
  std::string_view product;
  friend bool operator==(const CpeName&, const CpeName&) = default;
};

/// What a package can be looked up by.
struct Identity {
  /// In order of trust: a distribution's own advisories, an ecosystem's, a CPE, nothing.
  enum class Kind : std::uint8_t { distribution, ecosystem, cpe, none };
  /// Where the CPE came from.
  enum class Source : std::uint8_t { none, reported, table };

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

/// Says what `package` can be looked up by: the distribution if it comes from one, its ecosystem,
/// a valid reported CPE (a hint: its version gives way to the package's where it is a wildcard),
/// or our table of common products (aliases.def). Prefers none to a wrong product. Pure.
Identity identify(const model::Package& package);

/// The kind alone, without making the CPE.
Identity::Kind identity_kind(const model::Package& package);

/// The words of a product's name that identify it, folded: without architecture, word size,
/// language, trademark signs and versions, but with years, which tell products apart. "Mozilla
/// Firefox 60.7.2 ESR (x86 en-US)" -> "mozilla firefox esr".
std::string normalise_product_name(std::string_view name);

}  // namespace muster::vuln
