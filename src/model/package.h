// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::model {

/// Where a package comes from. `unknown`: the reporter did not say, so only a CPE can identify it.
enum class Ecosystem : std::uint8_t {
  unknown,
#define ECOSYSTEM(name, scheme) name,
#include "model/ecosystems.def"
#undef ECOSYSTEM
};

/// "deb", "npm", ...; empty for unknown.
std::string_view ecosystem_name(Ecosystem ecosystem);
/// The name of the version scheme that the ecosystem declares; empty for unknown.
std::string_view ecosystem_scheme(Ecosystem ecosystem);
/// deb, rpm, apk, pacman: packages that belong to a release of a distribution.
bool is_of_distribution(Ecosystem ecosystem);
/// Reads our names and the fielded agents' synonyms ("apt", "python", "golang") in any case;
/// unknown for anything else.
Ecosystem parse_ecosystem(std::string_view text);

/// The name under which an ecosystem's registry knows a package: PyPI's PEP 503 ("Zope_2.Interface"
/// is "zope-2-interface", and "uvicorn[standard]" is "uvicorn"), folded in NuGet and Packagist and,
/// as package URLs ask, in Go; Maven's group and artifact stand around a colon ("org.a/b" is
/// "org.a:b"). Unchanged where spelling counts.
std::string canonical_package_name(Ecosystem ecosystem, std::string_view name);

/// A product in CPE's words, escaped as in a formatted string.
struct ProductName {
  std::string vendor;
  std::string product;
  friend auto operator<=>(const ProductName&, const ProductName&) = default;
};

/// What an operator says that software of a name and vendor is, where neither a distribution nor a
/// registry says it: these products, the main one first, or nothing to be compared with anything.
struct IdentityOverride {
  bool skipped = false;
  std::vector<ProductName> products;  // none exactly when skipped
  friend auto operator<=>(const IdentityOverride&, const IdentityOverride&) = default;
};

/// One installed package as reported. Two installations with equal members are the same package,
/// and share one row, one verdict and one id within an organisation.
struct Package {
  std::string name;
  std::string version;
  std::string vendor;
  Ecosystem ecosystem = Ecosystem::unknown;
  std::string distro;          // "debian:12": distribution and release, folded; empty if none
  std::string source_name;     // source package of a distribution's package; empty = name
  std::string source_version;  // its version (differs for binNMUs); empty = version
  std::string arch;
  std::string cpe;                           // as reported: a hint, not truth
  std::optional<IdentityOverride> identity;  // an operator's word, and no part of a report

  friend auto operator<=>(const Package&, const Package&) = default;
};

/// The members of a Package, where they are not owned.
struct PackageView {
  std::string_view name;
  std::string_view version;
  std::string_view vendor;
  Ecosystem ecosystem = Ecosystem::unknown;
  std::string_view distro;
  std::string_view source_name;
  std::string_view source_version;
  std::string_view arch;
  std::string_view cpe;
};
PackageView view_of(const Package& package);

/// Appends the one text that names a package's content: its members in the order above, separated
/// by 0x1F, which no member may contain. A source that is the package itself (same name, same
/// version) is left out, so that both ways of reporting it are one text. Hosts compute it too
/// (docs/reference/reports.md): it must not change.
void append_canonical(std::string& out, const PackageView& package);

/// The distribution and release of an `os` text or object as reported by an agent
/// ("Debian GNU/Linux 12 (bookworm)", "Ubuntu 22.04.4 LTS"): "debian:12". Empty when it is none
/// that has advisories of its own.
std::string distro_of_os(std::string_view os_name, std::string_view os_version);

/// Canonical form of a distro given by a caller: "debian:bookworm", "Debian:12.5" -> "debian:12".
/// Text of unknown distributions comes back folded and otherwise unchanged. Debian's testing and
/// unstable are "debian:sid": a fix reaches testing under the version it has in sid, so sid's rows
/// answer for both; a codename that has a number ("forky") keeps its own rows.
std::string canonical_distro(std::string_view distro);

}  // namespace muster::model
