// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/cpe.h"
#include "model/package.h"
#include "version/scheme.h"

namespace muster::vuln {

/// An installed version, taken apart the way CPE names write it: "9.3p2" is version 9.3, update p2.
struct ProductVersion {
  std::string whole;   // "9.3p2"
  std::string base;    // "9.3"; equal to whole if there is no update in it
  std::string update;  // as normalise_cpe_update() gives it; empty for none
  /// The update comes after the base ("p2", "sp1") and not before it ("rc1"): a bound of "9.3" is
  /// about every patch of 9.3, and one of "2.0" is not about 2.0-rc1.
  bool patch = false;
  /// A CPE name says "-": the product has none, as NVD names Windows by release and service pack.
  bool not_applicable() const { return whole == "-"; }
  friend bool operator==(const ProductVersion&, const ProductVersion&) = default;
};

/// Splits the version of a product. Products that installers number in their own way are translated
/// first: Oracle's Java ("8.0.3510.10" and "8u351" are 1.8.0 update 351) and Python's MSI
/// ("3.10.6150.0" is 3.10.6). Text that has no such shape stays whole.
ProductVersion split_product_version(const model::Cpe& product, std::string_view text);

/// The version of a name that states an update beside it, whatever the update is called: VMware's
/// ESXi 6.7 has updates "670-202011301".
ProductVersion join_product_version(const model::Cpe& product, std::string_view version,
                                    std::string_view update);

/// One spelling for an update: "update_3", "Update3" and "u3" are "u3", "rc_1" is "rc1", "patch2"
/// is "p2". Empty for words that name the release itself: "final", "ga", "gold", "release",
/// "stable".
std::string normalise_cpe_update(std::string_view update);

/// The scheme that versions of a product are compared under: openssl for OpenSSL, jvm for Java,
/// else what the package's ecosystem declares, and generic where it declares none. Nothing if that
/// scheme has no rule here.
std::optional<version::Scheme> product_scheme(const model::Cpe& product,
                                              model::Ecosystem ecosystem);

}  // namespace muster::vuln
