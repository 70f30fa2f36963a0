// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "vuln/cpe_index.h"

namespace muster::vuln {

/// A product in CPE's words, escaped as in a formatted string.
struct CpeName {
  std::string_view vendor;
  std::string_view product;
  friend bool operator==(const CpeName&, const CpeName&) = default;
};

/// The product of the index's vocabulary that a program's display name and vendor mean, then others
/// that mean the same under another name of the vendor; empty if none is sure. Views into `index`.
///
/// A product must be named whole: by the name, the name after the vendor's ("Acme Burner" of Acme:
/// acme:burner), after the vendor's ("Burner" of Acme: acme:acme_burner), or, with the vendor's
/// word for it, by the name without its edition or what follows a version or dash. Then the vendor
/// decides: the reported one must be CPE's, by its first words or initials. Where none is reported,
/// or another (a maintainer's own name), the product must be called like its CPE vendor, or be two
/// words long and have three advisories, and nobody else may use that name. A margin of two in
/// advisories must separate the first from an equal one.
std::vector<CpeName> find_product(const CpeIndex& index, std::string_view name,
                                  std::string_view vendor);

/// Whether a reported vendor ("The Apache Software Foundation") can be a vendor of CPE ("apache").
/// Of two that fit, `exactly` is the better: all of the name but its legal form.
enum class VendorFit { no, beginning, exactly };
VendorFit fit_vendor(std::string_view cpe_vendor, std::string_view reported);

}  // namespace muster::vuln
