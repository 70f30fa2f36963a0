// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/cpe.h"
#include "model/package.h"
#include "version/scheme.h"
#include "vuln/identify.h"
#include "vuln/product_version.h"

namespace muster::vuln {

/// Software or a system under one of its CPE names, ready to be compared with criteria.
struct Product {
  model::Cpe name;
  /// Empty: not known, or none that the scheme can read.
  ProductVersion version;
  std::optional<version::Scheme> scheme;
  model::Ecosystem ecosystem = model::Ecosystem::unknown;
  Identity::Source source = Identity::Source::none;
  /// The name is of this sw_edition only: criteria that name none are about other editions.
  bool edition_only = false;
};

/// A package under each of its CPE names, the main one first; empty if it has none.
std::vector<Product> products_of(const model::Package& package, const CpeIndex& index);

enum class SystemFamily : std::uint8_t { unknown, windows, macos, linux_kernel };

/// What else a host has: its operating system and its other software. A criterion may ask for it
/// ("on Windows", "with OpenSSL 1.1.1"), so this decides what a verdict on the package alone must
/// leave open (match.h, settle).
class Surroundings {
 public:
  /// Nothing is known.
  Surroundings() = default;
  /// The system as agents report it; empty texts for a system that is not known. Without
  /// `packages`, the host is known to have no other software.
  Surroundings(std::string_view os_name, std::string_view os_version,
               const std::vector<model::Package>& packages, const CpeIndex& index);

  SystemFamily family() const { return family_; }
  /// The system under its CPE names; empty if it is not known.
  const std::vector<Product>& systems() const { return systems_; }
  /// Whether the system may go by a name that systems() does not have: nothing is known of it, or
  /// its family and not its release.
  bool may_be_system(std::string_view vendor, std::string_view product) const;
  /// Whether the list of software is known.
  bool knows_software() const { return knows_software_; }
  /// The host's software of a vendor and product.
  const std::vector<Product>& software(std::string_view vendor, std::string_view product) const;

 private:
  SystemFamily family_ = SystemFamily::unknown;
  std::vector<Product> systems_;
  bool release_known_ = false;
  bool knows_software_ = false;
  std::unordered_map<std::string, std::vector<Product>> software_;  // by "vendor:product"
};

}  // namespace muster::vuln
